import type { Alerts } from '../alerts/index.ts';
import { isExempt } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { StoredProblem } from '@muhuri/shared/problems';
import { AppError } from '../platform/app-error.ts';
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
  knownAt,
  postponeProcessing,
  type DocumentResult,
  claimDueDocuments,
} from './document.store.ts';

type Ports = {
  lookAtDocument: SyncDocument;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  giveWay: Pick<PriorityGate, 'behind'>;
  clock: Clock;
  log: Log;
};

const leaseMs = 5 * 60_000;
const batch = 20;
const retryFirstMs = 15_000;
const retryMaxMs = 30 * 60_000;
/**
 * What ends by itself or by a person, at Zoho, between it and us or while devices are switched:
 * looked at again, nothing is lost by it.
 */
const passing: string[] = [
  'setup_unfinished',
  'books_limit',
  'books_unavailable',
  'books_reconnect',
  'books_client_refused',
  'books_not_connected',
  'books_forbidden',
  'books_mismatch',
  'document_part_unread',
  'device_switched',
  'business_suspended',
];

/**
 * Looks at the documents of a business that are due: reads them again from Zoho, seals what is to
 * be sealed, finds drift. Says how many.
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
          due.slice(i, i + 4).map((each) => ports.giveWay.behind(() => look(ports, ctx, each))),
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

/**
 * When a day has begun everywhere: a document of tomorrow is sealed tomorrow, and nothing in Zoho
 * would say that it has come.
 */
const dayOf = (day: string): Date => new Date(`${day}T00:00:00Z`);

async function look(ports: Ports, ctx: Context, due: Due): Promise<void> {
  let isExemptNow = false;
  let isLeft = false;
  const begunAt = ports.clock.now();
  try {
    const wants = ({ business, document }: Parameters<Parameters<SyncDocument>[3]>[0]) => {
      isExemptNow = isExempt(business.settings, document);
      const wanted = due.source !== 'hint' && signsAutomatically(business.settings, document);
      // Whoever exempted it had it sealed elsewhere, or not at all: an exemption that is taken back
      // is about what comes from now on.
      isLeft = wanted && due.wasExempt;
      return wanted && !due.wasExempt;
    };
    // A list that is taken in just now, or another document of the device, may cross it.
    const found = await retryOnDeadlock(() =>
      ports.lookAtDocument(ctx, due.module, due.documentId, wants),
    );
    const { document, receipt } = found;
    // What ends by itself is no answer: it is looked at again, and sealed then.
    if (found.problem && !receipt && passing.includes(found.problem.code))
      throw new AppError(found.problem.code, found.problem);
    const seen: DocumentResult | null = document
      ? {
          number: document.number,
          date: document.date,
          status: document.status,
          customerId: document.customer.id,
          customerName: document.customer.name,
          currency: document.currency,
          total: document.total,
          locationId: document.locationId,
          createdAt: document.createdAt,
          // What only a hint led to is not known to the poll: the poll, which asks Zoho itself,
          // must still find it.
          modifiedAt:
            due.source === 'hint'
              ? null
              : document.modifiedAt && knownAt(document.modifiedAt, begunAt),
        }
      : receipt && {
          number: receipt.documentNumber,
          date: receipt.documentDate,
          status: '',
          customerId: receipt.filed.sale.customerId,
          customerName: receipt.filed.sale.buyer.name,
          currency: receipt.filed.sale.currency,
          total: receipt.filed.sale.total,
          locationId: null,
          createdAt: null,
          modifiedAt: null,
        };
    const isGone = !document && receipt?.state !== 'queued' && receipt?.state !== 'in_doubt';
    await ctx.transaction(async (tx) => {
      await tellOfUnread(ports, ctx, tx, due, null);
      await endProcessing(
        tx,
        due,
        {
          seen: document ? seen : isGone ? null : seen,
          gone: isGone,
          exempt: isExemptNow,
          problem: found.problem ?? (isLeft ? { code: 'was_exempt' } : null),
          lookAgainAt:
            document && found.problem?.code === 'document_future' ? dayOf(document.date) : null,
        },
        ports.clock.now(),
      );
    });
  } catch (error) {
    const isPassing = error instanceof AppError && passing.includes(error.code);
    // Of books that are not connected now: it stands open with that, and is asked about again in
    // case they are.
    const isOfOthers = error instanceof AppError && error.code === 'document_of_other_books';
    // One that cannot be read stands with its finding; it is looked at again, because somebody may
    // have mended it in Zoho.
    if (
      !isPassing &&
      !isOfOthers &&
      !(error instanceof AppError && error.code === 'document_unreadable')
    )
      ports.log.error(
        { business_id: ctx.businessId, document: due.documentId, error: (error as Error).stack },
        'a document could not be looked at',
      );
    const until = new Date(
      ports.clock.now().getTime() +
        Math.min(retryMaxMs, retryFirstMs * 2 ** Math.min(due.tries, 12)),
    );
    const problem: StoredProblem = error instanceof AppError ? error.problem : { code: 'internal' };
    await ctx.transaction(async (tx) => {
      await tellOfUnread(ports, ctx, tx, due, problem);
      await postponeProcessing(tx, due, until, problem);
    });
  }
}

/**
 * What Zoho fails to give of one document, while it gives the document, may never end by itself:
 * somebody is told after the third time, until it is over.
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
