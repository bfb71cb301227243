export type Evidence =
  | {
      found: true;
      source: string;
      receipt_number: string;
      total_receipt_number: string;
      internal_data: string;
      receipt_signature: string;
      sdc_id: string;
      mrc_number?: string | undefined;
      signed_at: string;
      /** What else stands on the authority's page; checked against ours where it is given. */
      invoice_number?: string | undefined;
      buyer_tin?: string | undefined;
      total?: string | undefined;
    }
  /** The device itself said so: a whole signature stands in an answer of it that we keep. */
  | { found: 'kept' }
  /**
   * It holds nothing under the number; of a device that was retired with when that was looked up,
   * and that the device uploads nothing any more.
   */
  | {
      found: false;
      source: string;
      listed_at?: string | undefined;
      cannot_upload?: true | undefined;
    }
  /**
   * It holds something under the number, and that is not our document: another program has used it.
   * Of a device that was retired as above.
   */
  | {
      found: 'other';
      source: string;
      listed_at?: string | undefined;
      cannot_upload?: true | undefined;
    }
  /**
   * Of a signature that came late: it is the document's receipt, or it was refunded or cancelled at
   * the authority.
   */
  | { found: 'late'; receipt_signature: string; as: 'receipt' | 'undone'; source: string };

/** As a person gives it, or as it stands after a kept answer was read. */
export type Brought = Exclude<Evidence, { found: 'kept' | 'late' }>;
/** Who says so, and who confirmed it where that was needed. */
export type Word = { by: string; confirmedBy?: string };

/** Returns what is kept of a person's word. */
export const wordAsKept = ({ by, confirmedBy }: Word): { by: string; confirmed_by?: string } => ({
  by,
  ...(confirmedBy ? { confirmed_by: confirmedBy } : {}),
});
