import type { Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';

/** What is unique across businesses, in the reference schema (`platform` door). */
export async function insertDirectoryEntry(
  tx: Tx,
  entry: { businessId: string; name: string; taxpayerId: string; email: string; organizationId: string },
  at: Date,
): Promise<void> {
  await query(
    tx,
    "insert into reference.business_directory (business_id, name, status, tin_number, email, organization_id, created_at) values ($1, $2, 'active', $3, $4, $5, $6)",
    [entry.businessId, entry.name, entry.taxpayerId, entry.email, entry.organizationId, at],
  );
}

/** Ids only: a scheduler reads them here and enters each business by the ordinary door. */
export const listActiveBusinessIds = async (tx: Tx): Promise<string[]> =>
  (await query<{ business_id: string }>(tx, "select business_id from reference.business_directory where status = 'active'")).map((row) => row.business_id);
