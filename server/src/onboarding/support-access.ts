import {
  endAddressChangesBy,
  type EndWithOperator,
  listMemberships,
  whilePersonIsActive,
  withdrawInvitationsOf,
} from '../access/index.ts';
import type { Recorder } from '../audit/index.ts';
import { findDirectoryEntry, holdBusiness, listBusinessIds } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import { query } from '../platform/db/query.ts';
import type { NewId } from '../platform/new-id.ts';
import { SupportAccessEntity } from './support-access.entity.ts';

type Ports = { database: Database; clock: Clock; newId: NewId; record: Recorder };

const operatorOf = (ctx: Context) => {
  if (ctx.actor.type !== 'operator') throw new AppError('not_allowed');
  return ctx.actor;
};

export const beginSupport =
  (ports: Ports) =>
  async (ctx: Context, ask: { reason: string; minutes: number }): Promise<SupportAccessEntity> => {
    const operator = operatorOf(ctx);
    if (!(await ports.database.platform((tx) => findDirectoryEntry(tx, ctx.businessId))))
      throw new AppError('not_found');
    return whilePersonIsActive(ctx, async (tx) => {
      const at = ports.clock.now();
      // One at a time of an operator, begun at once or not: ending it must leave none.
      await holdBusiness(tx);
      const open = await findOpen(tx, operator.id, at);
      if (open) open.endedAt = at;
      const made = tx.create(SupportAccessEntity, {
        businessId: ctx.businessId,
        id: ports.newId('support_access'),
        operatorId: operator.id,
        operatorName: operator.name,
        reason: ask.reason,
        begunAt: at,
        until: new Date(at.getTime() + ask.minutes * 60_000),
        endedAt: null,
      });
      await tx.flush();
      await ports.record(tx, ctx, {
        action: 'support_access.begun',
        subject: made.id,
        after: { reason: ask.reason, until: made.until.toISOString() },
      });
      return made;
    });
  };

export const endSupport =
  (ports: Ports) =>
  (ctx: Context): Promise<SupportAccessEntity> =>
    ctx.transaction(async (tx) => {
      const open = await findOpen(tx, operatorOf(ctx).id, ports.clock.now());
      if (!open) throw new AppError('not_found');
      open.endedAt = ports.clock.now();
      await tx.flush();
      await ports.record(tx, ctx, { action: 'support_access.ended', subject: open.id });
      return open;
    });

/**
 * What an operator who goes has open anywhere ends with them, another address they asked for and a
 * way in for whom they invited too, and says so in each business.
 */
export const endWhatTheyOpened =
  (
    ports: Pick<Ports, 'clock' | 'record'> & { contextOf(businessId: string): Context },
  ): EndWithOperator =>
  async (tx, enter, leave, operatorId) => {
    const at = ports.clock.now();
    const addresses: {
      businessId: string;
      membershipId: string;
      personId: string;
      email: string;
    }[] = [];
    for (const { personId, email } of await endAddressChangesBy(tx, operatorId, at))
      for (const { businessId, membershipId } of await listMemberships(tx, personId))
        addresses.push({ businessId, membershipId, personId, email });
    for (const businessId of await listBusinessIds(tx)) {
      await enter(businessId);
      const open = await query<{ id: string }>(
        tx,
        'update support_access set ended_at = $2 where operator_id = $1 and ended_at is null and until > $2 returning id',
        [operatorId, at],
      );
      const ctx = ports.contextOf(businessId);
      for (const { id } of open)
        await ports.record(tx, ctx, {
          action: 'support_access.ended',
          subject: id,
          after: { because: 'operator.ended' },
        });
      for (const { membershipId, personId, email } of addresses.filter(
        (each) => each.businessId === businessId,
      ))
        await ports.record(tx, ctx, {
          action: 'address_change.ended',
          subject: membershipId,
          after: { person_id: personId, email, because: 'operator.ended' },
        });
      await withdrawInvitationsOf(tx, ctx, ports, operatorId);
      await leave();
    }
  };

/**
 * Runs something an operator may see only during a support access; that it was seen stands in the
 * business's own trail.
 */
export const duringSupport =
  (ports: Ports) =>
  <T>(ctx: Context, what: string, work: (tx: Tx) => Promise<T>): Promise<T> =>
    ctx.transaction(async (tx) => {
      const open = await findOpen(tx, operatorOf(ctx).id, ports.clock.now());
      if (!open) throw new AppError('support_access_needed');
      await ports.record(tx, ctx, {
        action: 'support_access.used',
        subject: open.id,
        after: { what },
      });
      return work(tx);
    });

/** Whether this operator may see documents of the business just now. */
export const isSupporting =
  (ports: Pick<Ports, 'clock'>) =>
  async (ctx: Context): Promise<boolean> =>
    (await ctx.transaction((tx) => findOpen(tx, operatorOf(ctx).id, ports.clock.now()))) !== null;

/**
 * Every one that is open, whatever came after it, and the newest of the others: what opens a door
 * must be seen.
 */
export const listSupport =
  (ports: Pick<Ports, 'clock'>) =>
  (ctx: Context): Promise<SupportAccessEntity[]> =>
    ctx.transaction(async (tx) => {
      const now = ports.clock.now();
      const newest = { orderBy: { begunAt: 'desc', id: 'desc' } } as const;
      const open = await tx.find(
        SupportAccessEntity,
        { endedAt: null, until: { $gt: now } },
        newest,
      );
      const ended = await tx.find(
        SupportAccessEntity,
        { $or: [{ endedAt: { $ne: null } }, { until: { $lte: now } }] },
        { ...newest, limit: 100 },
      );
      return [...open, ...ended];
    });

const findOpen = (tx: Tx, operatorId: string, now: Date) =>
  tx.findOne(SupportAccessEntity, { operatorId, endedAt: null, until: { $gt: now } });
