/**
 * Carries a message to an address a business gave. What answered, or why nothing did; it never
 * throws.
 */
export type WebhookSender = {
  send(message: {
    businessId: string;
    url: string;
    id: string;
    at: Date;
    body: string;
    secrets: string[];
  }): Promise<{ status: number | null; error: string | null }>;
};
