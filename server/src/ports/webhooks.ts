/** What a webhook's body says, judged before anything is believed: a hint about a document, a test ping, or nothing that can be read. */
export type HookBody =
  | { is: 'document'; module: 'invoices' | 'creditnotes'; id: string; modifiedAt: Date | null }
  | { is: 'ping' }
  | { is: 'malformed'; reason: string };

export type WebhookReader = {
  read(raw: Buffer, contentType: string): HookBody;
  /** Whether the signature over the query and the raw body was made with one of the secrets. */
  isSigned(ask: { query: [string, string][]; raw: Buffer; contentType: string; signature: string; secrets: string[] }): boolean;
};
