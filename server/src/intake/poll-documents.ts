import { getBusiness } from '../businesses/index.ts';
import { claimPoll, endPoll, findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Books } from '../ports/books.ts';
import { seeListed } from './document.store.ts';

type Ports = { books: Books; clock: Clock };

const modules = ['invoices', 'creditnotes'] as const;
/** Looked back beyond the last change seen: Zoho's times are whole seconds, and a list may lag behind. */
const overlapMs = 5 * 60_000;
const usualMs = 5 * 60_000;
const retryMs = 60_000;
const rowsMax = 50_000;
/** Of our half of a day's calls, polling takes no more than this; on a small plan it comes by more seldom. */
const dayShare = 0.15;

/**
 * Finds every document changed since the last look: Zoho promises no webhook, and loses them beyond a thousand a day. Catches up after
 * any outage from where it stood. Says how many documents are new or changed.
 */
export const pollDocuments =
  (ports: Ports) =>
  async (ctx: Context, isForced = false): Promise<number> => {
    let found = 0;
    for (const module of modules) {
      const now = ports.clock.now();
      const claim = await ctx.transaction(async (tx) => {
        const connection = await findConnection(tx);
        if (!connection || connection.status !== 'active') return null;
        const { goLiveDate } = await getBusiness(tx);
        const poll = await claimPoll(tx, module, now, new Date(now.getTime() + intervalMs(connection.quotaLimit)), isForced);
        return poll && { connection, goLiveDate, cursor: poll.cursor };
      });
      if (!claim) continue;
      const { connection, goLiveDate, cursor } = claim;
      const access = { businessId: ctx.businessId, organizationId: connection.organizationId, grantId: connection.grantId, purpose: 'sync' as const };
      const since = cursor ? new Date(cursor.getTime() - overlapMs) : new Date(Date.parse(`${goLiveDate}T00:00:00Z`) - 86_400_000);
      try {
        const { rows, isWhole } = await ports.books.listModified(access, module, since, rowsMax);
        const after = rows.filter((row) => row.date >= goLiveDate || row.date === '');
        for (let i = 0; i < after.length; i += 500)
          found += await ctx.transaction((tx) => seeListed(tx, ctx.businessId, after.slice(i, i + 500), ports.clock.now()));
        // Never beyond our own now: a clock that runs ahead at Zoho would make us pass over what changes next.
        const latest = Math.min(
          now.getTime(),
          rows.reduce((max, row) => Math.max(max, row.modifiedAt.getTime()), cursor?.getTime() ?? 0),
        );
        // Cut short, the oldest are missing: the next look begins where this one did.
        await ctx.transaction((tx) =>
          endPoll(tx, module, { cursor: isWhole && latest > 0 ? new Date(latest) : cursor, at: ports.clock.now(), problem: null, nextAt: null }),
        );
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        const nextAt = new Date(ports.clock.now().getTime() + retryMs);
        await ctx.transaction((tx) => endPoll(tx, module, { cursor, at: null, problem: error.problem, nextAt }));
      }
    }
    return found;
  };

const intervalMs = (dayLimit: number | null): number => {
  const callsADay = Math.max(50, (dayLimit ?? 2_000) * 0.5 * dayShare);
  return Math.max(usualMs, (modules.length * 86_400_000) / callsADay);
};
