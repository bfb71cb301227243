import type { Sale } from '../../model/sale.model.ts';
import type { SaleTerms } from '../../model/sale-terms.model.ts';

/** What a device may want beyond the authority's papers; see `device-demands.model.ts`. */
export type Demand = 'exact_supply' | 'refund_quantities';

/**
 * The terms a sale is signed under: all that its request needs besides the number and the moment,
 * and what its record and its paper need. Gathered when the document is read, so that the lane need
 * not.
 */
export type SigningTerms = Omit<SaleTerms, 'demands'> & {
  /**
   * The device's registration code as known when the document was read; an answer names it anew.
   */
  mrcNumber: string | null;
  /**
   * For a refund: the SDC that signed the sale, which is another one where its device was replaced
   * since.
   */
  originalSdcId?: string;
  /** What the device has shown that it wants; missing where it has shown nothing. */
  demands?: Demand[];
  /**
   * Where another program has asked for it: no person has, and it was not opened by itself either.
   */
  askedByProgram?: true | undefined;
  /**
   * Where nobody has asked for it at all. What was written down by servers that did not say so yet
   * may be a program's: see `keptFromItself`.
   */
  openedByItself?: true | undefined;
  verification: { form: 'url' | 'hash'; base: string | null };
  /**
   * For the refund that undoes a sale whose data were lost: the receipt it undoes and the number it
   * was signed under.
   */
  reverses?: Reverses;
  /** For a refund: what its receipt says of the sale on paper. */
  originalReceipt: { receiptNumber: string; totalReceiptNumber: string; label: string } | null;
};

export type Reverses = {
  receiptId: string;
  invoiceNumber: string;
  /**
   * On whose word: another proposal may stand in its place by the time it is signed. Missing in the
   * oldest.
   */
  word?: {
    source: string;
    reasonCode: string;
    proposedBy: string;
    proposedName: string;
    proposedAt: string;
    confirmedBy: string;
    confirmedName: string;
    confirmedAt: string;
  };
};

export type SigningInput = { sale: Sale; terms: SigningTerms };

/**
 * Whom a device is told of where no person has sealed: what was opened by itself, or by another
 * program.
 */
export const noPerson: SigningTerms['user'] = { id: 'muhuri', name: 'Muhuri' };

/**
 * Who has asked for it: what the lane reads again stays theirs, and what is not said of it is not
 * said then either.
 */
export const askedBy = ({
  user,
  askedByProgram,
  openedByItself,
}: SigningTerms): Pick<SigningTerms, 'user' | 'askedByProgram' | 'openedByItself'> => ({
  user,
  askedByProgram,
  openedByItself,
});
