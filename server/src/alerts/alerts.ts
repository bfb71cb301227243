import type { StoredProblem } from '@muhuri/shared/problems';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { NewId } from '../platform/new-id.ts';
import {
  type Alert,
  closeAlertById,
  closeAlerts,
  closeAlertsOf,
  listOpenAlerts,
  insertAlert,
} from './alert.store.ts';

export type Alerts = {
  /**
   * Tells the business of something it must know without asking, in the transaction that finds it.
   * The same thing twice is told once.
   */
  raise(tx: Tx, ctx: Context, subject: string, problem: StoredProblem): Promise<void>;
  /** What was told of is over. */
  resolve(
    tx: Tx,
    ctx: Context,
    subject: string,
    codes: StoredProblem['code'][],
    onlyAbout?: { invoiceNumber: string },
  ): Promise<void>;
  /**
   * Whatever it was about this subject, or a part of it (`subject:part`), is over with it; all but
   * these codes.
   */
  resolveAllOf(tx: Tx, ctx: Context, subject: string, but: StoredProblem['code'][]): Promise<void>;
  list(ctx: Context): Promise<Alert[]>;
  /** A person has seen to it; for what nothing in the data can tell to be over. */
  close(ctx: Context, id: string): Promise<Alert>;
};

export const alertsOf = (ports: {
  clock: Clock;
  newId: NewId;
  log: Log;
  record: Recorder;
}): Alerts => ({
  async raise(tx, ctx, subject, problem) {
    const isNew = await insertAlert(tx, ctx.businessId, {
      id: ports.newId('alert'),
      subject,
      problem,
      openedAt: ports.clock.now(),
    });
    if (isNew)
      ports.log.warn({ business_id: ctx.businessId, subject, code: problem.code }, 'alert');
  },
  resolve: async (tx, ctx, subject, codes, onlyAbout) => {
    await closeAlerts(
      tx,
      { codes, subject, invoiceNumber: onlyAbout?.invoiceNumber ?? null },
      ports.clock.now(),
      ctx.actor.id,
    );
  },
  resolveAllOf: async (tx, ctx, subject, but) => {
    await closeAlertsOf(tx, subject, but, ports.clock.now(), ctx.actor.id);
  },
  list: (ctx) => ctx.transaction(listOpenAlerts),
  close: (ctx, id) =>
    ctx.transaction(async (tx) => {
      const closed = await closeAlertById(tx, id, ports.clock.now(), ctx.actor.id);
      if (!closed) throw new AppError('not_found');
      await ports.record(tx, ctx, {
        action: 'alert.closed',
        subject: id,
        before: { about: closed.subject, code: closed.problem.code },
      });
      return closed;
    }),
});
