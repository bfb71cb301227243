import type { OperatorLogActor, OperatorLogRecorder, Recorder } from '../audit/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { DeriveSecret } from '../platform/derived-secret.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import {
  type AddressChange,
  countOperators,
  endAddressChange,
  insertAddressChange,
  isOperatorsAddress,
  listPendingAddressChanges,
  lockAddressChange,
  lockByObjection,
  markMailed,
  operatorSince,
} from './address-change.store.ts';
import { otherAdmins } from './other-admins.ts';
import type { Notify } from './notify-person.ts';
import { findPersonById, holdPerson, listPersons, lockPerson, setEmail } from './person.store.ts';
import { listMembers, listMemberships } from './membership.store.ts';
import { deleteDevicesOf } from './second-factor.store.ts';
import { hashOf } from './credential.ts';
import type { Sessions } from './sessions.ts';
import { dropTokens } from './sign-in-failure.store.ts';
import type { From } from './sign-in.ts';
import type { Tries } from './tries.ts';

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  recordPlatform: OperatorLogRecorder;
  sessions: Sessions;
  notify: Notify;
  tries: Tries;
  derive: DeriveSecret;
  sendMail: SendMail;
  contextOf(businessId: string): Context;
  background(work: Promise<unknown>): void;
  log: Log;
  publicUrl: string;
};

const dayMs = 86_400_000;
/**
 * How long the former address and everybody of the business may object, and how long where some of
 * them take no mail.
 */
const objectionMs = 7 * dayMs;
const untoldMs = 14 * dayMs;
/** One mail a day while they may. */
const mailsMost = 7;
const endedLatelyMs = 30 * dayMs;
const openMs = 30 * dayMs;
const asked = { max: 3, withinMs: dayMs };

const tokenShape = /^adr\.([A-Za-z0-9_-]{43})$/;

export type PendingAddressChange = AddressChange & { name: string; from: Date };

/**
 * The way of a business whose only admin has lost mailbox and password alike: an operator asks for
 * another address of that person. It counts after seven days in which the former address was mailed
 * every day and everybody of the business was told, any of whom can object; by another operator
 * where there is more than one; and never once the person has signed in since, who then needs no
 * help. What the address leads to is a link for a new password: a second factor stays as it is, and
 * whoever has lost that too asks for a way back afterwards.
 */
export const addressChanges = (ports: Ports) => {
  const { database, clock } = ports;

  const secretOf = (id: string) => ports.derive('address_change', id);
  const from = ({ toldAt, askedAt }: AddressChange): Date =>
    new Date(toldAt ? toldAt.getTime() + objectionMs : askedAt.getTime() + untoldMs);
  const isOver = (is: AddressChange) => clock.now().getTime() > is.askedAt.getTime() + openMs;
  const placesOf = (personId: string) => database.platform((tx) => listMemberships(tx, personId));
  /** In the log of every business the person works for. */
  const record = async (
    is: AddressChange,
    action: string,
    as: (ctx: Context) => Context,
    after: object,
  ) => {
    for (const { businessId, membershipId } of await placesOf(is.personId)) {
      const ctx = as(ports.contextOf(businessId));
      await ctx.transaction((tx) =>
        ports.record(tx, ctx, { action, subject: membershipId, after }),
      );
    }
  };
  const tell = async (is: AddressChange): Promise<void> => {
    const person = await database.platform((tx) => findPersonById(tx, is.personId));
    if (!person) return;
    const to = new Set([person.email]);
    // Everybody is told at the beginning and once more before the end; the former address every
    // day.
    if (is.toldAt === null || is.mailsSent === mailsMost - 1)
      for (const { businessId } of await placesOf(is.personId)) {
        const members = (await database.transaction(businessId, listMembers))
          .filter((each) => each.status === 'active')
          .map((each) => each.personId);
        for (const each of await database.platform((tx) => listPersons(tx, members)))
          to.add(each.email);
      }
    const business = await database.transaction(is.businessId, (tx) => getBusiness(tx));
    const text = `An operator of the platform asks for another e-mail address of ${person.name} (${person.username}), the only admin of ${business.name}: ${is.email}

Reason: ${is.reason}

It counts after seven days, unless anybody of the business objects or ${person.name} signs in. Links for a new password then go to the new address.

If this is not right, object now, without signing in:

${ports.publicUrl}/settings#/object/adr.${secretOf(is.id)}
`;
    let unreached = 0;
    for (const each of to)
      await ports
        .sendMail({
          to: each,
          subject: `Another e-mail address for the admin of ${business.name}`,
          text,
        })
        .catch((error: Error) => {
          unreached++;
          ports.log.warn(
            { error: error.message },
            'a person could not be told of a change of address',
          );
        });
    await database.platform((tx) => markMailed(tx, is.id, clock.now(), unreached === 0));
  };

  return {
    async open(
      by: OperatorLogActor,
      ctx: Context,
      ask: { person_id: string; email: string; reason: string },
    ): Promise<PendingAddressChange> {
      const askedAt = clock.now();
      const member = (await ctx.transaction(listMembers)).find(
        (each) => each.personId === ask.person_id && each.status === 'active',
      );
      const person = member && (await database.platform((tx) => findPersonById(tx, ask.person_id)));
      if (!member || !person) throw new AppError('not_found');
      if (
        member.role !== 'business_admin' ||
        (await otherAdmins(ports, ctx, { personId: person.id, askedAt })).others.length > 0
      )
        throw new AppError('admin_decides');
      if (!(await ports.tries.allow(`address_change:${person.id}`, asked)))
        throw new AppError('too_many_attempts');
      const id = ports.newId('address_change');
      const made = await database.platform(async (tx) => {
        // Whoever is ended or kept out at this moment leaves nothing behind that was not looked
        // for.
        if (by.type === 'operator' && !(await holdPerson(tx, by.id)))
          throw new AppError('not_signed_in');
        if (!(await holdPerson(tx, person.id))) throw new AppError('not_found');
        if (await isOperatorsAddress(tx, ask.email))
          throw new AppError('malformed', {
            field: 'email',
            reason: 'is an operator’s own address',
          });
        if (ask.email === person.email)
          throw new AppError('malformed', { field: 'email', reason: 'is the address they have' });
        const needsSecond =
          (await countOperators(tx, new Date(askedAt.getTime() - endedLatelyMs))) > 1;
        for (const each of await listPendingAddressChanges(tx, null))
          if (each.personId === person.id && isOver(each))
            await endAddressChange(tx, each.id, 'ended', { id: 'time', type: 'job' }, askedAt);
        const { email, reason } = ask;
        const opened = {
          id,
          businessId: ctx.businessId,
          personId: person.id,
          email,
          reason,
          openedBy: by.id,
          needsSecond,
          askedAt,
        };
        const row = await insertAddressChange(tx, { ...opened, objectHash: hashOf(secretOf(id)) });
        if (!row) throw new AppError('wrong_state', { state: 'open' });
        const after = { person_id: person.id, business_id: ctx.businessId, email, reason };
        await ports.recordPlatform(tx, by, { action: 'address_change.asked', subject: id, after });
        return row;
      });
      const { email, reason } = made;
      await record(
        made,
        'address_change.asked',
        (there) => ({ ...there, actor: ctx.actor, origin: ctx.origin }),
        { person_id: person.id, email, reason },
      );
      ports.background(
        tell(made).catch((error: Error) =>
          ports.log.warn({ error: error.message }, 'nobody was told of a change of address'),
        ),
      );
      return { ...made, name: person.name, from: from(made) };
    },
    async list(ctx: Context): Promise<PendingAddressChange[]> {
      const open = (
        await database.platform((tx) => listPendingAddressChanges(tx, ctx.businessId))
      ).filter((each) => !isOver(each));
      const persons = await database.platform((tx) =>
        listPersons(
          tx,
          open.map((each) => each.personId),
        ),
      );
      return open.map((each) => ({
        ...each,
        name: persons.find((one) => one.id === each.personId)?.name ?? '',
        from: from(each),
      }));
    },
    async apply(by: OperatorLogActor, ctx: Context, id: string): Promise<void> {
      const at = clock.now();
      const open = (
        await database.platform((tx) => listPendingAddressChanges(tx, ctx.businessId))
      ).find((each) => each.id === id);
      if (!open || isOver(open)) throw new AppError('not_found');
      if (at < from(open)) throw new AppError('address_waits', { until: from(open).toISOString() });
      if ((await otherAdmins(ports, ctx, open)).others.length > 0)
        throw new AppError('admin_decides');
      const former = await database.platform(async (tx) => {
        // The person first, as whoever keeps them out does.
        const person = await lockPerson(tx, open.personId);
        const is = await lockAddressChange(tx, id, ctx.businessId);
        if (is?.state !== 'open') throw new AppError('wrong_state', { state: is?.state ?? 'none' });
        const since = await operatorSince(tx, by.id);
        if (is.needsSecond && (by.id === is.openedBy || !since || since >= is.askedAt))
          throw new AppError('second_operator_needed');
        const [listed] = await listPersons(tx, [is.personId]);
        const isBack = (moment: Date | null | undefined) =>
          moment !== null && moment !== undefined && moment > is.askedAt;
        if (!person || isBack(listed?.lastSignInAt) || isBack(person.passwordChangedAt))
          return null;
        await setEmail(tx, person.id, is.email, null);
        await dropTokens(tx, 'password_reset', person.id);
        await dropTokens(tx, 'email_change', person.id);
        await endAddressChange(tx, id, 'applied', by, at);
        await ports.recordPlatform(tx, by, {
          action: 'address_change.applied',
          subject: id,
          after: { person_id: person.id, business_id: ctx.businessId },
        });
        return person.email;
      });
      if (former === null) {
        await database.platform((tx) => endAddressChange(tx, id, 'ended', by, at));
        throw new AppError('wrong_state', { state: 'signed_in_since' });
      }
      await ports.sessions.endOthers(open.personId, null, async (tx) => {
        await deleteDevicesOf(tx, open.personId);
        // What was asked for in a session that ends now ends with it, made a moment ago or not.
        await dropTokens(tx, 'email_change', open.personId);
      });
      await record(
        open,
        'address_change.applied',
        (there) => ({ ...there, actor: ctx.actor, origin: ctx.origin }),
        {
          person_id: open.personId,
          email: open.email,
        },
      );
      ports.notify(open.personId, 'email_changed', former);
    },
    /** By the link that everybody was mailed; false where it is no such link. */
    async object(token: string, from: From): Promise<boolean> {
      const secret = tokenShape.exec(token)?.[1];
      if (secret === undefined) return false;
      const is = await database.platform(async (tx) => {
        const found = await lockByObjection(tx, hashOf(secret));
        if (found?.state !== 'open') throw new AppError('link_over');
        await endAddressChange(tx, found.id, 'objected', { id: 'link', type: 'link' }, clock.now());
        return found;
      });
      await record(is, 'address_change.objected', (there) => ({ ...there, origin: from.address }), {
        person_id: is.personId,
      });
      return true;
    },
    /** Mails what is due: once a day, and again where a mail server was away. */
    async tellDue(): Promise<void> {
      for (const each of await database.platform((tx) => listPendingAddressChanges(tx, null))) {
        if (isOver(each) || (each.toldAt !== null && each.mailsSent >= mailsMost)) continue;
        const since = clock.now().getTime() - (each.lastMailedAt ?? each.askedAt).getTime();
        if (since >= (each.toldAt === null ? tellAgainMs : dayMs)) await tell(each);
      }
    },
  };
};

/** Where somebody was not reached, all are told again, this often. */
const tellAgainMs = 60 * 60_000;

export type AddressChanges = ReturnType<typeof addressChanges>;
