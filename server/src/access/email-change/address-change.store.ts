import type { Tx } from '../../platform/db/database.ts';
import { query, queryOne, toDate, toDateOrNull } from '../../platform/db/query.ts';

/** Another address for the only admin of a business, asked for by an operator (`platform` door). */
export type AddressChange = {
  id: string;
  businessId: string;
  personId: string;
  email: string;
  reason: string;
  openedBy: string;
  /** Whether another operator has to decide: there was more than one when it was opened. */
  needsSecond: boolean;
  askedAt: Date;
  /** When everybody who may object had been mailed. */
  notifiedAt: Date | null;
  mailsSent: number;
  lastMailedAt: Date | null;
  state: 'open' | 'applied' | 'objected' | 'ended';
};

const columns =
  'id, business_id, person_id, email, reason, opened_by, needs_second, asked_at, told_at, mails_sent, last_mailed_at, state';

/** Inserts a request; null if one of this person is pending. */
export async function insertAddressChange(
  tx: Tx,
  change: Pick<
    AddressChange,
    'id' | 'businessId' | 'personId' | 'email' | 'reason' | 'openedBy' | 'needsSecond' | 'askedAt'
  > & { objectHash: string },
): Promise<AddressChange | null> {
  const row = await queryOne(
    tx,
    `insert into reference.address_change (id, business_id, person_id, email, reason, opened_by, needs_second, asked_at, object_hash, mails_sent, state)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 'open') on conflict do nothing returning ${columns}`,
    [
      change.id,
      change.businessId,
      change.personId,
      change.email,
      change.reason,
      change.openedBy,
      change.needsSecond,
      change.askedAt,
      change.objectHash,
    ],
  );
  return row && toChange(row);
}

export const listPendingAddressChanges = async (
  tx: Tx,
  businessId: string | null,
): Promise<AddressChange[]> =>
  (
    await query(
      tx,
      `select ${columns} from reference.address_change where state = 'open' and ($1::text is null or business_id = $1) order by asked_at desc`,
      [businessId],
    )
  ).map(toChange);

export const lockAddressChange = async (
  tx: Tx,
  id: string,
  businessId: string,
): Promise<AddressChange | null> => {
  const row = await queryOne(
    tx,
    `select ${columns} from reference.address_change where id = $1 and business_id = $2 for update`,
    [id, businessId],
  );
  return row && toChange(row);
};

export const lockByObjection = async (
  tx: Tx,
  objectHash: string,
): Promise<AddressChange | null> => {
  const row = await queryOne(
    tx,
    `select ${columns} from reference.address_change where object_hash = $1 for update`,
    [objectHash],
  );
  return row && toChange(row);
};

export const endAddressChange = (
  tx: Tx,
  id: string,
  state: 'applied' | 'objected' | 'ended',
  actor: { id: string; type: string },
  at: Date,
) =>
  query(
    tx,
    'update reference.address_change set state = $2, decided_by = $3, decided_by_type = $4, decided_at = $5 where id = $1',
    [id, state, actor.id, actor.type, at],
  );

/** Ends what is pending about a person who is blocked. */
export const endAddressChangesOf = async (
  tx: Tx,
  personId: string,
  actor: { id: string; type: string },
  at: Date,
): Promise<AddressChange[]> =>
  (
    await query(
      tx,
      `update reference.address_change set state = 'ended', decided_by = $2, decided_by_type = $3, decided_at = $4
        where person_id = $1 and state = 'open' returning ${columns}`,
      [personId, actor.id, actor.type, at],
    )
  ).map(toChange);

/** Ends what an operator who is ended has asked for. */
export const endAddressChangesBy = async (
  tx: Tx,
  operatorId: string,
  at: Date,
): Promise<AddressChange[]> =>
  (
    await query(
      tx,
      `update reference.address_change set state = 'ended', decided_by = $1, decided_by_type = 'operator_ended', decided_at = $2
        where opened_by = $1 and state = 'open' returning ${columns}`,
      [operatorId, at],
    )
  ).map(toChange);

export const markMailed = (tx: Tx, id: string, at: Date, isWhole: boolean) =>
  query(
    tx,
    `update reference.address_change set mails_sent = mails_sent + 1, last_mailed_at = $2, told_at = case when $3 then coalesce(told_at, $2) else told_at end
      where id = $1`,
    [id, at, isWhole],
  );

/**
 * Counts the operators, with those ended since a moment: one who was ended to be out of the way
 * counts still.
 */
export const countOperators = async (tx: Tx, endedSince: Date): Promise<number> =>
  (
    await queryOne<{ n: number }>(
      tx,
      `select (select count(*)::int from reference.person where is_operator and status = 'active')
         + (select count(distinct subject)::int from reference.platform_audit where action = 'operator.ended' and at > $1) as n`,
      [endedSince],
    )
  )?.n ?? 0;

/** Returns when an operator was made; null if there is none of that id. */
export const operatorSince = async (tx: Tx, id: string): Promise<Date | null> =>
  toDateOrNull(
    (
      await queryOne(
        tx,
        "select created_at from reference.person where id = $1 and is_operator and status = 'active'",
        [id],
      )
    )?.created_at ?? null,
  );

export const isOperatorsAddress = async (tx: Tx, email: string): Promise<boolean> =>
  (await queryOne(
    tx,
    'select 1 as yes from reference.person where is_operator and lower(email) = lower($1) limit 1',
    [email],
  )) !== null;

const toChange = (row: Record<string, unknown>): AddressChange => ({
  id: row.id as string,
  businessId: row.business_id as string,
  personId: row.person_id as string,
  email: row.email as string,
  reason: row.reason as string,
  openedBy: row.opened_by as string,
  needsSecond: row.needs_second as boolean,
  askedAt: toDate(row.asked_at),
  notifiedAt: toDateOrNull(row.told_at),
  mailsSent: row.mails_sent as number,
  lastMailedAt: toDateOrNull(row.last_mailed_at),
  state: row.state as AddressChange['state'],
});
