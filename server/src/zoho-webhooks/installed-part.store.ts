import type { Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';

/** Something Muhuri made in the organization's settings at Zoho. */
export type InstalledPart = {
  kind: 'field' | 'webhook' | 'workflow';
  name: string;
  organizationId: string;
  zohoId: string;
  apiName: string | null;
};

export const listParts = async (tx: Tx): Promise<InstalledPart[]> =>
  (
    await query(
      tx,
      'select kind, name, organization_id, zoho_id, api_name from installed_part order by kind, name',
    )
  ).map((row) => ({
    kind: row.kind as InstalledPart['kind'],
    name: row.name as string,
    organizationId: row.organization_id as string,
    zohoId: row.zoho_id as string,
    apiName: row.api_name as string | null,
  }));

export const keepPart = (tx: Tx, businessId: string, part: InstalledPart, at: Date) =>
  query(
    tx,
    `insert into installed_part (business_id, kind, name, organization_id, zoho_id, api_name, created_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (business_id, kind, name) do update set organization_id = excluded.organization_id, zoho_id = excluded.zoho_id,
       api_name = excluded.api_name, created_at = excluded.created_at`,
    [businessId, part.kind, part.name, part.organizationId, part.zohoId, part.apiName, at],
  );

export const dropPart = (tx: Tx, kind: InstalledPart['kind'], name: string) =>
  query(tx, 'delete from installed_part where kind = $1 and name = $2', [kind, name]);
