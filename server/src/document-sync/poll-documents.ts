import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import { getBusiness } from '../businesses/index.ts';
import { claimPoll, type Connection, endPoll, findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import type { JobHealth } from '../job-health/index.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { retryOnDeadlock, isDeadlock } from '../platform/db/retry-on-deadlock.ts';
import { isDataError } from '../platform/db/is-data-error.ts';
import type { Books, ListedDocument, UnreadableRow } from '../ports/books.ts';
import { recordListed, recordUnreadable } from './document.store.ts';

type Ports = { books: Books; clock: Clock; jobs: Pick<JobHealth, 'run'> };

const modules = ['invoices', 'creditnotes'] as const;
/**
 * Looked back beyond the last change seen: Zoho's times are whole seconds, and a list may lag
 * behind.
 */
const overlapMs = 5 * 60_000;
const usualMs = 5 * 60_000;
const retryMs = 60_000;
const rowsMax = 50_000;
const rowsAtOnce = 500;
/**
 * Of our half of a day's calls, polling takes no more than this; on a small plan it comes by more
 * seldom.
 */
const dayShare = 0.15;

/**
 * How the look through one kind of document went: `changed` are new or changed, and `problem` says
 * why there was none, or what it had to leave out.
 */
export type PollResult = {
  module: ListedDocument['module'];
  outcome: 'looked' | 'failed' | 'not_connected' | 'not_due';
  changed: number;
  problem: StoredProblem | null;
};

/**
 * Finds every document changed since the last look: Zoho promises no webhook, and loses them beyond
 * a thousand a day. Catches up after any outage from where it stood. Whoever asked for it is told
 * what came of each kind: that it was asked for does not say that it was done.
 */
export const pollDocuments =
  (ports: Ports) =>
  async (ctx: Context, isForced = false): Promise<PollResult[]> => {
    const looked: PollResult[] = [];
    for (const module of modules) {
      const now = ports.clock.now();
      const claim = await ctx.transaction(async (tx) => {
        const connection = await findConnection(tx);
        if (!connection) return notConnected('books_not_connected');
        if (connection.status !== 'active') return notConnected('books_reconnect');
        const { goLiveDate } = await getBusiness(tx);
        const poll = await claimPoll(
          tx,
          module,
          now,
          new Date(now.getTime() + intervalMs(connection.quotaLimit)),
          isForced,
        );
        // Whoever asked waits for the turn: there is none to be had only where the connection went
        // meanwhile.
        return poll
          ? { connection, goLiveDate, cursor: poll.cursor }
          : isForced
            ? notConnected('books_not_connected')
            : null;
      });
      if (!claim) looked.push({ module, outcome: 'not_due', changed: 0, problem: null });
      else if ('outcome' in claim) looked.push({ module, ...claim });
      else looked.push(await lookAs(ports, ctx, module, claim, now));
    }
    return looked;
  };

const notConnected = (code: ProblemCode) => ({
  outcome: 'not_connected' as const,
  changed: 0,
  problem: { code },
});

/**
 * A look as work that may fail: it stands in the business's health as well, and the neighbours of
 * the kind are looked through all the same.
 */
async function lookAs(
  ports: Ports,
  ctx: Context,
  module: ListedDocument['module'],
  claim: Claim,
  now: Date,
): Promise<PollResult> {
  let looked: PollResult = { module, outcome: 'failed', changed: 0, problem: null };
  await ports.jobs.run(ctx.businessId, `poll.${module}`, async () => {
    const found = await lookThrough(ports, ctx, module, claim, now).catch((error: unknown) => {
      looked = { ...looked, problem: problemOf(error) };
      throw error;
    });
    looked = { module, outcome: 'looked', ...found };
    // All that could be taken has been; that there was more is known, and seen.
    if (found.problem) throw new AppError(found.problem.code, found.problem);
  });
  return looked;
}

const problemOf = (error: unknown): StoredProblem =>
  error instanceof AppError ? error.problem : { code: 'internal' };

type Odd = UnreadableRow & { id: string };
type Claim = { connection: Connection; goLiveDate: string; cursor: Date | null };

async function lookThrough(
  ports: Ports,
  ctx: Context,
  module: ListedDocument['module'],
  { connection, goLiveDate, cursor }: Claim,
  now: Date,
): Promise<Pick<PollResult, 'changed' | 'problem'>> {
  const access = {
    businessId: ctx.businessId,
    organizationId: connection.organizationId,
    grantId: connection.grantId,
    purpose: 'sync' as const,
  };
  const since = cursor
    ? new Date(cursor.getTime() - overlapMs)
    : new Date(Date.parse(`${goLiveDate}T00:00:00Z`) - 86_400_000);
  let found = 0;
  let problem: StoredProblem | null = null;
  try {
    const { rows, unreadable, isWhole } = await ports.books.listModified(
      access,
      module,
      since,
      rowsMax,
    );
    const after = rows.filter((row) => row.date >= goLiveDate || row.date === '');
    const odd: Odd[] = unreadable.flatMap((row) =>
      row.id === null ? [] : [{ ...row, id: row.id }],
    );
    for (let i = 0; i < after.length; i += rowsAtOnce) {
      const seen = await seeRows(
        ports,
        ctx,
        connection.organizationId,
        after.slice(i, i + rowsAtOnce),
      );
      found += seen.changed;
      odd.push(...seen.refused);
    }
    // Each by its own id, so that it is read whole: what its list says of it may be all that is
    // wrong with it.
    if (odd.length > 0)
      await ctx.transaction((tx) =>
        recordUnreadable(
          tx,
          { businessId: ctx.businessId, organizationId: connection.organizationId, module },
          odd,
          ports.clock.now(),
        ),
      );
    // Never beyond our own now: a clock that runs ahead at Zoho would make us pass over what
    // changes next.
    const latest = Math.min(
      now.getTime(),
      rows.reduce((max, row) => Math.max(max, row.modifiedAt.getTime()), cursor?.getTime() ?? 0),
    );
    const nameless = unreadable.length - unreadable.filter((each) => each.id !== null).length;
    if (nameless > 0) problem = { code: 'listed_unreadable', count: nameless };
    // Cut short, the oldest are missing: the next look begins where this one did.
    await ctx.transaction((tx) =>
      endPoll(tx, module, {
        cursor: isWhole && latest > 0 ? new Date(latest) : cursor,
        at: ports.clock.now(),
        problem,
        nextAt: null,
      }),
    );
  } catch (error) {
    const nextAt = new Date(ports.clock.now().getTime() + retryMs);
    await ctx.transaction((tx) =>
      endPoll(tx, module, { cursor, at: null, problem: problemOf(error), nextAt }),
    );
    throw error;
  }
  return { changed: found, problem };
}

/**
 * A list is taken row by row where it cannot be taken at once: one row that cannot be written takes
 * none of its neighbours along. So is one that crossed documents which are opened just now; whoever
 * holds a single row waits for nobody.
 */
async function seeRows(
  ports: Ports,
  ctx: Context,
  organizationId: string,
  rows: ListedDocument[],
): Promise<{ changed: number; refused: Odd[] }> {
  const see = (some: ListedDocument[]) =>
    ctx.transaction((tx) =>
      recordListed(tx, ctx.businessId, organizationId, some, ports.clock.now()),
    );
  try {
    return { changed: await see(rows), refused: [] };
  } catch (error) {
    if (!isDataError(error) && !isDeadlock(error)) throw error;
  }
  const refused: Odd[] = [];
  let changed = 0;
  for (const row of rows)
    try {
      changed += await retryOnDeadlock(() => see([row]));
    } catch (error) {
      if (!isDataError(error)) throw error;
      refused.push({ id: row.id, number: '', date: row.date, field: 'row' });
    }
  return { changed, refused };
}

const intervalMs = (dayLimit: number | null): number => {
  const callsADay = Math.max(50, (dayLimit ?? 2_000) * 0.5 * dayShare);
  return Math.max(usualMs, (modules.length * 86_400_000) / callsADay);
};
