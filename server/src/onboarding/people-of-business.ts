import {
  blockPerson,
  deleteSessionsOf,
  endWaysBackOf,
  revokePending,
  findMemberStatus,
  listEveryMembership,
  listPeople,
  listKeysMadeBy,
  listPersons,
  suspendKeysOf,
  type notifyOfKeys,
  unblockPerson,
  withdrawInvitationsOf,
} from '../access/index.ts';
import type { Alerts } from '../alerts/index.ts';
import type { OperatorLogRecorder, Recorder } from '../audit/index.ts';
import { findDirectoryEntry } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';

type Ports = {
  database: Database;
  record: Recorder;
  recordPlatform: OperatorLogRecorder;
  clock: Clock;
  sendMail: SendMail;
  log: Log;
  background(work: Promise<unknown>): void;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  tellOfKeys: ReturnType<typeof notifyOfKeys>;
};
export type PersonOfBusiness = {
  personId: string;
  name: string;
  role: 'business_admin' | 'business_user';
  status: 'active' | 'ended' | 'blocked';
  lastSignInAt: Date | null;
  /** How many API keys in force they have made: they end or stand still with them. */
  apiKeys: number;
};

const by = (ctx: Context) => ({
  type: ctx.actor.type,
  id: ctx.actor.id,
  origin: ctx.origin,
  requestId: ctx.requestId,
});

/**
 * Who works for a business, as far as an operator needs to know. That they looked stands in the
 * business's log and in the platform's.
 */
export const listPeopleForOperator =
  (ports: Pick<Ports, 'database' | 'record' | 'recordPlatform' | 'clock'>) =>
  async (ctx: Context): Promise<PersonOfBusiness[]> => {
    const { database } = ports;
    await database.platform(async (tx) => {
      if (!(await findDirectoryEntry(tx, ctx.businessId))) throw new AppError('not_found');
      await ports.recordPlatform(tx, by(ctx), { action: 'people.listed', subject: ctx.businessId });
    });
    await ctx.transaction((tx) =>
      ports.record(tx, ctx, { action: 'people.listed', subject: ctx.businessId }),
    );
    const people = await listPeople(ports)(ctx);
    const keys = await ctx.transaction(async (tx) => {
      const counted = new Map<string, number>();
      for (const { membership } of people)
        counted.set(
          membership.personId,
          (await listKeysMadeBy(tx, membership.personId, ports.clock.now())).length,
        );
      return counted;
    });
    return people.map(({ membership, name, isBlocked, lastSignInAt }) => ({
      personId: membership.personId,
      name,
      role: membership.role,
      status: membership.status === 'ended' ? 'ended' : isBlocked ? 'blocked' : 'active',
      lastSignInAt,
      apiKeys: keys.get(membership.personId) ?? 0,
    }));
  };

/**
 * Keeps a person out of everything, with every session and whatever else they have standing, or
 * lets them in again; each of their businesses can read that.
 */
export const setBlocked =
  (ports: Ports) =>
  async (
    ctx: Context,
    ask: { person_id: string; reason: string },
    isBlocked: boolean,
  ): Promise<void> => {
    const { database } = ports;
    const action = isBlocked ? 'person.blocked' : 'person.unblocked';
    // In one transaction, whatever becomes of the server: they are kept out of every business with
    // all that stands there, or nothing is done.
    const { name, told } = await database.registration(async (tx, enter, leave) => {
      const before = await findMemberStatus(tx, ask.person_id, ctx.businessId);
      if (!before) throw new AppError('not_found');
      if (before !== (isBlocked ? 'active' : 'blocked'))
        throw new AppError('wrong_state', { state: before });
      await (isBlocked
        ? blockPerson(tx, ask.person_id, ctx.actor, ports.clock.now())
        : unblockPerson(tx, ask.person_id));
      const addresses = isBlocked
        ? await revokePending(tx, ask.person_id, ctx.actor, ports.clock.now())
        : [];
      await ports.recordPlatform(tx, by(ctx), {
        action,
        subject: ask.person_id,
        after: { business_id: ctx.businessId, reason: ask.reason },
      });
      const [person] = await listPersons(tx, [ask.person_id]);
      const is = { personId: ask.person_id, name: person?.name ?? '' };
      const walked = [];
      for (const { businessId, membershipId } of await listEveryMembership(tx, ask.person_id)) {
        const there: Context = {
          ...ctx,
          businessId,
          transaction: (work) => database.transaction(businessId, work),
          registration: (work) =>
            database.registration((inner, into) => work(inner, () => into(businessId))),
        };
        await enter(businessId);
        if (isBlocked) {
          await deleteSessionsOf(tx, membershipId, null);
          await withdrawInvitationsOf(tx, there, ports, ask.person_id);
          await endWaysBackOf(tx, there, ports, ask.person_id, 'person.blocked');
        }
        await ports.record(tx, there, {
          action,
          subject: membershipId,
          after: { person_id: ask.person_id, reason: ask.reason },
        });
        for (const { personId, email } of addresses)
          await ports.record(tx, there, {
            action: 'address_change.ended',
            subject: membershipId,
            after: { person_id: personId, email, because: action },
          });
        walked.push({ there, keys: await suspendKeysOf(tx, there, ports, is, isBlocked) });
        await leave();
      }
      return { name: is.name, told: walked };
    });
    ports.background(
      tell(ports, ask, isBlocked).catch((error: Error) =>
        ports.log.warn(
          { error: error.message },
          'a person could not be told that they are kept out or let in',
        ),
      ),
    );
    for (const { there, keys } of told)
      ports.tellOfKeys(there, {
        lead: `An operator of the platform ${isBlocked ? 'keeps' : 'no longer keeps'} ${name} out. The reason: ${ask.reason}`,
        keys: [
          {
            title: isBlocked
              ? 'Meanwhile these API keys that they made open nothing. A program that needs one goes on with a new key:'
              : 'These API keys that they made work again; revoke what was replaced:',
            of: keys,
          },
        ],
      });
  };

/** Whoever cannot sign in sees no log: they hear it by mail, with the reason that was given. */
async function tell(
  { database, sendMail }: Ports,
  ask: { person_id: string; reason: string },
  isBlocked: boolean,
): Promise<void> {
  const [person] = await database.platform((tx) => listPersons(tx, [ask.person_id]));
  if (!person) return;
  await sendMail({
    to: person.email,
    subject: isBlocked ? 'You are kept out of Muhuri' : 'You are let into Muhuri again',
    text: `An operator of the platform has ${isBlocked ? 'blocked your account and ended its sessions' : 'let you in again'}.

Account: ${person.username}
Reason: ${ask.reason}

It stands in the activity of every business you work for.${isBlocked ? ' If it is not right, ask an admin there, or the operator.' : ''}
`,
  });
}
