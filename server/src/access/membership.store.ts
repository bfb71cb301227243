import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';
import type { Context, Membership, Session } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import { MembershipEntity } from './membership.entity.ts';

/** Returns the status of a person who works for a business, locked; null for an operator. */
export const findMemberStatus = async (
  tx: Tx,
  personId: string,
  businessId: string,
): Promise<'active' | 'blocked' | 'ended' | null> =>
  (
    await queryOne<{ status: 'active' | 'blocked' | 'ended' }>(
      tx,
      `select p.status from reference.person p join reference.membership_index m on m.person_id = p.id
        where p.id = $1 and m.business_id = $2 and not p.is_operator for update of p`,
      [personId, businessId],
    )
  )?.status ?? null;

export type MembershipEntry = {
  businessId: string;
  membershipId: string;
  businessName: string;
  taxpayerId: string;
  organizationId: string | null;
  status: NonNullable<Session['business']>['status'];
};

/** Lists where a person works, without closed businesses (`platform` door). */
export async function listMemberships(tx: Tx, personId: string): Promise<MembershipEntry[]> {
  const rows = await query<Record<string, string>>(
    tx,
    `select m.business_id, m.membership_id, d.name, d.tin_number, d.organization_id, d.status
       from reference.membership_index m join reference.business_directory d using (business_id)
      where m.person_id = $1 and d.status <> 'closed' order by d.name`,
    [personId],
  );
  return rows.map((row) => ({
    businessId: row.business_id as string,
    membershipId: row.membership_id as string,
    businessName: row.name as string,
    taxpayerId: row.tin_number as string,
    organizationId: row.organization_id ?? null,
    status: row.status as MembershipEntry['status'],
  }));
}

/** Lists every membership of a person, in closed businesses too: for what must reach all. */
export async function listEveryMembership(
  tx: Tx,
  personId: string,
): Promise<{ businessId: string; membershipId: string }[]> {
  const rows = await query<Record<string, string>>(
    tx,
    'select business_id, membership_id from reference.membership_index where person_id = $1',
    [personId],
  );
  return rows.map((row) => ({
    businessId: row.business_id as string,
    membershipId: row.membership_id as string,
  }));
}

export async function insertMembershipIndex(
  tx: Tx,
  entry: { personId: string; businessId: string; membershipId: string },
): Promise<boolean> {
  const rows = await query(
    tx,
    'insert into reference.membership_index (person_id, business_id, membership_id) values ($1, $2, $3) on conflict do nothing returning person_id',
    [entry.personId, entry.businessId, entry.membershipId],
  );
  return rows.length > 0;
}

/** Removes a membership that has ended from the index. */
export const endMembershipIndex = (tx: Tx, personId: string, businessId: string) =>
  query(tx, 'delete from reference.membership_index where person_id = $1 and business_id = $2', [
    personId,
    businessId,
  ]);

/** Finds an active membership, inside its business; null once it has ended. */
export async function findMembership(
  tx: Tx,
  id: string,
): Promise<(Membership & { personId: string }) | null> {
  const found = await tx.findOne(MembershipEntity, { id, status: 'active' });
  return (
    found && {
      id: found.id,
      businessId: found.businessId,
      personId: found.personId,
      role: found.role,
      permissions: found.permissions,
    }
  );
}

/**
 * Refuses a member who is no admin any more, under the lock on the business's row. What they began
 * before they were put out must not leave behind what is revoked with them.
 */
export async function mustLead(tx: Tx, { actor }: Pick<Context, 'actor'>): Promise<void> {
  if (
    actor.type === 'person' &&
    (await findMembership(tx, actor.membershipId))?.role !== 'business_admin'
  )
    throw new AppError('not_allowed');
}

export const listMembers = (tx: Tx): Promise<MembershipEntity[]> =>
  tx.find(MembershipEntity, {}, { orderBy: { createdAt: 'asc', id: 'asc' } });

export async function insertMembership(
  tx: Tx,
  membership: Membership & { personId: string },
  at: Date,
): Promise<void> {
  await tx.insert(MembershipEntity, { ...membership, status: 'active', version: 1, createdAt: at });
}
