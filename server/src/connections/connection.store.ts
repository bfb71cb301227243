import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, query, queryOne } from '../platform/db/query.ts';
import type { StoredPoll } from './poll-state.store.ts';

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
      polled.map(([module, state]) => [
        module,
        { at: state.at ?? null, problem: state.problem ?? null },
      ]),
    ),
  };
}
