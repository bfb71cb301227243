import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';

/**
 * A request as it stands in one business. Those made by one person at the same time share
 * `requestId`.
 */
export type WayBack = {
  id: string;
  requestId: string;
  personId: string;
  membershipId: string;
  address: string | null;
  userAgent: string | null;
  askedAt: Date;
  until: Date;
  /** When every admin had been notified. */
  notifiedAt: Date | null;
  state: 'open' | 'granted' | 'refused' | 'objected';
  decidedAt: Date | null;
};

const columns =
  'id, request_id, person_id, membership_id, address, user_agent, asked_at, until, told_at, state, decided_at';

/** Finds what a person has asked for in this business and nobody has decided. */
export async function findPendingOf(tx: Tx, personId: string, now: Date): Promise<WayBack | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from way_back where person_id = $1 and state = 'open' and until > $2`,
    [personId, now],
  );
  return row && toWayBack(row);
}

/**
 * Ends the pending requests of a person and returns their ids: to make room for another request, or
 * because the person was blocked or has left.
 */
export const endPendingOf = async (
  tx: Tx,
  personId: string,
  because: 'asked_anew' | 'person.blocked' | 'membership.ended',
  at: Date,
): Promise<string[]> =>
  (
    await query<{ id: string }>(
      tx,
      "update way_back set state = 'refused', decided_at = $2, decided_by_type = $3 where person_id = $1 and state = 'open' returning id",
      [personId, at, because],
    )
  ).map((row) => row.id);

/** Inserts a request; null if another one of this person was made at the same moment. */
export async function insertWayBack(
  tx: Tx,
  businessId: string,
  wayBack: Omit<WayBack, 'state' | 'decidedAt' | 'notifiedAt'> & { objectHash: string },
): Promise<WayBack | null> {
  const row = await queryOne(
    tx,
    `insert into way_back (business_id, id, request_id, person_id, membership_id, address, user_agent, object_hash, asked_at, until, state)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'open') on conflict do nothing returning ${columns}`,
    [
      businessId,
      wayBack.id,
      wayBack.requestId,
      wayBack.personId,
      wayBack.membershipId,
      wayBack.address,
      wayBack.userAgent,
      wayBack.objectHash,
      wayBack.askedAt,
      wayBack.until,
    ],
  );
  return row && toWayBack(row);
}

export const setObjection = (tx: Tx, id: string, hash: string) =>
  query(tx, 'update way_back set object_hash = $2 where id = $1', [id, hash]);

export const markNotified = (tx: Tx, id: string, at: Date) =>
  query(tx, 'update way_back set told_at = $2 where id = $1 and told_at is null', [id, at]);

export const listPendingWaysBack = async (tx: Tx, now: Date): Promise<WayBack[]> =>
  (
    await query(
      tx,
      `select ${columns} from way_back where state = 'open' and until > $1 order by asked_at desc limit 100`,
      [now],
    )
  ).map(toWayBack);

export async function findWayBack(tx: Tx, id: string): Promise<WayBack | null> {
  const row = await queryOne(tx, `select ${columns} from way_back where id = $1 for update`, [id]);
  return row && toWayBack(row);
}

export async function findByObjection(tx: Tx, objectHash: string): Promise<WayBack | null> {
  const row = await queryOne(
    tx,
    `select ${columns} from way_back where object_hash = $1 for update`,
    [objectHash],
  );
  return row && toWayBack(row);
}

/** Finds a request in this business, decided or not. */
export async function findOfRequest(tx: Tx, requestId: string): Promise<WayBack | null> {
  const row = await queryOne(tx, `select ${columns} from way_back where request_id = $1`, [
    requestId,
  ]);
  return row && toWayBack(row);
}

export const decideWayBack = (
  tx: Tx,
  id: string,
  state: 'granted' | 'refused' | 'objected',
  actor: { id: string; type: string },
  at: Date,
) =>
  query(
    tx,
    'update way_back set state = $2, decided_by = $3, decided_by_type = $4, decided_at = $5 where id = $1',
    [id, state, actor.id, actor.type, at],
  );

const toWayBack = (row: Record<string, unknown>): WayBack => ({
  id: row.id as string,
  requestId: row.request_id as string,
  personId: row.person_id as string,
  membershipId: row.membership_id as string,
  address: row.address as string | null,
  userAgent: row.user_agent as string | null,
  askedAt: toDate(row.asked_at),
  until: toDate(row.until),
  notifiedAt: toDateOrNull(row.told_at),
  state: row.state as WayBack['state'],
  decidedAt: toDateOrNull(row.decided_at),
});
