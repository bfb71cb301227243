import type { Tx } from '../platform/db/database.ts';
import { query, queryOne, toDateOrNull } from '../platform/db/query.ts';

export type Grant = {
  id: string;
  accountsServer: string;
  apiDomain: string;
  clientId: string;
  dataKey: string;
  clientSecret: string;
  refreshToken: string;
  accessToken: string | null;
  accessExpiresAt: Date | null;
  status: 'active' | 'dead';
  /** Who consented; null where a file or the command line brought it. */
  grantedBy: string | null;
  /** What was consented to, as Zoho says it; empty where it did not. */
  scopes: string;
  leaseUntil: Date | null;
  blockedUntil: Date | null;
};

/** The grant, locked for the rest of the transaction (`platform` door). Its secrets are encrypted. */
export async function lockGrant(tx: Tx, id: string): Promise<Grant | null> {
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select id, accounts_server, api_domain, client_id, data_key, client_secret, refresh_token, access_token, access_expires_at, status, granted_by, scopes,
       lease_until, blocked_until from reference."grant" where id = $1 for update`,
    [id],
  );
  return (
    row && {
      id: row.id as string,
      accountsServer: row.accounts_server as string,
      apiDomain: row.api_domain as string,
      clientId: row.client_id as string,
      dataKey: row.data_key as string,
      clientSecret: row.client_secret as string,
      refreshToken: row.refresh_token as string,
      accessToken: row.access_token as string | null,
      accessExpiresAt: toDateOrNull(row.access_expires_at),
      status: row.status as Grant['status'],
      grantedBy: row.granted_by as string | null,
      scopes: row.scopes as string,
      leaseUntil: toDateOrNull(row.lease_until),
      blockedUntil: toDateOrNull(row.blocked_until),
    }
  );
}

export const leaseGrant = (tx: Tx, id: string, holder: string, until: Date) =>
  query(tx, 'update reference."grant" set lease_holder = $2, lease_until = $3 where id = $1', [
    id,
    holder,
    until,
  ]);

export const keepAccessToken = (
  tx: Tx,
  id: string,
  encrypted: string,
  expiresAt: Date,
  apiDomain: string,
) =>
  query(
    tx,
    'update reference."grant" set access_token = $2, access_expires_at = $3, api_domain = $4, lease_until = null, blocked_until = null where id = $1',
    [id, encrypted, expiresAt, apiDomain],
  );

export const dropAccessToken = (tx: Tx, id: string) =>
  query(tx, 'update reference."grant" set access_token = null where id = $1', [id]);

export const blockGrant = (tx: Tx, id: string, until: Date) =>
  query(tx, 'update reference."grant" set blocked_until = $2, lease_until = null where id = $1', [
    id,
    until,
  ]);

export const endGrant = (tx: Tx, id: string) =>
  query(tx, `update reference."grant" set status = 'dead', lease_until = null where id = $1`, [id]);

export const releaseGrant = (tx: Tx, id: string) =>
  query(tx, 'update reference."grant" set lease_until = null where id = $1', [id]);

export async function insertGrant(
  tx: Tx,
  grant: Omit<Grant, 'accessToken' | 'accessExpiresAt' | 'status' | 'leaseUntil' | 'blockedUntil'>,
  at: Date,
): Promise<void> {
  await query(
    tx,
    `insert into reference."grant" (id, accounts_server, api_domain, client_id, data_key, client_secret, refresh_token, granted_by, scopes, status, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'active', $10)`,
    [
      grant.id,
      grant.accountsServer,
      grant.apiDomain,
      grant.clientId,
      grant.dataKey,
      grant.clientSecret,
      grant.refreshToken,
      grant.grantedBy,
      grant.scopes,
      at,
    ],
  );
}

/** What may be shown of a grant: where it holds and whether it lives. */
export const findGrantOf = (tx: Tx, id: string) =>
  queryOne<{
    apiDomain: string;
    status: 'active' | 'dead';
    grantedBy: string | null;
    scopes: string;
    clientId: string;
    accessExpiresAt: unknown;
  }>(
    tx,
    `select api_domain as "apiDomain", status, granted_by as "grantedBy", scopes, client_id as "clientId", access_expires_at as "accessExpiresAt"
       from reference."grant" where id = $1`,
    [id],
  );

/** Whether another business still lives by this grant (`platform` door): yes or no, never whose. */
export async function servesElsewhere(
  tx: Tx,
  grantId: string,
  businessId: string,
): Promise<boolean> {
  return (
    (
      await queryOne<{ yes: boolean }>(tx, 'select public.grant_serves_elsewhere($1, $2) as yes', [
        grantId,
        businessId,
      ])
    )?.yes === true
  );
}

/** Without its data key no secret of the grant opens again. */
export const eraseGrant = (tx: Tx, id: string) =>
  query(
    tx,
    `update reference."grant" set status = 'dead', data_key = '', client_secret = '', refresh_token = '', access_token = null where id = $1`,
    [id],
  );
