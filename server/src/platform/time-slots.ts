import type { Tx } from './db/database.ts';
import { query } from './db/query.ts';

/**
 * When something happens by the clock: every so many minutes, or once a day of a country after an
 * hour of its own.
 */
export type When = { everyMinutes: number } | { dailyAt: string; timeZone: string };

/**
 * The slot that this moment lies in; null where none has begun: before its hour a day has no slot.
 * Two servers that ask in the same slot get the same name, whatever their clocks differ by within
 * it.
 */
export function slotOf(when: When, at: Date): string | null {
  if ('everyMinutes' in when) {
    const ms = when.everyMinutes * 60_000;
    return new Date(Math.floor(at.getTime() / ms) * ms).toISOString().slice(0, 16);
  }
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: when.timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
  }).format(at);
  const [day, time] = parts.split(' ') as [string, string];
  return time >= when.dailyAt ? day : null;
}

/**
 * Takes a slot for this business; false where another server, or this one before, has it. In the
 * transaction that does the work: what was taken and not done would be nobody's.
 */
export async function takeSlot(
  tx: Tx,
  businessId: string,
  job: string,
  slot: string,
  claim: { at: Date; worker: string },
): Promise<boolean> {
  const rows = await query(
    tx,
    'insert into slot (business_id, job, slot, taken_at, taken_by) values ($1, $2, $3, $4, $5) on conflict do nothing returning 1 as taken',
    [businessId, job, slot, claim.at, claim.worker],
  );
  return rows.length > 0;
}

export const deleteOldSlots = (tx: Tx, before: Date) =>
  query(tx, 'delete from slot where taken_at < $1', [before]);
