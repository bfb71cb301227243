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
  grouped(text: string): string;
};
