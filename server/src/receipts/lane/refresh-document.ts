import type { StoredProblem } from '@muhuri/shared/problems';
import type { Device } from '../../branches/index.ts';
import { getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Sale } from '../../model/sale.model.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Tx } from '../../platform/db/database.ts';
import { hasUnregistered } from '../../catalogue/index.ts';
import type { LanePorts, LaneWork } from './lane-ports.ts';
import { giveBackNumber, lockLane, setAside as setDocumentAside } from './lane.store.ts';
import { isStill } from '../sale/document-hash.ts';
import { leaveAsExempt } from '../receipt/sealed-elsewhere.store.ts';
import { fitUnderLock, moveTo } from './move-receipt.ts';
import { withItemCodes } from '../prepare/assign-item-codes.ts';
import { askedBy, noPerson, type SigningInput } from '../sale/signing-input.model.ts';
import { retryDelayMs } from '../receipt/receipt.model.ts';
import type { Answers } from '../sale/sale-setup.model.ts';
import { answersAbout } from '../sale/user-answers.model.ts';
import { holdDevice, lockReceipt } from '../receipt/receipt.store.ts';
import { recordState } from '../receipt/record-state.ts';
import { refreshReceipt, type Requeued } from '../receipt/requeue.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { isTransient } from '../../platform/db/is-transient.ts';
import type { Prepared } from '../prepare/prepare-sale.ts';
import { keptFromItself } from './automatic-signing.model.ts';
import type { LaneHead } from './lane.model.ts';
import {
  judgeDevice,
  judgeFinding,
  judgeUnread,
  leave,
  setAside,
  type Verdict,
} from './refresh-document.model.ts';
import { requireNotLeft } from './lock-unsent-head.ts';

/** What reading the document came to. */
type Reading = { prepared: Prepared } | { error: unknown };
/** What a refund is cut to, or why it is refused. */
type Cut = { sale: Sale } | { refusal: StoredProblem };
/** The head as it stands under its locks, and the read document that it is refreshed from. */
type Refresh = LaneWork & { head: LaneHead; before: Receipt };

/**
 * Reads the head's document again before anything of it is sent: the world moves. A changed
 * document will be frozen as it is now; one that is void, deleted or unsealable leaves the lane.
 */
export async function refreshDocument(
  ports: LanePorts,
  ctx: Context,
  deviceId: string,
  head: LaneHead,
): Promise<void> {
  const reading = await read(ports, ctx, head);
  const surprise = await ctx.transaction(async (tx) => {
    const work = { ports, tx, ctx, at: ports.clock.now() };
    const locked = await lockHead(work, deviceId, head, reading);
    return locked && applyReading({ ...work, head, before: locked.before }, reading, locked.cut);
  });
  ports.changed(head.id);
  if (surprise) throw surprise;
}

/**
 * Reads the document outside of any transaction. One that a person or another program has asked for
 * was exempt by then or not: whose it is was decided. One that was opened automatically is asked
 * about as if it came in now.
 */
async function read(ports: LanePorts, ctx: Context, head: LaneHead): Promise<Reading> {
  const own = await ctx.transaction((tx) => lockReceipt(tx, head.id));
  const { user, askedByProgram } = head.filed.terms;
  const isDecided = user.id !== noPerson.id || askedByProgram === true;
  const given: Answers = isDecided ? { confirm: ['was_exempt'] } : {};
  return ports.prepareSale(ctx, head.module, head.documentId, given, own).then(
    (prepared) => ({ prepared }),
    (error: unknown) => ({ error }),
  );
}

/**
 * Locks the lane, the sale of a refund and the receipt, in this order; null: it is not this
 * worker's any more. As where a refund is opened, its sale is locked first, and counts what was
 * opened while this one was read.
 */
async function lockHead(
  { ports, tx, at }: LaneWork,
  deviceId: string,
  head: LaneHead,
  reading: Reading,
): Promise<{ before: Receipt; cut: Cut | null } | null> {
  const lane = await lockLane(tx, deviceId);
  const cut = 'prepared' in reading ? await cutRefund(tx, reading.prepared, head.id) : null;
  const before = await lockReceipt(tx, head.id);
  if (lane?.laneHolder !== ports.worker || before?.state !== 'queued') return null;
  await requireNotLeft(tx, before, at);
  return { before, cut };
}

async function cutRefund(tx: Tx, prepared: Prepared, ownId: string): Promise<Cut | null> {
  if (!prepared.filed || !prepared.saleReceipt) return null;
  try {
    return { sale: await fitUnderLock(tx, prepared, prepared.filed, ownId) };
  } catch (error) {
    if (error instanceof AppError) return { refusal: error.problem };
    throw error;
  }
}

/** Applies what was read; returns what has failed by surprise, if anything has. */
async function applyReading(refresh: Refresh, reading: Reading, cut: Cut | null): Promise<unknown> {
  if ('error' in reading) return applyFailure(refresh, reading.error);
  const verdict = await applyPrepared(refresh, reading.prepared, cut);
  if (verdict) await carryOut(refresh, verdict);
  return null;
}

/**
 * Trouble with the database is nobody's own. Anything else that is a surprise fails with this
 * document again: it is reported, and the document keeps nobody waiting.
 */
async function applyFailure(refresh: Refresh, error: unknown): Promise<unknown> {
  const isExpected = error instanceof AppError;
  if (!isExpected && isTransient(error)) throw error;
  await carryOut(refresh, isExpected ? judgeUnread(error.problem) : setAside({ code: 'internal' }));
  return isExpected ? null : error;
}

/** Refreshes the receipt from its document; what stands in the way is returned. */
async function applyPrepared(
  refresh: Refresh,
  prepared: Prepared,
  cut: Cut | null,
): Promise<Verdict | null> {
  const [finding] = prepared.findings;
  const verdict = judgeFinding(finding) ?? (await judgeAutomatic(refresh, prepared.document));
  if (verdict) return verdict;
  const { filed, device } = prepared;
  if (!filed || !device) return leave('refused', finding ?? { code: 'device_missing' });
  if (cut && 'refusal' in cut) return leave('refused', cut.refusal);
  const sale = cut?.sale ?? filed.sale;
  const coded = await codeItems(refresh, { ...filed, sale }, device);
  const move = judgeDevice(device, refresh.before);
  if (move === 'move') return moveHead(refresh, prepared, coded, device);
  if (move) return move;
  await refreshHead(refresh, prepared, coded);
  return null;
}

/** A business may have exempted the document since, or want nothing signed automatically now. */
async function judgeAutomatic(
  { tx, head }: Refresh,
  document: BooksDocument,
): Promise<Verdict | null> {
  const code = head.byItself && keptFromItself(head, (await getBusiness(tx)).settings, document);
  if (!code) return null;
  return leave('withdrawn', {
    code,
    ...(head.module === 'creditnotes' ? { module: head.module } : {}),
  });
}

const codeItems = (
  { ports, tx, ctx, head }: Refresh,
  { sale, terms }: SigningInput,
  device: NonNullable<Prepared['device']>,
): Promise<SigningInput> =>
  withItemCodes(
    tx,
    ctx.businessId,
    { sale, terms: { ...terms, ...askedBy(head.filed.terms) } },
    ports,
    device.dialect,
  );

async function carryOut(refresh: Refresh, verdict: Verdict): Promise<void> {
  const { ports, tx, ctx, at, head, before } = refresh;
  const { problem } = verdict;
  await returnNumber(refresh);
  if (verdict.do === 'set_aside') {
    const { firstMs, maxMs } = verdict.pace;
    const nextTryAt = new Date(at.getTime() + retryDelayMs(before.tries, firstMs, maxMs));
    await setDocumentAside(tx, head.id, { problem, nextTryAt }, at);
    await ports.record(tx, ctx, { action: 'receipt.set_aside', subject: head.id, after: problem });
    return;
  }
  const { state } = verdict;
  await recordState(tx, head.id, { state, problem }, at);
  await ports.record(tx, ctx, { action: `receipt.${state}`, subject: head.id, after: problem });
  if (problem.code === 'exempted_in_queue')
    await leaveAsExempt(tx, { module: head.module, documentId: head.documentId });
}

async function returnNumber({ tx, before }: Refresh): Promise<void> {
  if (before.invoiceNumber !== null)
    await giveBackNumber(tx, before.deviceId, before.invoiceNumber);
}

/**
 * Moves a document that belongs to another device by now: never the bytes of one device in the lane
 * of another.
 */
async function moveHead(
  refresh: Refresh,
  prepared: Prepared,
  filed: SigningInput,
  device: Pick<Device, 'id' | 'branchId'>,
): Promise<Verdict | null> {
  const { ports, tx, ctx, before } = refresh;
  if (!(await holdDevice(tx, device.id))) return setAside({ code: 'device_switched' });
  await returnNumber(refresh);
  await moveTo(refresh, before, {
    ...(await contentOf(refresh, prepared, filed, device.id)),
    branchId: device.branchId,
    deviceId: device.id,
  });
  await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: device.id });
  return null;
}

async function refreshHead(
  refresh: Refresh,
  prepared: Prepared,
  filed: SigningInput,
): Promise<void> {
  const { ports, tx, ctx, at, head, before } = refresh;
  if (!isStill(prepared.document, before.documentHash))
    await ports.record(tx, ctx, {
      action: 'receipt.frozen_anew',
      subject: head.id,
      before: { total: before.filed.sale.total },
      after: { total: filed.sale.total },
    });
  const content = await contentOf(refresh, prepared, filed, before.deviceId);
  await refreshReceipt(tx, head.id, content, at);
}

async function contentOf(
  { tx, before }: Refresh,
  prepared: Prepared,
  filed: SigningInput,
  deviceId: string,
): Promise<Omit<Requeued, 'branchId' | 'deviceId'>> {
  const codes = filed.sale.lines.map((line) => line.itemCode);
  return {
    filed,
    documentHash: prepared.documentHash,
    answers: answersAbout(prepared.answers.about, before, {}),
    documentNumber: filed.sale.documentNumber,
    documentDate: filed.sale.documentDate,
    saleReceiptId: prepared.saleReceipt?.id ?? null,
    needsRegistering: await hasUnregistered(tx, deviceId, codes),
  };
}
