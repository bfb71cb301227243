import type { LayoutInput, ReceiptLayout } from '../../model/receipt-layout.model.ts';
import type { Sale, Signature } from '../../model/sale.model.ts';
import type { DialectDevice } from './device.ts';

/** What the authority wants on paper. */
export type Print = {
  label(kind: Sale['kind'], isCopy: boolean): string;
  /** What the QR code holds. `base` replaces the authority's public page (for a rehearsal). */
  verification(
    signature: Signature,
    device: DialectDevice,
    form: 'url' | 'hash',
    base: string | null,
  ): string;
  /** Lays a receipt out: every block, word and order of it is the authority's. */
  layOut(input: LayoutInput): ReceiptLayout;
  /** An invented sale for a training receipt, which no device is asked to sign. */
  trainingSale(at: Date): Sale;
};
