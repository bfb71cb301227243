import type { Calendar } from '../ports/calendar.ts';

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

const quarterMs = 900_000;
const offsets = new Map<string, number>();
const offsetsMax = 1_000;

/**
 * How far the zone's clock is ahead of UTC. Asked once a quarter of an hour: zones change on those,
 * and asking costs more than all else here.
 */
function offsetMs(at: Date, timeZone: string): number {
  const quarter = Math.floor(at.getTime() / quarterMs);
  const key = `${quarter} ${timeZone}`;
  const known = offsets.get(key);
  if (known !== undefined) return known;
  const begin = new Date(quarter * quarterMs);
  const { year, month, day, hour, minute, second } = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(begin)
      .map((part) => [part.type, part.value]),
  );
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) - begin.getTime();
  if (offsets.size >= offsetsMax) offsets.clear();
  offsets.set(key, ms);
  return ms;
}

/** `yyyyMMddHHmmss` in the country's zone. */
export const stamp14 = (at: Date, timeZone: string): string =>
  new Date(at.getTime() + offsetMs(at, timeZone)).toISOString().slice(0, 19).replace(/\D/g, '');

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
  // The language takes the 30th of February for the 2nd of March.
  if (
    Number.isNaN(asUtc) ||
    new Date(asUtc).toISOString().slice(0, 19).replace(/\D/g, '') !== stamp
  )
    return null;
  return new Date(asUtc - offsetMs(new Date(asUtc), timeZone));
}

/** The day and the time it is there, as people write them: `20/11/2026` and `10:15:30`. */
export function localTime(at: Date, timeZone: string): { date: string; time: string } {
  const stamp = stamp14(at, timeZone);
  return {
    date: `${stamp.slice(6, 8)}/${stamp.slice(4, 6)}/${stamp.slice(0, 4)}`,
    time: `${stamp.slice(8, 10)}:${stamp.slice(10, 12)}:${stamp.slice(12, 14)}`,
  };
}

/** Days and times, for chapters that know no dialect. */
export const calendar: Calendar = { dayIn, localTime };
