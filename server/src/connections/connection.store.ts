import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne } from '../platform/db/query.ts';

export type Connection = {
  id: string;
  grantId: string;
  organizationId: string;
  status: 'active' | 'needs_reconnecting';
  /** Zoho's limit of calls a day, as its last answer said. */
  quotaLimit: number | null;
};

/** The living connection of this transaction's business, or null. */
export async function findConnection(tx: Tx): Promise<Connection | null> {
  const row = await queryOne<{
    id: string;
    grant_id: string;
    organization_id: string;
    status: Connection['status'];
    quota: unknown;
  }>(
    tx,
    "select id, grant_id, organization_id, status, quota from connection where status <> 'ended'",
  );
  return (
    row && {
      id: row.id,
      grantId: row.grant_id,
      organizationId: row.organization_id,
      status: row.status,
      quotaLimit: fromJson<{ limit?: number } | null>(row.quota)?.limit ?? null,
    }
  );
}

/**
 * The organization whose books were connected last, whether or not they still are; null where none
 * ever was.
 */
export const findLastOrganization = async (tx: Tx): Promise<string | null> =>
  (
    await queryOne<{ organization_id: string }>(
      tx,
      'select organization_id from connection order by created_at desc, id desc limit 1',
    )
  )?.organization_id ?? null;

export async function insertConnection(
  tx: Tx,
  businessId: string,
  connection: Omit<Connection, 'status' | 'quotaLimit'>,
  at: Date,
): Promise<void> {
  await query(
    tx,
    "insert into connection (business_id, id, grant_id, organization_id, status, created_at) values ($1, $2, $3, $4, 'active', $5)",
    [businessId, connection.id, connection.grantId, connection.organizationId, at],
  );
}

export const endConnection = (tx: Tx, id: string, at: Date) =>
  query(tx, "update connection set status = 'ended', ended_at = $2 where id = $1", [id, at]);

export const endEveryConnection = (tx: Tx, at: Date) =>
  query(tx, "update connection set status = 'ended', ended_at = $1 where status <> 'ended'", [at]);

export type ConnectionRow = {
  id: string;
  grant_id: string;
  organization_id: string;
  status: 'active' | 'needs_reconnecting' | 'ended';
  created_at: unknown;
  ended_at: unknown;
};

/** Any connection of the business, ended ones too. */
export const findConnectionById = (tx: Tx, id: string) =>
  queryOne<ConnectionRow>(
    tx,
    'select id, grant_id, organization_id, status, created_at, ended_at from connection where id = $1',
    [id],
  );

export type PollState = {
  cursor: Date | null;
  at: Date | null;
  nextAt: Date | null;
  problem: StoredProblem | null;
};
type StoredPoll = {
  cursor?: string | null;
  at?: string | null;
  next_at?: string | null;
  problem?: StoredProblem | null;
};

const toPolled = (stored: StoredPoll | undefined): PollState => ({
  cursor: stored?.cursor ? new Date(stored.cursor) : null,
  at: stored?.at ? new Date(stored.at) : null,
  nextAt: stored?.next_at ? new Date(stored.next_at) : null,
  problem: stored?.problem ?? null,
});

/**
 * Takes the turn to look through one kind of document, if it is due; the next turn is set at once,
 * so that one process has it. Every call to Zoho counts itself on this row: a round passes over a
 * row that is held just then and comes again, but whoever asked for a look waits for it, or would
 * be told that nothing had changed.
 */
export async function claimPoll(
  tx: Tx,
  module: string,
  at: Date,
  nextAt: Date,
  isForced: boolean,
): Promise<PollState | null> {
  const row = await queryOne<{ id: string; polled: unknown }>(
    tx,
    `select id, polled from connection where status = 'active' for update ${isForced ? '' : 'skip locked'}`,
  );
  if (!row) return null;
  const polled = fromJson<Record<string, StoredPoll>>(row.polled);
  const present = toPolled(polled[module]);
  if (!isForced && present.nextAt && present.nextAt > at) return null;
  await query(tx, 'update connection set polled = $2 where id = $1', [
    row.id,
    json({ ...polled, [module]: { ...polled[module], next_at: nextAt.toISOString() } }),
  ]);
  return present;
}

/** What a look through came to; `nextAt` where it is to be sooner than usual. */
export async function endPoll(tx: Tx, module: string, is: PollState): Promise<void> {
  const row = await queryOne<{ id: string; polled: unknown }>(
    tx,
    "select id, polled from connection where status <> 'ended' for update",
  );
  if (!row) return;
  const polled = fromJson<Record<string, StoredPoll>>(row.polled);
  const stored: StoredPoll = {
    ...polled[module],
    cursor: is.cursor?.toISOString() ?? null,
    ...(is.at ? { at: is.at.toISOString() } : {}),
    ...(is.nextAt ? { next_at: is.nextAt.toISOString() } : {}),
    problem: is.problem,
  };
  await query(tx, 'update connection set polled = $2 where id = $1', [
    row.id,
    json({ ...polled, [module]: stored }),
  ]);
}

export const setConnectionStatus = (tx: Tx, id: string, status: 'active' | 'needs_reconnecting') =>
  query(tx, "update connection set status = $2 where id = $1 and status <> 'ended'", [id, status]);

type StoredQuota = { limit: number; left: number; reset_at: string; seen_at: string };

/**
 * What the living connection's calls last said of the quota, and when its documents were last
 * looked through.
 */
export async function readConnectionHealth(tx: Tx): Promise<{
  quota: StoredQuota | null;
  polled: Record<string, { at: string | null; problem: StoredProblem | null }>;
}> {
  const row = await queryOne<{ quota: unknown; polled: unknown }>(
    tx,
    "select quota, polled from connection where status <> 'ended'",
  );
  const polled = Object.entries(
    fromJson<Record<string, StoredPoll> | null>(row?.polled ?? null) ?? {},
  );
  return {
    quota: fromJson<StoredQuota | null>(row?.quota ?? null),
    polled: Object.fromEntries(
      polled.map(([module, is]) => [module, { at: is.at ?? null, problem: is.problem ?? null }]),
    ),
  };
}
