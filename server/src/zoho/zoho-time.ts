/** After it a year has five digits, which no column of ours and no device takes. */
const lastMs = Date.UTC(9999, 11, 31);

/**
 * Zoho writes `2026-11-20T09:30:00+0200`: an offset without a colon, in the organization's zone. An unreadable time is the oldest, and so is one that
 * no clock shows.
 */
export function readTime(text: string): Date {
  const at = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return new Date(at > 0 && at <= lastMs ? at : 0);
}

/** Whether a text is a day of the calendar, as documents are dated: `2026-11-20`. */
export const isDay = (text: string): boolean => /^(?:19|2\d)\d\d-\d\d-\d\d$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;

/** The form the filter takes; whole seconds, never later than asked for. */
export const zohoTime = (at: Date): string => `${at.toISOString().slice(0, 19)}+0000`;
