const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** `yyyyMMddHHmmss` in the country's zone. */
export function stamp14(at: Date, timeZone: string): string {
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(at)
      .map((part) => [part.type, part.value]),
  );
  return `${parts.year}${parts.month}${parts.day}${parts.hour}${parts.minute}${parts.second}`;
}

/** `yyyyMMdd` of a day without a zone. */
export const stamp8 = (day: string): string => day.replaceAll('-', '');

/** The day it is there: `2026-11-20`. */
export function dayIn(at: Date, timeZone: string): string {
  const stamp = stamp14(at, timeZone);
  return `${stamp.slice(0, 4)}-${stamp.slice(4, 6)}-${stamp.slice(6, 8)}`;
}

/** The moment that `yyyyMMddHHmmss` names in the country's zone, or null where it names none. */
export function momentOf(stamp: string, timeZone: string): Date | null {
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})$/.exec(stamp);
  if (!match) return null;
  const [, year, month, day, hour, minute, second] = match;
  const asUtc = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(asUtc)) return null;
  // The zone's offset at that moment: how its clock reads when UTC shows these digits.
  const shown = stamp14(new Date(asUtc), timeZone);
  const shownUtc = Date.parse(
    `${shown.slice(0, 4)}-${shown.slice(4, 6)}-${shown.slice(6, 8)}T${shown.slice(8, 10)}:${shown.slice(10, 12)}:${shown.slice(12, 14)}Z`,
  );
  return new Date(asUtc - (shownUtc - asUtc));
}
