import type { Alerts } from '../alerts/index.ts';
import { isExempt } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { StoredProblem } from '@muhuri/shared/problems';
import { AppError } from '../platform/app-error.ts';
import { backoffMs } from '../platform/backoff.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import { retryOnDeadlock } from '../platform/db/retry-on-deadlock.ts';
import type { PriorityGate } from '../platform/priority-gate.ts';
import type { Log } from '../platform/log.ts';
import type { SyncDocument } from '../receipts/index.ts';
import { signsAutomatically } from './auto-sign.model.ts';
import {
  type Due,
  endProcessing,
  postponeProcessing,
  claimDueDocuments,
} from './document.store.ts';
import { isExpected, isPassing, processedAs } from './processing.model.ts';

type Ports = {
  lookAtDocument: SyncDocument;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  giveWay: Pick<PriorityGate, 'behind'>;
  clock: Clock;
  log: Log;
};

const leaseMs = 5 * 60_000;
const batch = 20;
const retries = { firstMs: 15_000, maxMs: 30 * 60_000 };

/**
 * Processes the documents of a business that are due: reads them again from Zoho, seals what is to
 * be sealed, finds drift. Returns how many they were.
 */
export const processDueDocuments =
  (ports: Ports) =>
  async (ctx: Context): Promise<number> => {
    let looked = 0;
    const failed: unknown[] = [];
    for (;;) {
      const now = ports.clock.now();
      const due = await ctx.transaction((tx) =>
        claimDueDocuments(tx, now, new Date(now.getTime() + leaseMs), batch),
      );
      // A few at once: reading waits for Zoho most of the time, and the call budget keeps to its
      // limits.
      for (let i = 0; i < due.length; i += 4) {
        const looks = await Promise.allSettled(
          due
            .slice(i, i + 4)
            .map((each) => ports.giveWay.behind(() => processOne(ports, ctx, each))),
        );
        // One of which not even that could be written down keeps none of the others taken without
        // being looked at.
        for (const each of looks) if (each.status === 'rejected') failed.push(each.reason);
      }
      looked += due.length;
      if (failed.length > 0) throw failed[0];
      if (due.length < batch) return looked;
    }
  };

/** Reads a document again and records what was found, or when it is to be read once more. */
async function processOne(ports: Ports, ctx: Context, due: Due): Promise<void> {
  const begunAt = ports.clock.now();
  try {
    await read(ports, ctx, due, begunAt);
  } catch (error) {
    await postpone(ports, ctx, due, error);
  }
}

async function read(ports: Ports, ctx: Context, due: Due, begunAt: Date): Promise<void> {
  const exemption = { isExempt: false, isLeft: false };
  const wants: Parameters<SyncDocument>[3] = ({ business, document }) => {
    exemption.isExempt = isExempt(business.settings, document);
    const wanted = due.source !== 'hint' && signsAutomatically(business.settings, document);
    // Whoever exempted it had it sealed elsewhere, or not at all: an exemption that is taken back
    // is about what comes from now on.
    exemption.isLeft = wanted && due.wasExempt;
    return wanted && !due.wasExempt;
  };
  // A list that is taken in just now, or another document of the device, may cross it.
  const found = await retryOnDeadlock(() =>
    ports.lookAtDocument(ctx, due.module, due.documentId, wants),
  );
  const { receipt, problem } = found;
  // A problem that passes is no answer: the document is read again, and sealed then.
  if (problem && !receipt && isPassing(problem.code)) throw new AppError(problem.code, problem);
  const processed = processedAs(
    { ...found, receipt: receipt && { ...receipt, sale: receipt.filed.sale } },
    exemption,
    { source: due.source, begunAt },
  );
  await ctx.transaction(async (tx) => {
    await tellOfUnread(ports, ctx, tx, due, null);
    await endProcessing(tx, due, processed, ports.clock.now());
  });
}

/** Records why a document could not be processed, and when it is to be read again. */
async function postpone(ports: Ports, ctx: Context, due: Due, error: unknown): Promise<void> {
  if (!(error instanceof AppError && isExpected(error.code)))
    ports.log.error(
      { business_id: ctx.businessId, document: due.documentId, error: (error as Error).stack },
      'a document could not be looked at',
    );
  const until = new Date(ports.clock.now().getTime() + backoffMs(due.tries, retries));
  const problem: StoredProblem = error instanceof AppError ? error.problem : { code: 'internal' };
  await ctx.transaction(async (tx) => {
    await tellOfUnread(ports, ctx, tx, due, problem);
    await postponeProcessing(tx, due, until, problem);
  });
}

/**
 * Raises an alert after the third time that Zoho gives a document without one of its parts, and
 * resolves it once the part is there: this may never pass without a person.
 */
async function tellOfUnread(
  { alerts }: Ports,
  ctx: Context,
  tx: Tx,
  due: Due,
  problem: StoredProblem | null,
): Promise<void> {
  const isUnread = problem?.code === unread;
  if (isUnread && due.tries + 1 >= triesTold) await alerts.raise(tx, ctx, due.documentId, problem);
  else if (!isUnread && due.problemBefore === unread)
    await alerts.resolve(tx, ctx, due.documentId, [unread]);
}
const unread = 'document_part_unread';
const triesTold = 3;
