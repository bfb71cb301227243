import { describeProblem } from '@muhuri/shared/problems';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { SendMail } from '../platform/mail.ts';
import {
  type OpenAlert,
  releaseUnmailed,
  claimUnmailed,
  claimUnsentEvents,
} from './deadline.store.ts';

type Ports = {
  clock: Clock;
  log: Log;
  sendMail: SendMail;
  publicUrl: string;
  /** Addresses of those who run the business. */
  adminMails(ctx: Context): Promise<string[]>;
  /** Tells the addresses that asked for it, in this transaction. */
  notify(tx: Tx, ctx: Context, event: string, data: object): Promise<void>;
};

/**
 * Tells a business of its alerts where it is not looking: by mail to its admins, all that is new in
 * one, and to the addresses that asked for it. Each alert once, whatever the number of servers; a
 * mail that could not be sent is tried again at the next turn.
 */
export const deliverAlerts =
  (ports: Ports) =>
  async (ctx: Context): Promise<void> => {
    const at = ports.clock.now();
    await ctx.transaction(async (tx) => {
      for (const { event, ...alert } of await claimUnsentEvents(tx, at)) {
        const { title, detail } = describeProblem(alert.problem, 'en');
        const data = {
          alert_id: alert.id,
          subject: alert.subject,
          ...alert.problem,
          title,
          detail,
          opened_at: alert.openedAt.toISOString(),
        };
        await ports.notify(tx, ctx, event, data);
      }
    });
    const { alerts, business } = await ctx.transaction(async (tx) => ({
      alerts: await claimUnmailed(tx, at),
      business: await getBusiness(tx),
    }));
    if (alerts.length === 0) return;
    const text = [
      ...alerts.map((each) => sentencesOf(each)),
      `Everything that is open stands at ${ports.publicUrl}/settings. What closes by itself is not mailed again.`,
    ].join('\n\n');
    const subject = `${business.name}: ${describeProblem((alerts[0] as OpenAlert).problem, 'en').title}${alerts.length > 1 ? ` (and ${alerts.length - 1} more)` : ''}`;
    const ids = alerts.map((each) => each.id);
    let [sent, refused]: [number, unknown] = [0, null];
    try {
      // Each by itself: an address that refuses its mail keeps nobody else from theirs.
      for (const to of new Set(await ports.adminMails(ctx)))
        await ports.sendMail({ to, subject, text }).then(
          () => {
            sent += 1;
          },
          (error: unknown) => {
            refused = error;
          },
        );
    } catch (error) {
      refused = error;
    }
    if (refused === null) return;
    ports.log.warn(
      { business_id: ctx.businessId, alerts: alerts.length, sent },
      'alerts could not be mailed to everybody',
    );
    // Whoever has it is not told again; where nobody has, the next turn tries.
    if (sent === 0) await ctx.transaction((tx) => releaseUnmailed(tx, ids));
    if (!(refused instanceof AppError)) throw refused;
  };

function sentencesOf({ problem }: OpenAlert): string {
  const { title, detail } = describeProblem(problem, 'en');
  const about = [problem.branch, problem.document_number]
    .filter((each) => typeof each === 'string')
    .join(', ');
  return `${about ? `${about}: ` : ''}${title}\n${detail}`;
}
