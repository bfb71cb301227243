import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate } from '../platform/db/query.ts';
import type { BooksUser } from '../ports/books-people.ts';

/**
 * A panel that waits for somebody to approve, and how far that has come (`platform` door).
 * `waiting` for its code to be typed, `approving` at Zoho, `asked` whether the person opened the
 * panel, `approved` until the panel fetches its session, `used`; or `refused`.
 */
export type Pairing = {
  id: string;
  organizationId: string;
  /**
   * Null if the organization belongs to no business. Whose it is is told to nobody before they have
   * shown that they belong to it.
   */
  businessId: string | null;
  pollHash: string;
  pollTries: number;
  state: 'waiting' | 'approving' | 'asked' | 'approved' | 'refused' | 'used';
  /** The problem's code, if it was refused. */
  refusal: string | null;
  panelAddress: string;
  panelAgent: string | null;
  createdAt: Date;
  expiresAt: Date;
  browserHash: string | null;
  accountsServer: string | null;
  approvalAddress: string | null;
  zohoUser: BooksUser | null;
  membershipId: string | null;
};

const columns = `id, organization_id, business_id, poll_hash, poll_tries, state, refusal, panel_address, panel_agent, created_at, expires_at, browser_hash,
  accounts_server, approval_address, zoho_user, membership_id`;

export const insertPairing = (
  tx: Tx,
  pairing: Pick<
    Pairing,
    'id' | 'organizationId' | 'pollHash' | 'panelAddress' | 'panelAgent' | 'createdAt' | 'expiresAt'
  > & { codeHash: string },
) =>
  query(
    tx,
    `insert into reference.pairing (id, organization_id, business_id, poll_hash, code_hash, state, panel_address, panel_agent, created_at, expires_at)
     values ($1, $2, (select business_id from reference.business_directory where organization_id = $2 and status <> 'closed'), $3, $4, 'waiting', $5, $6, $7, $8)`,
    [
      pairing.id,
      pairing.organizationId,
      pairing.pollHash,
      pairing.codeHash,
      pairing.panelAddress,
      pairing.panelAgent,
      pairing.createdAt,
      pairing.expiresAt,
    ],
  );

/**
 * Counts the panels of one address that wait. Those that have ended do not count, so that an office
 * behind one address can go on.
 */
export const countPairings = async (tx: Tx, panelAddress: string, at: Date): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      "select count(*)::int as n from reference.pairing where panel_address = $1 and expires_at > $2 and state not in ('used', 'refused')",
      [panelAddress, at],
    )
  )?.n ?? 0;

export const lockPairing = async (tx: Tx, id: string): Promise<Pairing | null> =>
  toPairing(
    await queryOne(tx, `select ${columns} from reference.pairing where id = $1 for update`, [id]),
  );

/**
 * Claims the pairing of a code. A code holds once: the pairing goes to the browser it is typed in
 * first, under a state and a secret of that browser.
 */
export const claimByCode = async (
  tx: Tx,
  codeHash: string,
  claim: { stateHash: string; browserHash: string; address: string; expiresAt: Date },
  at: Date,
): Promise<Pairing | null> =>
  toPairing(
    await queryOne(
      tx,
      `update reference.pairing set state = 'approving', state_hash = $2, browser_hash = $3, approval_address = $4, expires_at = $5
        where code_hash = $1 and state = 'waiting' and expires_at > $6 returning ${columns}`,
      [codeHash, claim.stateHash, claim.browserHash, claim.address, claim.expiresAt, at],
    ),
  );

export const setAccountsServer = (tx: Tx, id: string, accountsServer: string) =>
  query(tx, 'update reference.pairing set accounts_server = $2 where id = $1', [
    id,
    accountsServer,
  ]);

/**
 * Claims the pairing that a browser is back from Zoho for. Its state works once, and only in the
 * browser that began.
 */
export const claimByState = async (
  tx: Tx,
  stateHash: string,
  browserHash: string,
  at: Date,
): Promise<Pairing | null> =>
  toPairing(
    await queryOne(
      tx,
      `update reference.pairing set state_hash = null where state_hash = $1 and browser_hash = $2 and state = 'approving' and expires_at > $3 returning ${columns}`,
      [stateHash, browserHash, at],
    ),
  );

export const keepZohoUser = (tx: Tx, id: string, zohoUser: BooksUser, expiresAt: Date) =>
  query(
    tx,
    "update reference.pairing set state = 'asked', zoho_user = $2, expires_at = $3 where id = $1",
    [id, json(zohoUser), expiresAt],
  );

/** Decides the pairing whose question this browser answers, once. */
export const decidePairing = async (
  tx: Tx,
  browserHash: string,
  state: 'approved' | 'refused',
  at: Date,
): Promise<Pairing | null> =>
  toPairing(
    await queryOne(
      tx,
      `update reference.pairing set state = $2 where browser_hash = $1 and state = 'asked' and expires_at > $3 returning ${columns}`,
      [browserHash, state, at],
    ),
  );

export const keepMembership = (tx: Tx, id: string, membershipId: string, expiresAt: Date) =>
  query(tx, 'update reference.pairing set membership_id = $2, expires_at = $3 where id = $1', [
    id,
    membershipId,
    expiresAt,
  ]);

export const setPairingState = (
  tx: Tx,
  id: string,
  state: Pairing['state'],
  refusal: string | null = null,
) =>
  query(
    tx,
    'update reference.pairing set state = $2, refusal = coalesce($3, refusal) where id = $1',
    [id, state, refusal],
  );

export const countPollTry = (tx: Tx, id: string) =>
  query(tx, 'update reference.pairing set poll_tries = poll_tries + 1 where id = $1', [id]);

export const deleteOldPairings = (tx: Tx, before: Date) =>
  query(tx, 'delete from reference.pairing where expires_at < $1', [before]);

const toPairing = (row: Record<string, unknown> | null): Pairing | null =>
  row && {
    id: row.id as string,
    organizationId: row.organization_id as string,
    businessId: row.business_id as string | null,
    pollHash: row.poll_hash as string,
    pollTries: Number(row.poll_tries),
    state: row.state as Pairing['state'],
    refusal: row.refusal as string | null,
    panelAddress: row.panel_address as string,
    panelAgent: row.panel_agent as string | null,
    createdAt: toDate(row.created_at),
    expiresAt: toDate(row.expires_at),
    browserHash: row.browser_hash as string | null,
    accountsServer: row.accounts_server as string | null,
    approvalAddress: row.approval_address as string | null,
    zohoUser: fromJson<BooksUser | null>(row.zoho_user),
    membershipId: row.membership_id as string | null,
  };
