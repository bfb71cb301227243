/** Zoho writes `2026-11-20T09:30:00+0200`: an offset without a colon, in the organization's zone. An unreadable time is the oldest. */
export function readTime(text: string): Date {
  const at = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return new Date(Number.isNaN(at) ? 0 : at);
}

/** The form the filter takes; whole seconds, never later than asked for. */
export const zohoTime = (at: Date): string => `${at.toISOString().slice(0, 19)}+0000`;
