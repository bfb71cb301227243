import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';

/**
 * What makes a session renewable: its token lives shortly, and refresh tokens renew it, each once.
 * `family` names all of them.
 */
export type Renewal = {
  family: string;
  refreshHash: string;
  expiresAt: Date;
  renewUntil: Date;
  zohoUserId: string;
};

export type RenewableSession = {
  id: string;
  membershipId: string;
  zohoUserId: string;
  refreshHash: string;
  previousHash: string | null;
  renewUntil: Date;
  createdAt: Date;
  checkedAt: Date;
  renewedAt: Date | null;
};

/** Locks the session of a family of refresh tokens for the rest of the transaction. */
export async function lockFamily(tx: Tx, family: string): Promise<RenewableSession | null> {
  const row = await queryOne<Record<string, unknown>>(
    tx,
    `select s.id, s.membership_id, s.zoho_user_id, s.refresh_hash, s.previous_hash, s.renew_until, s.created_at, s.zoho_checked_at, s.renewed_at
       from session s join membership m on m.business_id = s.business_id and m.id = s.membership_id and m.status = 'active'
      where s.family = $1 for update of s`,
    [family],
  );
  return (
    row && {
      id: row.id as string,
      membershipId: row.membership_id as string,
      zohoUserId: row.zoho_user_id as string,
      refreshHash: row.refresh_hash as string,
      previousHash: row.previous_hash as string | null,
      renewUntil: toDate(row.renew_until),
      createdAt: toDate(row.created_at),
      checkedAt: toDate(row.zoho_checked_at),
      renewedAt: toDateOrNull(row.renewed_at),
    }
  );
}

/**
 * Gives the family a new token and a new refresh token. The one just used stays known, in case its
 * answer was lost.
 */
export const renewFamily = (
  tx: Tx,
  family: string,
  next: {
    id: string;
    refreshHash: string;
    previousHash: string;
    expiresAt: Date;
    renewUntil: Date;
    checkedAt: Date;
    at: Date;
  },
) =>
  query(
    tx,
    `update session set id = $2, refresh_hash = $3, previous_hash = $4, expires_at = $5, renew_until = $6, zoho_checked_at = $7, last_seen_at = $8, renewed_at = $8
      where family = $1`,
    [
      family,
      next.id,
      next.refreshHash,
      next.previousHash,
      next.expiresAt,
      next.renewUntil,
      next.checkedAt,
      next.at,
    ],
  );

export const deleteFamily = (tx: Tx, family: string) =>
  query(tx, 'delete from session where family = $1', [family]);

/** Deletes every session of a Zoho user who may not come in any more. */
export const deleteSessionsOfZohoUser = (tx: Tx, zohoUserId: string) =>
  query(tx, 'delete from session where zoho_user_id = $1', [zohoUserId]);
