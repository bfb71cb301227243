import type { Recorder } from '../audit/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { DeriveSecret } from '../platform/derived-secret.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import { otherAdmins } from './other-admins.ts';
import type { Notify } from './notify-person.ts';
import { changesOfBusiness } from './account.ts';
import {
  findPersonById,
  listPersons,
  type StoredPerson,
  whilePersonIsActive,
} from './person.store.ts';
import { listMemberships } from './membership.store.ts';
import { removeSecondFactor } from './second-factor.store.ts';
import { hashOf, readCredential } from './credential.ts';
import type { Sessions } from './sessions.ts';
import type { VerifyCredentials, From } from './sign-in.ts';
import type { Tries } from './tries.ts';
import {
  decideWayBack,
  endPendingOf,
  findByObjection,
  findOfRequest,
  findPendingOf,
  findWayBack,
  insertWayBack,
  listPendingWaysBack,
  markNotified,
  setObjection,
  type WayBack,
} from './way-back.store.ts';

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  sessions: Sessions;
  tries: Tries;
  notify: Notify;
  derive: DeriveSecret;
  checkWho: VerifyCredentials;
  sendMail: SendMail;
  contextOf(businessId: string): Context;
  background(work: Promise<unknown>): void;
  log: Log;
  publicUrl: string;
};

/**
 * How long every admin may object before an operator may decide, and how long a request stays open.
 */
export const objectionMs = 24 * 3_600_000;
const openMs = 7 * 86_400_000;
/**
 * Where an admin's address takes no mail for so long, the others have had their day many times
 * over: nobody is locked out for ever.
 */
const untoldMs = 3 * 86_400_000;
const asked = { max: 3, withinMs: 86_400_000 };
/** What is being told at this moment is not told twice. */
const tellAgainMs = 5 * 60_000;

export type PendingWayBack = WayBack & {
  name: string;
  username: string;
  operatorFrom: Date;
  hasOtherAdmin: boolean;
};

/**
 * The way back of somebody who has lost authenticator and recovery codes. Their password was right;
 * others decide whether their second factor is removed: another admin at once, and where there is
 * none an operator, after a day in which every admin was told and could object. Whom an operator
 * has kept out lately is another admin still. Whoever works for several businesses needs all of
 * them: the second factor guards each. Whoever decides gets no session of theirs.
 */
export const waysBack = (ports: Ports) => {
  const { database, clock } = ports;

  const secretOf = (businessId: string, id: string) => ports.derive('way_back', businessId, id);
  /**
   * Tells the person and every admin, kept out or not: whoever cannot sign in can object still.
   * Their time begins once all of them were mailed.
   */
  const tellAdmins = async (ctx: Context, is: WayBack): Promise<void> => {
    const person = await database.platform((tx) => findPersonById(tx, is.personId));
    if (!person) return;
    const { all, others, present, everybody } = await otherAdmins(ports, ctx, is);
    const business = await ctx.transaction((tx) => getBusiness(tx));
    const who =
      present.length > 0
        ? 'Another admin can let them in at once, on the page People.'
        : others.length > 0
          ? 'Every other admin was kept out by an operator of the platform lately: one of them has to be let in again before anybody can decide.'
          : 'There is no other admin, so an operator of the platform may let them in once every admin had 24 hours to object.';
    const text = `${person.name} (${person.username}) has entered the right password for ${business.name}, and says that authenticator and recovery codes are lost.
It was asked ${is.address === null ? '' : `from ${is.address} `}at ${is.askedAt.toISOString().replace('T', ' ').slice(0, 16)} UTC.

${who} Then the second factor is removed, and they sign in with their password alone.

If this is not right, object now, without signing in:

${ports.publicUrl}/settings#/object/way.${ctx.businessId}.${secretOf(ctx.businessId, is.id)}
`;
    let unreached = 0;
    // Where an operator decides nobody of the business does: then all of them are told, and any may
    // object.
    for (const to of new Set([
      person.email,
      ...(others.length > 0 ? all : everybody).map((each) => each.email),
    ]))
      await ports
        .sendMail({ to, subject: `Somebody asks for a way back into ${business.name}`, text })
        .catch((error: Error) => {
          unreached++;
          ports.log.warn({ error: error.message }, 'an admin could not be told of a way back');
        });
    if (unreached === 0) await ctx.transaction((tx) => markNotified(tx, is.id, clock.now()));
  };
  const operatorFrom = ({ toldAt, askedAt }: WayBack): Date =>
    new Date(toldAt ? toldAt.getTime() + objectionMs : askedAt.getTime() + untoldMs);
  /**
   * Ends in every business what was asked for there, and removes the second factor once all of them
   * have granted it.
   */
  const concludeIfAll = async (is: WayBack): Promise<void> => {
    for (const { businessId } of await database.platform((tx) =>
      listMemberships(tx, is.personId),
    )) {
      const there = await database.transaction(businessId, (tx) => findOfRequest(tx, is.requestId));
      if (there?.state !== 'granted') return;
    }
    await ports.sessions.endOthers(is.personId, null, (tx) => removeSecondFactor(tx, is.personId));
    ports.notify(is.personId, 'way_back_granted');
  };
  const getOpen = async (tx: Tx, id: string): Promise<WayBack> => {
    const found = await findWayBack(tx, id);
    if (!found) throw new AppError('not_found');
    if (found.state !== 'open' || found.until <= clock.now())
      throw new AppError('wrong_state', { state: found.state === 'open' ? 'over' : found.state });
    return found;
  };
  const decide = async (
    ctx: Context,
    id: string,
    to: 'granted' | 'refused',
    may: (is: WayBack) => Promise<void>,
  ): Promise<WayBack> => {
    const asked = await ctx.transaction((tx) => getOpen(tx, id));
    await may(asked);
    if (to === 'granted') {
      const person = await database.platform((tx) => findPersonById(tx, asked.personId));
      if (!person || isOfFormerPassword(person, asked))
        throw new AppError('wrong_state', { state: 'over' });
    }
    const decided = await ctx.transaction(async (tx) => {
      const is = await getOpen(tx, id);
      await decideWayBack(tx, id, to, ctx.actor, clock.now());
      await ports.record(tx, ctx, {
        action: `way_back.${to}`,
        subject: id,
        after: { person_id: is.personId, asked_at: is.askedAt.toISOString() },
      });
      return { ...is, state: to, decidedAt: clock.now() };
    });
    if (to === 'granted') await concludeIfAll(decided);
    return decided;
  };

  return {
    /** Answers alike whether a request was made or is open already. */
    async ask(username: string, password: string, from: From): Promise<void> {
      const person = await ports.checkWho(username, password, from);
      if (person.totpConfirmedAt === null) throw new AppError('wrong_state', { state: 'none' });
      if (!(await ports.tries.allow(`way_back:${person.id}`, asked)))
        throw new AppError('too_many_attempts');
      const askedAt = clock.now();
      const requestId = ports.newId('way_back');
      const places = await database.platform((tx) => listMemberships(tx, person.id));
      const open: (WayBack | null)[] = [];
      for (const { businessId } of places)
        open.push(
          await database.transaction(businessId, (tx) => findPendingOf(tx, person.id, askedAt)),
        );
      // One that waits everywhere goes on, with the day it has waited. Where a business came or
      // went meanwhile, it begins anew.
      if (
        open.every(
          (each) =>
            each !== null &&
            each.requestId === open[0]?.requestId &&
            !isOfFormerPassword(person, each),
        )
      )
        return;
      for (const { businessId } of places)
        if (!(await ports.tries.allow(`account_changes:${businessId}`, changesOfBusiness)))
          throw new AppError('too_many_attempts');
      for (const { businessId, membershipId } of places) {
        const by = { type: 'person', id: person.id, membershipId, name: person.name } as const;
        const ctx: Context = { ...ports.contextOf(businessId), actor: by, origin: from.address };
        const id = ports.newId('way_back');
        const made = await whilePersonIsActive(ctx, async (tx) => {
          await endPendingOf(tx, person.id, 'asked_anew', askedAt);
          const row = await insertWayBack(tx, businessId, {
            id,
            requestId,
            personId: person.id,
            membershipId,
            address: from.address,
            userAgent: from.userAgent,
            objectHash: hashOf(secretOf(businessId, id)),
            askedAt,
            until: new Date(askedAt.getTime() + openMs),
          });
          if (row)
            await ports.record(tx, ctx, {
              action: 'way_back.asked',
              subject: row.id,
              after: { person_id: person.id },
            });
          return row;
        });
        if (made)
          ports.background(
            tellAdmins(ctx, made).catch((error: Error) =>
              ports.log.warn({ error: error.message }, 'admins were not told of a way back'),
            ),
          );
      }
    },
    async list(ctx: Context): Promise<PendingWayBack[]> {
      const open = await ctx.transaction((tx) => listPendingWaysBack(tx, clock.now()));
      const persons = await database.platform((tx) =>
        listPersons(
          tx,
          open.map((each) => each.personId),
        ),
      );
      const found: PendingWayBack[] = [];
      for (const each of open) {
        const person = persons.find((one) => one.id === each.personId);
        const { others } = await otherAdmins(ports, ctx, each);
        found.push({
          ...each,
          name: person?.name ?? '',
          username: person?.username ?? '',
          operatorFrom: operatorFrom(each),
          hasOtherAdmin: others.length > 0,
        });
      }
      return found;
    },
    /** Another admin, at once. */
    grantByAdmin: (ctx: Context, id: string): Promise<WayBack> =>
      decide(ctx, id, 'granted', async (is) => {
        if (is.personId === ctx.actor.id) throw new AppError('second_person_needed');
      }),
    refuse: (ctx: Context, id: string): Promise<WayBack> =>
      decide(ctx, id, 'refused', async () => {}),
    /** An operator, where no other admin is there to decide and nobody objected for a day. */
    grantByOperator: (ctx: Context, id: string): Promise<WayBack> =>
      decide(ctx, id, 'granted', async (is) => {
        if ((await otherAdmins(ports, ctx, is)).others.length > 0)
          throw new AppError('admin_decides');
        const from = operatorFrom(is);
        if (clock.now() < from) throw new AppError('objection_time', { until: from.toISOString() });
      }),
    /**
     * Tells again whoever has not been told, where the mail server was away or the process ended
     * meanwhile.
     */
    async tellUntold(ctx: Context): Promise<void> {
      const open = await ctx.transaction((tx) => listPendingWaysBack(tx, clock.now()));
      const before = clock.now().getTime() - tellAgainMs;
      for (const each of open)
        if (!each.toldAt && each.askedAt.getTime() < before) {
          // The master key may be another by now, and the link with it.
          await ctx.transaction((tx) =>
            setObjection(tx, each.id, hashOf(secretOf(ctx.businessId, each.id))),
          );
          await tellAdmins(ctx, each);
        }
    },
    /** By the link every admin was mailed; signed in or not, since it only keeps a door shut. */
    async object(token: string, from: From): Promise<void> {
      const credential = readCredential(token, 'way');
      if (!credential) throw new AppError('link_over');
      const ctx = { ...ports.contextOf(credential.businessId), origin: from.address };
      await ctx.transaction(async (tx) => {
        const is = await findByObjection(tx, credential.hash);
        if (is?.state !== 'open') throw new AppError('link_over');
        await decideWayBack(tx, is.id, 'objected', { id: 'link', type: 'link' }, clock.now());
        await ports.record(tx, ctx, {
          action: 'way_back.objected',
          subject: is.id,
          after: { person_id: is.personId },
        });
      });
    },
  };
};

/**
 * Ends what somebody has asked for who is kept out or has gone, with its line in the log: let in
 * again, they ask anew.
 */
export async function endWaysBackOf(
  tx: Tx,
  ctx: Context,
  ports: { clock: Clock; record: Recorder },
  personId: string,
  because: 'person.blocked' | 'membership.ended',
) {
  for (const id of await endPendingOf(tx, personId, because, ports.clock.now()))
    await ports.record(tx, ctx, {
      action: 'way_back.ended',
      subject: id,
      after: { person_id: personId, because },
    });
}

export type WaysBack = ReturnType<typeof waysBack>;

/**
 * All it proved was the password of then: whoever asked may be why it was changed, and nothing is
 * granted to them.
 */
const isOfFormerPassword = (person: StoredPerson, { askedAt }: WayBack): boolean =>
  person.passwordChangedAt !== null && person.passwordChangedAt > askedAt;
