import type { Alerts } from '../../alerts/index.ts';
import type { Recorder } from '../../audit/index.ts';
import { hasUnregistered } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Queue } from '../../platform/queue/queue.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { doubtAnother } from '../lane/doubt-another.ts';
import { sealHereInstead } from '../receipt/sealed-elsewhere.store.ts';
import { findDoubtedBefore } from '../receipt/doubt.store.ts';
import { lockLane } from '../lane/lane.store.ts';
import type { Answers } from '../sale/sale-setup.model.ts';
import type { Prepared, PrepareSale } from '../prepare/prepare-sale.ts';
import {
  findReceiptIn,
  findReceiptOf,
  getReceipt,
  holdDevice,
  insertReceipt,
  lockReceipt,
} from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { type Requeued, requeueReceipt } from '../receipt/requeue.store.ts';
import { fitUnderLock, moveTo, mustBeUncontested } from '../lane/move-receipt.ts';
import { ownReceipt } from '../prepare/receipt-of-environment.ts';
import { withItemCodes } from '../prepare/assign-item-codes.ts';

export type CreateReceipt = (
  ctx: Context,
  input: { module: BooksDocument['module']; document_id: string } & Answers,
  isReplay: boolean,
) => Promise<Receipt>;

export type CreatePorts = {
  prepareSale: PrepareSale;
  dialects: Dialects;
  queue: Pick<Queue, 'wakeLane'>;
  record: Recorder;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  clock: Clock;
  newId: NewId;
};

/**
 * Opens the receipt of a document, or finds the one there is: two clicks, a webhook and a bulk run
 * at once make one row, by the unique key over (business, module, document, kind). A refused or
 * withdrawn one is read again and put back in its lane as the same receipt, unless the request is a
 * repetition.
 */
export const createReceipt =
  (ports: CreatePorts): CreateReceipt =>
  async (ctx, { module, document_id, ...answers }, isReplay) => {
    const found = await ctx.transaction((tx) => findReceiptOf(tx, module, document_id));
    const stands = (receipt: Receipt | null) =>
      receipt !== null &&
      (isReplay || (receipt.state !== 'refused' && receipt.state !== 'withdrawn'));
    if (found?.environment === 'production' && stands(found)) return found;
    mustBeAllowedToConfirm(ctx, answers);
    const given = withoutBlanks(answers);
    // Once more where the switch to another device came in between: the row is opened at the one
    // that is there now.
    for (let tries = 2; ; tries--) {
      const first = await ports.prepareSale(ctx, module, document_id, given, found);
      const existing = await ownReceipt(ctx, first, found);
      if (existing && stands(existing)) return existing;
      if (existing) mustBeUncontested(existing);
      // What was answered at the rehearsal is no answer for the real receipt.
      const prepared =
        existing?.id === found?.id
          ? first
          : await ports.prepareSale(ctx, module, document_id, given, existing);
      try {
        return await createPrepared(ports)(ctx, prepared, existing);
      } catch (error) {
        if (tries === 0 || !isSwitched(error)) throw error;
      }
    }
  };

function mustBeAllowedToConfirm({ permissions }: Context, { confirm = [] }: Answers): void {
  if (confirm.length > 0 && permissions && !permissions.includes('confirm'))
    throw new AppError('not_allowed', { field: 'confirm' });
}

const isSwitched = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'device_switched';

/** Creates the receipt of a document that was read just now, or finds the one there is. */
export const createPrepared =
  (ports: Omit<CreatePorts, 'prepareSale'>) =>
  async (ctx: Context, prepared: Prepared, existing: Receipt | null): Promise<Receipt> => {
    mustBeAtWork(prepared);
    const { filed, device } = prepared;
    if (!filed || !device) throw findingsError(prepared);
    return ctx.transaction(async (tx) => {
      const creation = { ports, tx, ctx, prepared, filed, device };
      if (!(existing ? await holdLanes(tx, device.id, existing) : await holdDevice(tx, device.id)))
        throw new AppError('device_switched');
      const content = await contentOf(creation, existing?.id ?? null);
      const { id, isDoubted = false } = existing
        ? await reopen(creation, existing.id, content)
        : { id: await open(creation, content) };
      // Of what is in doubt instead nothing is sealed here: what was said of another system stands.
      if (device.environment === 'production' && !isDoubted)
        await sealHereInstead(ports, tx, ctx, keyOf(prepared), {
          receiptId: id,
          answers: prepared.answers,
        });
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: device.id });
      return getReceipt(tx, id);
    });
  };

/** One document that is being opened, with what it would be signed as. */
type Creation = {
  ports: Omit<CreatePorts, 'prepareSale'>;
  tx: Tx;
  ctx: Context;
  prepared: Prepared;
  filed: NonNullable<Prepared['filed']>;
  device: NonNullable<Prepared['device']>;
};

const keyOf = ({ document: { module, id } }: Prepared) => ({ module, documentId: id });

/**
 * Refuses what may not sign: a production device before the setup has been walked through (a
 * rehearsal on a sandbox device is part of it), and a business that is suspended or closed.
 */
function mustBeAtWork({ business: { status }, device }: Prepared): void {
  if (status === 'pending' && device?.environment === 'production')
    throw new AppError('setup_unfinished');
  if (status !== 'active' && status !== 'pending') throw new AppError('business_suspended');
}

async function contentOf(
  { ports, tx, ctx, prepared, filed, device }: Creation,
  existingId: string | null,
): Promise<Requeued> {
  const fitted = prepared.saleReceipt
    ? { ...filed, sale: await fitUnderLock(tx, prepared, filed, existingId) }
    : filed;
  const coded = await withItemCodes(tx, ctx.businessId, fitted, ports, device.dialect);
  const codes = coded.sale.lines.map((line) => line.itemCode);
  return {
    filed: coded,
    needsRegistering: await hasUnregistered(tx, device.id, codes),
    documentHash: prepared.documentHash,
    answers: prepared.answers,
    documentNumber: filed.sale.documentNumber,
    documentDate: filed.sale.documentDate,
    branchId: device.branchId,
    deviceId: device.id,
    saleReceiptId: prepared.saleReceipt?.id ?? null,
  };
}

async function open(
  { ports, tx, ctx, prepared, device }: Creation,
  content: Requeued,
): Promise<string> {
  const { module, documentId } = keyOf(prepared);
  const id = ports.newId('receipt');
  const { sale } = content.filed;
  const isNew = await insertReceipt(
    tx,
    ctx.businessId,
    { ...content, id, module, documentId, kind: sale.kind },
    ports.clock.now(),
  );
  if (!isNew)
    return ((await findReceiptIn(tx, device.environment, module, documentId)) as Receipt).id;
  await ports.record(tx, ctx, {
    action: 'receipt.opened',
    subject: id,
    after: {
      module,
      document_id: documentId,
      document_number: content.documentNumber,
      total: sale.total,
      ...confirmed(content),
    },
  });
  return id;
}

async function reopen(
  { ports, tx, ctx }: Creation,
  id: string,
  content: Requeued,
): Promise<{ id: string; isDoubted?: true }> {
  const locked = await lockReceipt(tx, id);
  // Somebody else was quicker: what they did stands.
  if (locked?.movedTo) return { id: locked.movedTo };
  if (locked?.state !== 'refused' && locked?.state !== 'withdrawn') return { id };
  mustBeUncontested(locked);
  // Whatever has let it go: of what may be signed under an earlier number nothing is sent.
  const doubted = await doubtAnother({ ports, tx, ctx, at: ports.clock.now() }, locked);
  if (doubted) return { id: doubted, isDoubted: true };
  if (locked.deviceId !== content.deviceId)
    return { id: await moveTo({ ports, tx, ctx }, locked, content) };
  await requeueReceipt(tx, id, content, ports.clock.now());
  await ports.record(tx, ctx, {
    action: 'receipt.reopened',
    subject: id,
    before: { state: locked.state, problem: locked.problem },
    after: { total: content.filed.sale.total, ...confirmed(content) },
  });
  return { id };
}

/**
 * Whether a device still takes documents, under the lock of its lane: what is put back there may
 * turn out to stand at one it was moved from. Lanes are locked before receipts, and in the order of
 * their ids, as everything that takes several does.
 */
async function holdLanes(
  tx: Tx,
  deviceId: string,
  existing: Pick<Receipt, 'id' | 'deviceId'>,
): Promise<boolean> {
  const before = await findDoubtedBefore(tx, existing.id);
  let isTaking = false;
  for (const id of [
    ...new Set([deviceId, existing.deviceId, ...(before ? [before.deviceId] : [])]),
  ].toSorted()) {
    const lane = await lockLane(tx, id);
    if (id === deviceId) isTaking = lane?.state !== 'retired';
  }
  return isTaking;
}

function findingsError(prepared: Prepared): AppError {
  const [first] = prepared.findings;
  if (!first) return new AppError('device_missing');
  return new AppError(first.code, { ...first, findings: prepared.findings });
}

/** What was asked and answered by a person before it was sealed. */
const confirmed = ({ answers: { confirm = [] } }: Requeued) =>
  confirm.length > 0 ? { confirmed: confirm } : {};

const withoutBlanks = (answers: Answers): Answers =>
  Object.fromEntries(
    Object.entries(answers).filter(([, value]) => value !== undefined && value !== ''),
  );
