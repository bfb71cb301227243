import type { StoredProblem } from '@muhuri/shared/problems';

/** A device and what waits for it. Times in UTC. */
export type Watched = {
  deviceId: string;
  dialect: string;
  branchName: string;
  /**
   * The last answer of any kind; the last one that proves contact with the authority. Null: none
   * known.
   */
  lastContactAt: Date | null;
  lastUpstreamAt: Date | null;
  oldest: { documentNumber: string; since: Date; count: number } | null;
  doubts: { receiptId: string; documentNumber: string; since: Date }[];
  /** What it tells otherwise of the taxpayer than the business does. */
  difference: StoredProblem | null;
  /** How far the device's clock was ahead of ours at its last signature. */
  clockAheadMs: number | null;
};

/** Work of a business that nobody has begun, or that has not come to its end. */
export type Unbegun = {
  /**
   * Documents that should be sealed and were refused, skipped or wait for somebody: the oldest,
   * since when, how many, and why.
   */
  documents: {
    number: string;
    since: Date;
    count: number;
    problem: StoredProblem | null;
    isAutomatic: boolean;
  } | null;
  /** Seals that are not written to their documents in Zoho yet. */
  writes: { documentNumber: string; since: Date; count: number } | null;
};

export type Due = { subject: string; problem: StoredProblem };

const hourMs = 3_600_000;
/**
 * A device signs for so many hours without its authority and then stops. These leave half of them,
 * a quarter and two to act; of a day: twelve, six and two.
 */
const offlineHours = (max: number) => [max / 2, max * 0.75, max - 2];
const unsignedHours = [1, 12, 18, 22] as const;
/** Where people seal by hand, they may do it at the end of their day. */
const byHandHours = [12, 18, 22] as const;
const silentHours = [1, 12, 18, 22] as const;
const clockSlackMs = 10 * 60_000;

/** Codes that this watch raises, and closes when they are over. */
export const watchedCodes = [
  'oldest_unsigned',
  'device_silent',
  'offline_clock',
  'doubt_old',
  'device_clock',
  'taxpayer_name_differs',
  'taxpayer_vat_differs',
  'unsealed_old',
  'write_back_waits',
] as const;

const levelOf = (levels: readonly number[], since: Date, now: Date): number | null =>
  levels.findLast((hours) => now.getTime() - since.getTime() >= hours * hourMs) ?? null;

/**
 * What a business should be told of now. A level that rises is another alert: it is told once more,
 * and the one before it is over. A device that nothing waits for may be switched off over a
 * weekend: it is called silent only while something does.
 */
export function dueOf(watched: Watched, offlineHoursMax: number | null, now: Date): Due[] {
  const { deviceId, branchName, oldest } = watched;
  const due: Due[] = [];
  const say = (subject: string, code: StoredProblem['code'], extra: Omit<StoredProblem, 'code'>) =>
    due.push({ subject, problem: { code, branch: branchName, ...extra } });
  const unsigned = oldest && levelOf(unsignedHours, oldest.since, now);
  if (oldest && unsigned)
    say(deviceId, 'oldest_unsigned', {
      hours: unsigned,
      document_number: oldest.documentNumber,
      since: oldest.since.toISOString(),
      count: oldest.count,
    });
  const silent =
    oldest && watched.lastContactAt ? levelOf(silentHours, watched.lastContactAt, now) : null;
  if (silent && watched.lastContactAt)
    say(deviceId, 'device_silent', { hours: silent, since: watched.lastContactAt.toISOString() });
  due.push(...offlineOf(watched, offlineHoursMax, now));
  for (const doubt of watched.doubts)
    if (now.getTime() - doubt.since.getTime() >= hourMs)
      say(doubt.receiptId, 'doubt_old', {
        document_number: doubt.documentNumber,
        since: doubt.since.toISOString(),
      });
  if (watched.clockAheadMs !== null && Math.abs(watched.clockAheadMs) > clockSlackMs)
    say(deviceId, 'device_clock', { minutes: Math.round(Math.abs(watched.clockAheadMs) / 60_000) });
  if (watched.difference) due.push({ subject: deviceId, problem: watched.difference });
  return due;
}

/** How long a device is without its authority, where it stops for that. */
function offlineOf(
  { deviceId, branchName, lastUpstreamAt }: Watched,
  max: number | null,
  now: Date,
): Due[] {
  const hours = lastUpstreamAt && max && levelOf(offlineHours(max), lastUpstreamAt, now);
  if (!hours) return [];
  const since = lastUpstreamAt.toISOString();
  const left = max - hours;
  const problem = { code: 'offline_clock' as const, branch: branchName, hours, left, since };
  return [{ subject: deviceId, problem }];
}

/**
 * The same of what no device holds: a document that stands in the list *To seal*, and a seal that
 * Zoho does not have.
 */
export function dueOfUnbegun(businessId: string, { documents, writes }: Unbegun, now: Date): Due[] {
  const due: Due[] = [];
  const waits =
    documents && levelOf(documents.isAutomatic ? unsignedHours : byHandHours, documents.since, now);
  if (documents && waits) {
    const { number, since, count, problem } = documents;
    const because = problem?.code ?? 'to_seal';
    due.push({
      subject: businessId,
      problem: {
        code: 'unsealed_old',
        hours: waits,
        document_number: number,
        since: since.toISOString(),
        count,
        because,
      },
    });
  }
  const unwritten = writes && levelOf(unsignedHours, writes.since, now);
  if (writes && unwritten) {
    const { documentNumber, since, count } = writes;
    due.push({
      subject: businessId,
      problem: {
        code: 'write_back_waits',
        hours: unwritten,
        document_number: documentNumber,
        since: since.toISOString(),
        count,
      },
    });
  }
  return due;
}
