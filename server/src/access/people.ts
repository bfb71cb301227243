import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { holdBusiness } from '../businesses/index.ts';
import type { Context, Role } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';
import { withdrawInvitationsOf } from './invitations.ts';
import { endKeysOf, type KeysOfPerson, type notifyOfKeys } from './keys-of-person.ts';
import { MembershipEntity } from './membership.entity.ts';
import { deleteDevicesOf } from './second-factor/second-factor.store.ts';
import { endWaysBackOf } from './account-recovery/ways-back.ts';
import {
  endMembershipIndex,
  findMembership,
  listMembers,
  listMemberships,
  type MembershipEntry,
} from './membership.store.ts';
import { listPersons } from './person.store.ts';

type Ports = {
  database: Database;
  clock: Clock;
  record: Recorder;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  notifyAboutKeys: ReturnType<typeof notifyOfKeys>;
};

export type Member = {
  membership: MembershipEntity;
  username: string;
  name: string;
  email: string;
  hasSecondFactor: boolean;
  isBlocked: boolean;
  lastSignInAt: Date | null;
};

/** Lists who works for the business, with names from the reference schema. */
export const listPeople =
  (ports: Pick<Ports, 'database'>) =>
  async (ctx: Context): Promise<Member[]> =>
    named(ports.database, await ctx.transaction(listMembers));

async function named(database: Database, members: MembershipEntity[]): Promise<Member[]> {
  const persons = await database.platform((tx) =>
    listPersons(
      tx,
      members.map((each) => each.personId),
    ),
  );
  return members.map((membership) => {
    const person = persons.find((each) => each.id === membership.personId);
    return {
      membership,
      username: person?.username ?? '',
      name: person?.name ?? '',
      email: person?.email ?? '',
      hasSecondFactor: person?.hasSecondFactor ?? false,
      isBlocked: person?.isBlocked ?? false,
      lastSignInAt: person?.lastSignInAt ?? null,
    };
  });
}

/** Changes role and permissions, unless somebody else changed them since they were read. */
export const changeMember =
  (ports: Ports) =>
  async (
    ctx: Context,
    id: string,
    change: {
      role: Role;
      permissions: string[];
      version: number;
      keep_api_keys?: string[] | undefined;
    },
  ): Promise<Member> => {
    const { blocked, nameOf } = await readColleagues(ports.database, ctx);
    const { member: changed, keys } = await ctx.transaction(async (tx) => {
      await holdBusiness(tx);
      const member = await getMember(tx, id);
      if (member.version !== change.version) throw new AppError('version_conflict');
      if (member.role === 'business_admin' && change.role !== 'business_admin')
        await refuseLastAdmin(tx, member, blocked);
      const before = { role: member.role, permissions: member.permissions };
      const stepsDown = member.role === 'business_admin' && change.role !== 'business_admin';
      if (stepsDown) await withdrawInvitationsOf(tx, ctx, ports, member.personId);
      const whose = {
        personId: member.personId,
        name: nameOf(member.personId),
        because: 'membership.changed',
      };
      const keys = stepsDown
        ? await endKeysOf(tx, ctx, ports, whose, change.keep_api_keys ?? [])
        : { ended: [], kept: [] };
      member.role = change.role;
      member.permissions = [...new Set(change.permissions)];
      await tx.flush();
      await ports.record(tx, ctx, {
        action: 'membership.changed',
        subject: id,
        before,
        after: { role: change.role, permissions: change.permissions },
      });
      return { member, keys };
    });
    mailAboutKeys(
      ports,
      ctx,
      `${nameOf(changed.personId)} is no longer an admin, and has seen the API keys they made.`,
      keys,
    );
    return (await named(ports.database, [changed]))[0] as Member;
  };

/**
 * Ends a membership with its sessions and with the API keys the member made, but for those that are
 * named. The last admin stays, or nobody could invite another.
 */
export const endMember =
  (ports: Ports) =>
  async (ctx: Context, id: string, keep: string[] = []): Promise<Member> => {
    const { blocked, nameOf } = await readColleagues(ports.database, ctx);
    const { member: ended, keys } = await ctx.transaction(async (tx) => {
      await holdBusiness(tx);
      const member = await getMember(tx, id);
      if (member.role === 'business_admin') await refuseLastAdmin(tx, member, blocked);
      member.status = 'ended';
      member.endedAt = ports.clock.now();
      await tx.flush();
      await query(tx, 'delete from session where membership_id = $1', [id]);
      await withdrawInvitationsOf(tx, ctx, ports, member.personId);
      await endWaysBackOf(tx, ctx, ports, member.personId, 'membership.ended');
      await ports.record(tx, ctx, {
        action: 'membership.ended',
        subject: id,
        before: { person_id: member.personId, role: member.role },
      });
      const whose = {
        personId: member.personId,
        name: nameOf(member.personId),
        because: 'membership.ended',
      };
      return { member, keys: await endKeysOf(tx, ctx, ports, whose, keep) };
    });
    mailAboutKeys(
      ports,
      ctx,
      `${nameOf(ended.personId)} no longer works here, and has seen the API keys they made.`,
      keys,
    );
    // The index only says where memberships are; one that has ended is refused, listed there or
    // not.
    await ports.database.platform(async (tx) => {
      await endMembershipIndex(tx, ended.personId, ctx.businessId);
      // Invited again, or at work elsewhere, the person gives the second factor once more.
      await deleteDevicesOf(tx, ended.personId);
    });
    return (await named(ports.database, [ended]))[0] as Member;
  };

async function getMember(tx: Tx, id: string): Promise<MembershipEntity> {
  const member = await tx.findOne(MembershipEntity, { id });
  if (!member) throw new AppError('not_found');
  if (member.status !== 'active') throw new AppError('wrong_state', { state: member.status });
  return member;
}

/** Mails the business which API keys of a person who has left have ended, and which go on. */
const mailAboutKeys = (
  ports: Ports,
  ctx: Context,
  lead: string,
  { ended, kept }: KeysOfPerson,
): void =>
  ports.notifyAboutKeys(ctx, {
    lead,
    lists: [
      { title: 'These have ended; a program that used one needs a new one:', keys: ended },
      { title: 'These go on, because it was decided so; replace them soon:', keys: kept },
    ],
  });

/**
 * Reads how the members are called, and whom the operator has blocked: an admin who cannot sign in
 * leads nobody.
 */
async function readColleagues(
  database: Database,
  ctx: Context,
): Promise<{ blocked: Set<string>; nameOf(personId: string): string }> {
  const members = await ctx.transaction(listMembers);
  const persons = await database.platform((tx) =>
    listPersons(
      tx,
      members.map((each) => each.personId),
    ),
  );
  return {
    blocked: new Set(persons.filter((each) => each.isBlocked).map((each) => each.id)),
    nameOf: (personId) => persons.find((each) => each.id === personId)?.name ?? '',
  };
}

/**
 * Refuses a change that would leave no admin. All admins are locked, so that two who remove each
 * other at once cannot both succeed.
 */
async function refuseLastAdmin(
  tx: Tx,
  member: MembershipEntity,
  blocked: Set<string>,
): Promise<void> {
  const admins = await query<{ id: string; person_id: string }>(
    tx,
    "select id, person_id from membership where role = 'business_admin' and status = 'active' for update",
    [],
  );
  if (!admins.some((each) => each.id !== member.id && !blocked.has(each.person_id)))
    throw new AppError('last_admin');
}

/** Lists the businesses in which this person is `business_admin`, each asked by its own door. */
export const listAdministered =
  (ports: Pick<Ports, 'database'>) =>
  async (personId: string): Promise<MembershipEntry[]> => {
    const found: MembershipEntry[] = [];
    for (const each of await ports.database.platform((tx) => listMemberships(tx, personId)))
      if (
        (
          await ports.database.transaction(each.businessId, (tx) =>
            findMembership(tx, each.membershipId),
          )
        )?.role === 'business_admin'
      )
        found.push(each);
    return found;
  };
