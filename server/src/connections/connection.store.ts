import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';

export type Connection = { id: string; grantId: string; organizationId: string; status: 'active' | 'needs_reconnecting' };

/** The living connection of this transaction's business, or null. */
export async function findConnection(tx: Tx): Promise<Connection | null> {
  const row = await queryOne<{ id: string; grant_id: string; organization_id: string; status: Connection['status'] }>(
    tx,
    "select id, grant_id, organization_id, status from connection where status <> 'ended'",
  );
  return row && { id: row.id, grantId: row.grant_id, organizationId: row.organization_id, status: row.status };
}

export async function insertConnection(tx: Tx, businessId: string, connection: Omit<Connection, 'status'>, at: Date): Promise<void> {
  await query(tx, "insert into connection (business_id, id, grant_id, organization_id, status, created_at) values ($1, $2, $3, $4, 'active', $5)", [
    businessId,
    connection.id,
    connection.grantId,
    connection.organizationId,
    at,
  ]);
}

export const endConnection = (tx: Tx, id: string, at: Date) => query(tx, "update connection set status = 'ended', ended_at = $2 where id = $1", [id, at]);

export const endEveryConnection = (tx: Tx, at: Date) => query(tx, "update connection set status = 'ended', ended_at = $1 where status <> 'ended'", [at]);
