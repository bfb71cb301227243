import type { Amount } from '@muhuri/shared/money';

/**
 * What goes into one sale request besides the sale, the number and the moment: fixed when the
 * document is read.
 */
export type SaleTerms = {
  device: { taxpayerId: string; branchCode: string; serial: string };
  /** For a refund: the invoice number its sale was signed under. */
  originalInvoiceNumber: string | null;
  rates: Record<string, Amount>;
  headerTax: 'lines' | 'class';
  /**
   * What the device has shown that it wants. `exact_supply`: price times quantity is the amount of
   * a line, to the cent.
   */
  demands?: string[];
  user: { id: string; name: string };
  seller: { tradeName: string; address: string; topMessage: string; bottomMessage: string };
};
