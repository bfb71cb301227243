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

type Ports = { database: Database; clock: Clock; newId: NewId; record: Recorder };
export type FoundMember = { membershipId: string; person: { id: string; name: string } };

/**
 * Zoho's own words for people who do the books; what a business calls its other roles says nothing
 * about invoices.
 */
const usualRoles = ['admin', 'staff'];

/**
 * Which member of the business a Zoho user is: the one this Zoho user was before; else the only one
 * with the same confirmed address; else, where the business lets its Zoho users in and the role
 * there is a usual one, a new member who may read and seal. Never more: an admin at Zoho becomes an
 * admin here only by another admin's hand.
 */
export const memberLookup = (ports: Ports) => {
  const find = async (ctx: Context, user: BooksUser, isAgain = false): Promise<FoundMember> => {
    const { members, mode } = await ctx.transaction(async (tx) => ({
      members: await tx.find(MembershipEntity, {}),
      mode: (await getBusiness(tx)).settings.zoho_sign_in,
    }));
    if (mode === 'off') throw new AppError('zoho_sign_in_off');
    const persons = await ports.database.platform((tx) =>
      listPersons(
        tx,
        members.map((each) => each.personId),
      ),
    );
    const personOf = (member: MembershipEntity) =>
      persons.find((each) => each.id === member.personId);
    const known = members.find((each) => each.zohoUserId === user.id);
    // Whoever was put out of the business here, or kept out by the operator, does not come back by
    // way of Zoho.
    if (known?.status === 'ended') throw new AppError('zoho_user_refused');
    // An address that nobody has confirmed is what somebody typed: it says nothing about who they
    // are.
    const isNamedAlike = (each: MembershipEntity) =>
      user.email !== '' && personOf(each)?.email.toLowerCase() === user.email;
    const isAlike = (each: MembershipEntity) =>
      isNamedAlike(each) && personOf(each)?.isEmailVerified === true;
    const alike = members.filter(
      (each) => each.status === 'active' && each.zohoUserId === null && isAlike(each),
    );
    const [member] = known ? [known] : alike.length === 1 ? alike : [];
    if (member && personOf(member)?.isBlocked) throw new AppError('zoho_user_refused');
    if (!member) {
      // Nor as somebody new, where they were known here by another way in: an address is enough to
      // doubt that.
      if (
        members.some(
          (each) => isNamedAlike(each) && (each.status === 'ended' || personOf(each)?.isBlocked),
        )
      )
        throw new AppError('zoho_user_refused');
      if (mode !== 'users' || !usualRoles.includes(user.role))
        throw new AppError('zoho_user_refused');
      return addMember(ports, ctx, user).catch((error: unknown) => {
        // Two panels of somebody new at the same moment: the other one has made the member.
        if (!isAgain && (error as { code?: string }).code === '23505') return find(ctx, user, true);
        throw error;
      });
    }
    const person = { id: member.personId, name: personOf(member)?.name ?? user.name };
    if (!known)
      await ctx.transaction(async (tx) => {
        const found = await tx.findOneOrFail(
          MembershipEntity,
          { id: member.id },
          { lockMode: LockMode.PESSIMISTIC_WRITE },
        );
        found.zohoUserId = user.id;
        await tx.flush();
        await ports.record(tx, asPerson(ctx, member.id, person), {
          action: 'membership.zoho_user',
          subject: member.id,
          after: { zoho_user_id: user.id },
        });
      });
    return { membershipId: member.id, person };
  };
  return (ctx: Context, user: BooksUser) => find(ctx, user);
};

async function addMember(ports: Ports, ctx: Context, user: BooksUser): Promise<FoundMember> {
  const at = ports.clock.now();
  const name = (user.name || user.email || user.id).replace(/[\p{Cc}\p{Cf}]/gu, '').slice(0, 100);
  const person = { id: ports.newId('person'), name };
  const membershipId = ports.newId('membership');
  // Nobody knows this password: whoever wants one asks for a link by mail.
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

export const asPerson = (
  ctx: Context,
  membershipId: string,
  person: { id: string; name: string },
): Context => ({
  ...ctx,
  actor: { type: 'person', id: person.id, membershipId, name: person.name },
});
