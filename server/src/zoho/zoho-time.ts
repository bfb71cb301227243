/** After it a year has five digits, which no column of ours and no device takes. */
const lastMs = Date.UTC(9999, 11, 31);

/**
 * Zoho writes `2026-11-20T09:30:00+0200`: an offset without a colon, in the organization's zone. An
 * unreadable time is the oldest, and so is one that no clock shows.
 */
export function readTime(text: string): Date {
  const at = Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return new Date(at > 0 && at <= lastMs ? at : 0);
}

/**
 * When a document was made, by our clock. Since when we seal, and when an exemption ended, is
 * written down by our clock: one that is behind Zoho's would let what was made just before pass for
 * made after it, and sealed a second time. Where Zoho's is behind, more is asked about than needs
 * be, which harms nobody. A clock that is set right between the switch and the look is not noticed.
 */
export function madeAt(text: string, aheadMs: number): Date | null {
  if (!text) return null;
  return new Date(Math.max(0, readTime(text).getTime() - aheadMs));
}

/** Whether a text is a day of the calendar, as documents are dated: `2026-11-20`. */
const isDay = (text: string): boolean =>
  /^(?:19|2\d)\d\d-\d\d-\d\d$/.test(text) &&
  new Date(`${text}T00:00:00Z`).toJSON()?.slice(0, 10) === text;

/**
 * The day a text says: itself, or that of a moment in the zone of whoever wrote it. A moment in UTC
 * says the day only at midnight: at any other hour it may be the next day already where the
 * document was made. Null: it says none.
 */
export function dayIn(text: string): string | null {
  const [, day = ''] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](?:00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)|\d\d:\d\d(?::\d\d(?:\.\d+)?)?[+-](?!00:?00)\d\d:?\d\d))?$/.exec(
      text,
    ) ?? [];
  return isDay(day) ? day : null;
}

/** The form the filter takes; whole seconds, never later than asked for. */
export const zohoTime = (at: Date): string => `${at.toISOString().slice(0, 19)}+0000`;
