/**
 * What a webhook's body says, judged before anything is believed: a hint about a document, a test
 * ping, or nothing that can be read.
 */
export type BooksWebhookBody =
  | { is: 'document'; module: 'invoices' | 'creditnotes'; id: string; modifiedAt: Date | null }
  | { is: 'ping' }
  /** `field`: where the document's id should be; `value`: what stands there instead. */
  | { is: 'malformed'; reason: string; field: string; value?: string };

export type BooksWebhookReader = {
  /** `query`: the pairs of the address, where the id may stand too. */
  read(raw: Buffer, contentType: string, query?: [string, string][]): BooksWebhookBody;
  /** Whether the signature over the query and the raw body was made with one of the secrets. */
  isSigned(ask: {
    query: [string, string][];
    raw: Buffer;
    contentType: string;
    signature: string;
    secrets: string[];
  }): boolean;
};
