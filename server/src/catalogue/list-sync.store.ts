import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate, toDateOrNull } from '../platform/db/query.ts';

/** What a refresh has changed in one list. */
export type ListChange = { list: string; added: number; removed: number; renamed: number };

export type ListSync = {
  begunAt: Date | null;
  /** When every list was last had whole. */
  doneAt: Date | null;
  nextAt: Date;
  /** How many of the lists this round has asked for; null while nothing is under way. */
  step: number | null;
  tries: number;
  problem: StoredProblem | null;
  changes: ListChange[] | null;
};

/** Says whether the device is not retired, and keeps it so until the end of the transaction. */
export const holdAtWork = async (tx: Tx, deviceId: string): Promise<boolean> =>
  (
    await queryOne<{ state: string }>(tx, 'select state from device where id = $1 for key share', [
      deviceId,
    ])
  )?.state !== 'retired';

export const findListSync = async (
  tx: Tx,
  deviceId: string,
  now: Date,
): Promise<ListSync | null> => {
  const row = await queryOne(
    tx,
    'select begun_at, done_at, next_at, claimed_until, step, tries, problem, changes from list_sync where device_id = $1',
    [deviceId],
  );
  if (!row) return null;
  const claimedUntil = toDateOrNull(row.claimed_until);
  return {
    begunAt: toDateOrNull(row.begun_at),
    doneAt: toDateOrNull(row.done_at),
    nextAt: toDate(row.next_at),
    step: claimedUntil && claimedUntil > now ? (row.step as number) : null,
    tries: row.tries as number,
    problem: fromJson(row.problem),
    changes: fromJson(row.changes),
  };
};

/** Lists the devices whose lists are due; one that never had its lists is. */
export const listSyncsDue = async (tx: Tx, now: Date): Promise<string[]> =>
  (
    await query<{ id: string }>(
      tx,
      `select d.id from device d left join list_sync s on s.business_id = d.business_id and s.device_id = d.id
        where d.state in ('active', 'paused') and (s.device_id is null or s.next_at <= $1 and (s.claimed_until is null or s.claimed_until < $1)) order by d.id`,
      [now],
    )
  ).map((row) => row.id);

/**
 * Claims the refresh of a device's lists, once over any number of servers. False while another has
 * it, or if it is not due.
 */
export const claimListSync = async (
  tx: Tx,
  businessId: string,
  deviceId: string,
  claim: { holder: string; now: Date; until: Date; isForced: boolean },
): Promise<boolean> =>
  (
    await query(
      tx,
      `insert into list_sync (business_id, device_id, begun_at, next_at, claimed_by, claimed_until) values ($1, $2, $4, $4, $3, $5)
       on conflict (business_id, device_id) do update set begun_at = excluded.begun_at, claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until, step = 0
        where (list_sync.claimed_until is null or list_sync.claimed_until < $4) and ($6 or list_sync.next_at <= $4) returning 1 as taken`,
      [businessId, deviceId, claim.holder, claim.now, claim.until, claim.isForced],
    )
  ).length > 0;

export const setListStep = (tx: Tx, deviceId: string, holder: string, step: number) =>
  query(tx, 'update list_sync set step = $3 where device_id = $1 and claimed_by = $2', [
    deviceId,
    holder,
    step,
  ]);

export const endListSync = (
  tx: Tx,
  deviceId: string,
  refresh: {
    holder: string;
    at: Date;
    nextAt: Date;
    problem: StoredProblem | null;
    tries: number;
    changes: ListChange[] | null;
  },
) =>
  query(
    tx,
    `update list_sync set claimed_by = null, claimed_until = null, next_at = $3, problem = $4, tries = $5,
       done_at = case when $4::jsonb is null then $6 else done_at end, changes = coalesce($7, changes) where device_id = $1 and claimed_by = $2`,
    [
      deviceId,
      refresh.holder,
      refresh.nextAt,
      json(refresh.problem),
      refresh.tries,
      refresh.at,
      json(refresh.changes),
    ],
  );

export type RateChange = { taxClass: string; before: string; after: string; since: Date };

export const insertRateChange = (
  tx: Tx,
  businessId: string,
  deviceId: string,
  change: RateChange,
) =>
  query(
    tx,
    'insert into rate_change (business_id, device_id, tax_class, since, before_percent, after_percent) values ($1, $2, $3, $4, $5, $6)',
    [businessId, deviceId, change.taxClass, change.since, change.before, change.after],
  );

/** Lists the changes of a device's rates, the latest first. */
export const listRateChanges = async (tx: Tx, deviceId: string): Promise<RateChange[]> =>
  (
    await query(
      tx,
      'select tax_class, since, before_percent, after_percent from rate_change where device_id = $1 order by since desc, tax_class limit 50',
      [deviceId],
    )
  ).map((row) => ({
    taxClass: row.tax_class as string,
    before: row.before_percent as string,
    after: row.after_percent as string,
    since: toDate(row.since),
  }));

/**
 * Has what waits for the device read and computed again before it is sent, because it was computed
 * with the former rates.
 */
export const rereadQueued = (tx: Tx, deviceId: string) =>
  query(tx, "update receipt set read_at = null where device_id = $1 and state = 'queued'", [
    deviceId,
  ]);
