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
import type { Database, Tx } from '../platform/db/database.ts';
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
  notifyAboutKeys: ReturnType<typeof notifyOfKeys>;
};
export type PersonOfBusiness = {
  personId: string;
  name: string;
  role: 'business_admin' | 'business_user';
  status: 'active' | 'ended' | 'blocked';
  lastSignInAt: Date | null;
  /** How many API keys in force they have made: these end or are suspended with them. */
  apiKeys: number;
};

const actorOf = (ctx: Context) => ({
  type: ctx.actor.type,
  id: ctx.actor.id,
  origin: ctx.origin,
  requestId: ctx.requestId,
});

/**
 * Lists who works for a business, as far as an operator needs to know. Both logs, the business's and
 * the operator's, show that they looked.
 */
export const listPeopleForOperator =
  (ports: Pick<Ports, 'database' | 'record' | 'recordPlatform' | 'clock'>) =>
  async (ctx: Context): Promise<PersonOfBusiness[]> => {
    const { database } = ports;
    await database.platform(async (tx) => {
      if (!(await findDirectoryEntry(tx, ctx.businessId))) throw new AppError('not_found');
      await ports.recordPlatform(tx, actorOf(ctx), {
        action: 'people.listed',
        subject: ctx.businessId,
      });
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

/** A person who is blocked or let in again, and why. */
type Block = { personId: string; reason: string; isBlocked: boolean };

/** What became of the person in one business. */
type Place = { ctx: Context; keys: Awaited<ReturnType<typeof suspendKeysOf>> };

/**
 * Blocks a person from everything, with every session and whatever else is theirs, or lets them in
 * again; each of their businesses can read that.
 */
export const setBlocked =
  (ports: Ports) =>
  async (
    ctx: Context,
    ask: { person_id: string; reason: string },
    isBlocked: boolean,
  ): Promise<void> => {
    const block: Block = { personId: ask.person_id, reason: ask.reason, isBlocked };
    const { name, places } = await blockEverywhere(ports, ctx, block);
    ports.background(
      mailPerson(ports, block).catch((error: Error) =>
        ports.log.warn(
          { error: error.message },
          'a person could not be told that they are kept out or let in',
        ),
      ),
    );
    for (const place of places) mailAboutKeys(ports, block, name, place);
  };

/**
 * Blocks the person in every business, or lets them in, in one transaction. Whatever becomes of the
 * server, all of it is done or nothing.
 */
const blockEverywhere = (
  ports: Ports,
  ctx: Context,
  block: Block,
): Promise<{ name: string; places: Place[] }> =>
  ports.database.registration(async (tx, enter, leave) => {
    const { personId, reason, isBlocked } = block;
    await setPersonStatus(ports, tx, ctx, block);
    const addresses = isBlocked
      ? await revokePending(tx, personId, ctx.actor, ports.clock.now())
      : [];
    await ports.recordPlatform(tx, actorOf(ctx), {
      action: actionOf(block),
      subject: personId,
      after: { business_id: ctx.businessId, reason },
    });
    const [person] = await listPersons(tx, [personId]);
    const name = person?.name ?? '';
    const places: Place[] = [];
    for (const { businessId, membershipId } of await listEveryMembership(tx, personId)) {
      const there = contextIn(ports, ctx, businessId);
      await enter(businessId);
      if (isBlocked) await endAccess(ports, tx, there, { personId, membershipId });
      await recordInBusiness(ports, tx, there, { block, membershipId, addresses });
      const keys = await suspendKeysOf(tx, there, ports, { personId, name }, isBlocked);
      places.push({ ctx: there, keys });
      await leave();
    }
    return { name, places };
  });

const actionOf = ({ isBlocked }: Block) => (isBlocked ? 'person.blocked' : 'person.unblocked');

async function setPersonStatus(
  { clock }: Ports,
  tx: Tx,
  ctx: Context,
  { personId, isBlocked }: Block,
): Promise<void> {
  const before = await findMemberStatus(tx, personId, ctx.businessId);
  if (!before) throw new AppError('not_found');
  if (before !== (isBlocked ? 'active' : 'blocked'))
    throw new AppError('wrong_state', { state: before });
  await (isBlocked
    ? blockPerson(tx, personId, ctx.actor, clock.now())
    : unblockPerson(tx, personId));
}

const contextIn = ({ database }: Ports, ctx: Context, businessId: string): Context => ({
  ...ctx,
  businessId,
  transaction: (work) => database.transaction(businessId, work),
  registration: (work) => database.registration((tx, enter) => work(tx, () => enter(businessId))),
});

/** Ends what a blocked person has in one business, but for their API keys. */
async function endAccess(
  ports: Ports,
  tx: Tx,
  there: Context,
  { personId, membershipId }: { personId: string; membershipId: string },
): Promise<void> {
  await deleteSessionsOf(tx, membershipId, null);
  await withdrawInvitationsOf(tx, there, ports, personId);
  await endWaysBackOf(tx, there, ports, personId, 'person.blocked');
}

async function recordInBusiness(
  ports: Ports,
  tx: Tx,
  there: Context,
  {
    block,
    membershipId,
    addresses,
  }: {
    block: Block;
    membershipId: string;
    addresses: Awaited<ReturnType<typeof revokePending>>;
  },
): Promise<void> {
  const action = actionOf(block);
  await ports.record(tx, there, {
    action,
    subject: membershipId,
    after: { person_id: block.personId, reason: block.reason },
  });
  for (const { personId, email } of addresses)
    await ports.record(tx, there, {
      action: 'address_change.ended',
      subject: membershipId,
      after: { person_id: personId, email, because: action },
    });
}

/** Mails the business which of its API keys open nothing meanwhile, or work again. */
function mailAboutKeys(
  ports: Ports,
  { reason, isBlocked }: Block,
  name: string,
  { ctx, keys }: Place,
): void {
  ports.notifyAboutKeys(ctx, {
    lead: `An operator of the platform ${isBlocked ? 'keeps' : 'no longer keeps'} ${name} out. The reason: ${reason}`,
    lists: [
      {
        title: isBlocked
          ? 'Meanwhile these API keys that they made open nothing. A program that needs one goes on with a new key:'
          : 'These API keys that they made work again; revoke what was replaced:',
        keys,
      },
    ],
  });
}

/** Mails the person, with the reason: they cannot sign in to read the log. */
async function mailPerson(
  { database, sendMail }: Ports,
  { personId, reason, isBlocked }: Block,
): Promise<void> {
  const [person] = await database.platform((tx) => listPersons(tx, [personId]));
  if (!person) return;
  await sendMail({
    to: person.email,
    subject: isBlocked ? 'You are kept out of Muhuri' : 'You are let into Muhuri again',
    text: `An operator of the platform has ${isBlocked ? 'blocked your account and ended its sessions' : 'let you in again'}.

Account: ${person.username}
Reason: ${reason}

It stands in the activity of every business you work for.${isBlocked ? ' If it is not right, ask an admin there, or the operator.' : ''}
`,
  });
}
