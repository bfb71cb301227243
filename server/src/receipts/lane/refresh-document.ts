import type { StoredProblem } from '@muhuri/shared/problems';
import { getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { hasUnregistered } from '../../catalogue/index.ts';
import type { LanePorts } from './lane-ports.ts';
import { giveBackNumber, lockLane, setAside } from './lane.store.ts';
import type { LaneHead } from './lane.model.ts';
import { isStill } from '../sale/document-hash.ts';
import { leaveAsExempt } from '../receipt/elsewhere.store.ts';
import { fitUnderLock, moveTo } from './move-receipt.ts';
import { withItemCodes } from '../prepare/assign-item-codes.ts';
import { askedBy, noPerson } from '../sale/signing-input.model.ts';
import { retryDelayMs } from '../receipt/receipt.model.ts';
import type { Answers } from '../sale/setup.model.ts';
import { answersAbout } from '../sale/answers.model.ts';
import { holdDevice, lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import { refreshReceipt } from '../receipt/requeue.store.ts';
import { isTransient } from '../../platform/db/is-transient.ts';
import { keptFromItself } from './automatic-signing.model.ts';
import { requireNotLeft } from './lock-unsent.ts';

/** What came of it, or why it is refused; anything else that fails still fails. */
const settled = <T>(work: Promise<T>): Promise<{ is: T } | { refused: AppError }> =>
  work.then(
    (is) => ({ is }),
    (error: unknown) => {
      if (error instanceof AppError) return { refused: error };
      throw error;
    },
  );

/**
 * The world moves: the document is read again. Changed, it will be frozen anew; void, deleted or
 * unsealable, it leaves the lane.
 */
export async function refreshDocument(
  ports: LanePorts,
  ctx: Context,
  deviceId: string,
  head: LaneHead,
): Promise<void> {
  const own = await ctx.transaction((tx) => lockReceipt(tx, head.id));
  // Asked for by a person or another program while it was exempt, or before: whose it is was
  // decided then. What was opened by itself is asked about as if it came in now.
  const isDecided =
    head.filed.terms.user.id !== noPerson.id || head.filed.terms.askedByProgram === true;
  const said: Answers = isDecided ? { confirm: ['was_exempt'] } : {};
  const result = await ports.prepareSale(ctx, head.module, head.documentId, said, own).then(
    (prepared) => ({ prepared }),
    (error: unknown) => ({ error }),
  );
  let surprise: unknown = null;
  await ctx.transaction(async (tx) => {
    const now = ports.clock.now();
    const lane = await lockLane(tx, deviceId);
    // As where it is opened: the sale is locked before its refund, and counts what was opened while
    // this one was read.
    const { filed: read = null, saleReceipt = null } = 'prepared' in result ? result.prepared : {};
    const refit =
      read && saleReceipt && 'prepared' in result
        ? await settled(fitUnderLock(tx, result.prepared, read, head.id))
        : null;
    const before = await lockReceipt(tx, head.id);
    if (lane?.laneHolder !== ports.worker || before?.state !== 'queued') return;
    await requireNotLeft(tx, before, now);
    const leave = async (state: 'withdrawn' | 'refused', problem: StoredProblem) => {
      if (before.invoiceNumber !== null)
        await giveBackNumber(tx, before.deviceId, before.invoiceNumber);
      await recordState(tx, head.id, { state, problem }, now);
      await ports.record(tx, ctx, { action: `receipt.${state}`, subject: head.id, after: problem });
    };
    const standAside = async (
      problem: StoredProblem,
      [firstMs, maxMs]: readonly [number, number] = [5_000, 300_000],
    ) => {
      if (before.invoiceNumber !== null)
        await giveBackNumber(tx, before.deviceId, before.invoiceNumber);
      await setAside(
        tx,
        head.id,
        {
          problem,
          nextTryAt: new Date(now.getTime() + retryDelayMs(before.tries, firstMs, maxMs)),
        },
        now,
      );
      await ports.record(tx, ctx, {
        action: 'receipt.set_aside',
        subject: head.id,
        after: problem,
      });
    };
    if ('error' in result) {
      if (!(result.error instanceof AppError)) {
        // Trouble with the database is nobody's own. Anything else fails with this document again:
        // it is told of as a surprise, and keeps nobody waiting.
        if (isTransient(result.error)) throw result.error;
        surprise = result.error;
        return standAside({ code: 'internal' });
      }
      if (result.error.code === 'document_unknown')
        return leave('withdrawn', { code: 'document_deleted' });
      // Not readable: it gives its number back and stands aside until it is.
      return standAside(result.error.problem);
    }
    const { prepared } = result;
    const [finding] = prepared.findings;
    // It stands aside until somebody has said that its device takes it.
    if (finding?.code === 'refund_needs_takeover') return standAside(finding, [60_000, 3_600_000]);
    if (finding?.code === 'document_void') return leave('withdrawn', finding);
    const kept =
      head.byItself && keptFromItself(head, (await getBusiness(tx)).settings, prepared.document);
    if (kept) {
      await leave('withdrawn', {
        code: kept,
        ...(head.module === 'creditnotes' ? { module: head.module } : {}),
      });
      if (kept === 'exempted_in_queue')
        await leaveAsExempt(tx, { module: head.module, documentId: head.documentId });
      return;
    }
    if (!prepared.filed || !prepared.device)
      return leave('refused', finding ?? { code: 'device_missing' });
    if (refit && 'refused' in refit) return leave('refused', refit.refused.problem);
    const filed = await withItemCodes(
      tx,
      ctx.businessId,
      {
        sale: refit?.is ?? prepared.filed.sale,
        terms: { ...prepared.filed.terms, ...askedBy(head.filed.terms) },
      },
      ports,
      prepared.device.dialect,
    );
    // It belongs to another device by now: never the bytes of one device in the lane of another.
    if (prepared.device.id !== before.deviceId) {
      if (prepared.device.environment !== before.environment)
        return leave('withdrawn', { code: 'device_switched' });
      if (!(await holdDevice(tx, prepared.device.id)))
        return standAside({ code: 'device_switched' });
      if (before.invoiceNumber !== null)
        await giveBackNumber(tx, before.deviceId, before.invoiceNumber);
      const codes = filed.sale.lines.map((line) => line.itemCode);
      await moveTo(ports, tx, ctx, before, {
        filed,
        documentHash: prepared.documentHash,
        answers: answersAbout(prepared.answers.about, before, {}),
        documentNumber: filed.sale.documentNumber,
        documentDate: filed.sale.documentDate,
        branchId: prepared.device.branchId,
        deviceId: prepared.device.id,
        saleReceiptId: prepared.saleReceipt?.id ?? null,
        needsRegistering: await hasUnregistered(tx, prepared.device.id, codes),
      });
      await ports.queue.wakeLane(tx, {
        business_id: ctx.businessId,
        device_id: prepared.device.id,
      });
      return;
    }
    if (!isStill(prepared.document, before.documentHash))
      await ports.record(tx, ctx, {
        action: 'receipt.frozen_anew',
        subject: head.id,
        before: { total: before.filed.sale.total },
        after: { total: filed.sale.total },
      });
    await refreshReceipt(
      tx,
      head.id,
      {
        filed,
        documentHash: prepared.documentHash,
        documentNumber: filed.sale.documentNumber,
        documentDate: filed.sale.documentDate,
        answers: answersAbout(prepared.answers.about, before, {}),
        saleReceiptId: prepared.saleReceipt?.id ?? null,
        needsRegistering: await hasUnregistered(
          tx,
          deviceId,
          filed.sale.lines.map((line) => line.itemCode),
        ),
      },
      now,
    );
  });
  ports.changed(head.id);
  if (surprise) throw surprise;
}
