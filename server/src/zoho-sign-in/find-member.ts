import { LockMode } from '@mikro-orm/core';
import { randomBytes } from 'node:crypto';
import {
  hashPassword,
  insertMembershipIndex,
  insertPerson,
  listPersons,
  MembershipEntity,
} from '../access/index.ts';
import type { Recorder } from '../audit/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { BooksUser } from '../ports/books-people.ts';
import { type Candidate, matchMember } from './match-member.model.ts';

type Ports = { database: Database; clock: Clock; newId: NewId; record: Recorder };
export type FoundMember = { membershipId: string; person: { id: string; name: string } };

/**
 * Finds which member of the business a Zoho user is (see `matchMember`), and makes one of somebody
 * new, who may read and have documents signed. Never more: an admin at Zoho becomes an admin here
 * only by another admin's hand.
 */
export const memberLookup =
  (ports: Ports) =>
  async (ctx: Context, user: BooksUser): Promise<FoundMember> => {
    const found = await findExisting(ports, ctx, user);
    if (found) return found;
    return addMember(ports, ctx, user).catch(async (error: unknown) => {
      // Two panels of somebody new at the same moment: the other one has made the member.
      if ((error as { code?: string }).code !== '23505') throw error;
      return (await findExisting(ports, ctx, user)) ?? addMember(ports, ctx, user);
    });
  };

/** Finds the member a Zoho user is; null if they become a new one. Throws if they may not. */
async function findExisting(
  ports: Ports,
  ctx: Context,
  user: BooksUser,
): Promise<FoundMember | null> {
  const { members, mode } = await ctx.transaction(async (tx) => ({
    members: await tx.find(MembershipEntity, {}),
    mode: (await getBusiness(tx)).settings.zoho_sign_in,
  }));
  if (mode === 'off') throw new AppError('zoho_sign_in_off');
  const ids = members.map((each) => each.personId);
  const persons = await ports.database.platform((tx) => listPersons(tx, ids));
  const candidates = members.map((each) => toCandidate(each, persons));
  const match = matchMember(user, candidates, mode);
  if (match.is === 'refused') throw new AppError('zoho_user_refused');
  const member =
    match.is === 'new' ? undefined : members.find((each) => each.id === match.membershipId);
  if (!member) return null;
  const name = persons.find((each) => each.id === member.personId)?.name ?? user.name;
  const found = { membershipId: member.id, person: { id: member.personId, name } };
  if (match.is === 'alike') await keepZohoUserOf(ports, ctx, found, user.id);
  return found;
}

function toCandidate(
  member: MembershipEntity,
  persons: Awaited<ReturnType<typeof listPersons>>,
): Candidate {
  const person = persons.find((each) => each.id === member.personId);
  return {
    membershipId: member.id,
    status: member.status,
    zohoUserId: member.zohoUserId ?? null,
    email: person?.email ?? null,
    isEmailVerified: person?.isEmailVerified === true,
    isBlocked: person?.isBlocked === true,
  };
}

/** Notes which Zoho user a member is, who is found by it from then on. */
const keepZohoUserOf = (
  ports: Ports,
  ctx: Context,
  { membershipId, person }: FoundMember,
  zohoUserId: string,
): Promise<void> =>
  ctx.transaction(async (tx) => {
    const found = await tx.findOneOrFail(
      MembershipEntity,
      { id: membershipId },
      { lockMode: LockMode.PESSIMISTIC_WRITE },
    );
    found.zohoUserId = zohoUserId;
    await tx.flush();
    await ports.record(tx, asPerson(ctx, membershipId, person), {
      action: 'membership.zoho_user',
      subject: membershipId,
      after: { zoho_user_id: zohoUserId },
    });
  });

/** Makes a new member, with an account of their own. */
async function addMember(ports: Ports, ctx: Context, user: BooksUser): Promise<FoundMember> {
  const at = ports.clock.now();
  const name = (user.name || user.email || user.id).replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, 100);
  const person = { id: ports.newId('person'), name };
  const membershipId = ports.newId('membership');
  // Nobody knows this password; a person who wants one asks for a link by mail.
  const passwordHash = await hashPassword(randomBytes(32).toString('base64url'));
  const { businessId } = ctx;
  await ports.database.registration(async (tx, enter, leave) => {
    await insertPerson(
      tx,
      {
        id: person.id,
        username: `zoho-${user.id}-${person.id.slice(-6)}`,
        name: person.name,
        email: user.email,
        passwordHash,
        isOperator: false,
        isEmailVerified: false,
      },
      at,
    );
    await enter(businessId);
    tx.create(MembershipEntity, {
      businessId,
      id: membershipId,
      personId: person.id,
      role: 'business_user',
      permissions: [],
      status: 'active',
      version: 1,
      createdAt: at,
      endedAt: null,
      zohoUserId: user.id,
    });
    await tx.flush();
    await ports.record(tx, asPerson(ctx, membershipId, person), {
      action: 'membership.by_zoho',
      subject: membershipId,
      after: {
        person_id: person.id,
        role: 'business_user',
        zoho_user_id: user.id,
        zoho_role: user.role,
      },
    });
    await leave();
    await insertMembershipIndex(tx, { personId: person.id, businessId, membershipId });
  });
  return { membershipId, person };
}

/** Lets the member act in the context. */
export const asPerson = (
  ctx: Context,
  membershipId: string,
  person: { id: string; name: string },
): Context => ({
  ...ctx,
  actor: { type: 'person', id: person.id, membershipId, name: person.name },
});
