/** Whose system it is, and what holds for everyone in its country. */
export type Identity = {
  /** The name of the dialect's folder. */
  key: string;
  country: string;
  authority: string;
  timeZone: string;
  currency: string;
  /** Whether a text can be the id of a taxpayer. */
  checkTaxpayerId(id: string): boolean;
};
