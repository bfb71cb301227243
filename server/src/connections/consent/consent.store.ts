import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';

/** A consent asked for at Zoho, and the grant it became. Its secrets are encrypted. */
export type Consent = {
  id: string;
  personId: string;
  sessionId: string;
  accountsServer: string;
  clientId: string;
  clientSecret: string;
  verifier: string;
  scopes: string;
  expiresAt: Date;
  usedAt: Date | null;
  grantId: string | null;
};

export const insertConsent = (
  tx: Tx,
  businessId: string,
  consent: Omit<Consent, 'usedAt' | 'grantId'> & { secretHash: string },
  at: Date,
) =>
  query(
    tx,
    `insert into consent (business_id, id, secret_hash, person_id, session_id, accounts_server, client_id, client_secret, verifier, scopes, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      businessId,
      consent.id,
      consent.secretHash,
      consent.personId,
      consent.sessionId,
      consent.accountsServer,
      consent.clientId,
      consent.clientSecret,
      consent.verifier,
      consent.scopes,
      at,
      consent.expiresAt,
    ],
  );

const columns =
  'id, person_id, session_id, accounts_server, client_id, client_secret, verifier, scopes, expires_at, used_at, grant_id';

/** Consumes a consent by its state: in time and by the session that began it, else null. */
export async function consumeConsent(
  tx: Tx,
  secretHash: string,
  sessionId: string,
  at: Date,
): Promise<Consent | null> {
  const row = await queryOne(
    tx,
    `update consent set used_at = $3 where secret_hash = $1 and session_id = $2 and used_at is null and expires_at > $3 returning ${columns}`,
    [secretHash, sessionId, at],
  );
  return row && toConsent(row);
}

export const keepConsentGrant = (tx: Tx, id: string, grantId: string) =>
  query(tx, 'update consent set grant_id = $2 where id = $1', [id, grantId]);

/** Finds a consent of this person that became a grant. */
export async function findConsent(tx: Tx, id: string, personId: string): Promise<Consent | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from consent where id = $1 and person_id = $2 and grant_id is not null`,
    [id, personId],
  );
  return row && toConsent(row);
}

export async function findConsentOfGrant(
  tx: Tx,
  grantId: string,
  personId: string,
): Promise<Consent | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from consent where grant_id = $1 and person_id = $2`,
    [grantId, personId],
  );
  return row && toConsent(row);
}

/** Says whether a grant came by a consent, and not by a code of the API console. */
export const isConsentGrant = async (tx: Tx, grantId: string): Promise<boolean> =>
  (await queryOne(tx, 'select 1 as yes from consent where grant_id = $1 limit 1', [grantId])) !==
  null;

const toConsent = (row: Record<string, unknown>): Consent => ({
  id: row.id as string,
  personId: row.person_id as string,
  sessionId: row.session_id as string,
  accountsServer: row.accounts_server as string,
  clientId: row.client_id as string,
  clientSecret: row.client_secret as string,
  verifier: row.verifier as string,
  scopes: row.scopes as string,
  expiresAt: toDate(row.expires_at),
  usedAt: toDateOrNull(row.used_at),
  grantId: row.grant_id as string | null,
});
