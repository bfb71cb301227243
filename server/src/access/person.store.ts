import type { Tx } from '../platform/db/database.ts';
import { query, queryOne } from '../platform/db/query.ts';
import type { Membership, Person, Role } from '../context.ts';

type PersonRow = { id: string; username: string; name: string; password_hash: string; is_operator: boolean };

/** By name, in the reference schema (`platform` door). Names are compared without case. */
export const findPerson = (tx: Tx, username: string) =>
  queryOne<PersonRow>(tx, "select id, username, name, password_hash, is_operator from reference.person where username = lower($1) and status = 'active'", [
    username,
  ]);

export const findPersonById = (tx: Tx, id: string) =>
  queryOne<PersonRow>(tx, "select id, username, name, password_hash, is_operator from reference.person where id = $1 and status = 'active'", [id]);

export type MembershipEntry = { businessId: string; membershipId: string; businessName: string; taxpayerId: string; organizationId: string | null };

/** Where a person works (`platform` door). */
export async function listMemberships(tx: Tx, personId: string): Promise<MembershipEntry[]> {
  const rows = await query<{ business_id: string; membership_id: string; name: string; tin_number: string; organization_id: string | null }>(
    tx,
    `select m.business_id, m.membership_id, d.name, d.tin_number, d.organization_id
       from reference.membership_index m join reference.business_directory d using (business_id)
      where m.person_id = $1 and d.status = 'active' order by d.name`,
    [personId],
  );
  return rows.map((row) => ({
    businessId: row.business_id,
    membershipId: row.membership_id,
    businessName: row.name,
    taxpayerId: row.tin_number,
    organizationId: row.organization_id,
  }));
}

export async function insertPerson(tx: Tx, person: Person & { email: string; passwordHash: string; isOperator: boolean }, at: Date): Promise<void> {
  await query(
    tx,
    "insert into reference.person (id, username, email, name, password_hash, status, is_operator, created_at) values ($1, lower($2), $3, $4, $5, 'active', $6, $7)",
    [person.id, person.username, person.email, person.name, person.passwordHash, person.isOperator, at],
  );
}

/** The active membership, inside its business; null once it has ended. */
export async function findMembership(tx: Tx, id: string): Promise<(Membership & { personId: string }) | null> {
  const row = await queryOne<{ id: string; business_id: string; person_id: string; role: Role; permissions: string[] }>(
    tx,
    "select id, business_id, person_id, role, permissions from membership where id = $1 and status = 'active'",
    [id],
  );
  return row && { id: row.id, businessId: row.business_id, personId: row.person_id, role: row.role, permissions: row.permissions };
}

export async function insertMembership(tx: Tx, membership: Membership & { personId: string }, at: Date): Promise<void> {
  await query(tx, "insert into membership (business_id, id, person_id, role, permissions, status, created_at) values ($1, $2, $3, $4, $5, 'active', $6)", [
    membership.businessId,
    membership.id,
    membership.personId,
    membership.role,
    membership.permissions,
    at,
  ]);
}

export async function insertMembershipIndex(tx: Tx, entry: { personId: string; businessId: string; membershipId: string }): Promise<void> {
  await query(tx, 'insert into reference.membership_index (person_id, business_id, membership_id) values ($1, $2, $3)', [
    entry.personId,
    entry.businessId,
    entry.membershipId,
  ]);
}
