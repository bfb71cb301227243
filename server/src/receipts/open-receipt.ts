import type { Recorder } from '../audit/index.ts';
import { ensureItem, hasUnregistered } from '../catalogue/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Queue } from '../platform/queue/queue.ts';
import type { Dialects } from '../ports/dialect.ts';
import type { BooksDocument } from './document.model.ts';
import type { Filed } from './filing.model.ts';
import type { Answers } from './make-sale.model.ts';
import type { Prepared, PrepareSale } from './prepare-sale.ts';
import { findReceipt, findReceiptOf, insertReceipt, listRefundsOf, lockReceipt, type Receipt, requeueReceipt } from './receipt.store.ts';
import { checkRefund } from './refund.model.ts';

export type OpenReceipt = (ctx: Context, input: { module: BooksDocument['module']; document_id: string } & Answers, isReplay: boolean) => Promise<Receipt>;

type Ports = { prepareSale: PrepareSale; dialects: Dialects; queue: Pick<Queue, 'wakeLane'>; record: Recorder; clock: Clock; newId: NewId };

/**
 * Opens the receipt of a document, or finds the one there is: two clicks, a webhook and a bulk run at once make one row, by the unique
 * key over (business, module, document, kind). A refused or withdrawn one is read again and put back in its lane as the same receipt,
 * unless the request is a repetition.
 */
export const openReceipt =
  (ports: Ports): OpenReceipt =>
  async (ctx, { module, document_id, ...answers }, isReplay) => {
    const existing = await ctx.transaction((tx) => findReceiptOf(tx, module, document_id));
    const isOver = existing?.state === 'refused' || existing?.state === 'withdrawn';
    if (existing && (!isOver || isReplay)) return existing;
    const merged = existing ? { ...existing.answers, ...withoutBlanks(answers) } : withoutBlanks(answers);
    if (answers.confirm?.length && ctx.permissions && !ctx.permissions.includes('confirm')) throw new AppError('not_allowed', { field: 'confirm' });
    return openPrepared(ports)(ctx, await ports.prepareSale(ctx, module, document_id, merged, existing?.id ?? null), existing, merged);
  };

/** The same for a document that was read just now. */
export const openPrepared =
  (ports: Omit<Ports, 'prepareSale'>) =>
  async (ctx: Context, prepared: Prepared, existing: Receipt | null, merged: Answers): Promise<Receipt> => {
    const { module, id: documentId } = prepared.document;
    // A production device signs nothing before the setup has been walked through; a rehearsal on a sandbox device is part of it.
    if (prepared.business.status === 'pending' && prepared.device?.environment === 'production') throw new AppError('setup_unfinished');
    if (prepared.business.status !== 'active' && prepared.business.status !== 'pending') throw new AppError('business_suspended');
    const { filed, device } = prepared;
    if (!filed || !device) throw findingsError(prepared);
    return ctx.transaction(async (tx) => {
      if (prepared.saleReceipt) await checkUnderLock(tx, prepared, filed, existing?.id ?? null);
      const coded = await withItemCodes(tx, ctx.businessId, filed, ports, device.dialect);
      const as = {
        filed: coded,
        needsRegistering: await hasUnregistered(
          tx,
          coded.sale.lines.map((line) => line.itemCode),
        ),
        documentHash: prepared.documentHash,
        answers: merged,
        documentNumber: filed.sale.documentNumber,
        documentDate: filed.sale.documentDate,
        branchId: device.branchId,
        deviceId: device.id,
        saleReceiptId: prepared.saleReceipt?.id ?? null,
      };
      const id = existing ? await reopen(tx, ctx, existing.id, as) : await open(tx, ctx, as);
      await ports.queue.wakeLane(tx, { business_id: ctx.businessId, device_id: device.id });
      return get(tx, id);
    });

    async function open(tx: Tx, ctx: Context, as: Parameters<typeof requeueReceipt>[2]): Promise<string> {
      const id = ports.newId('receipt');
      const isNew = await insertReceipt(tx, ctx.businessId, { ...as, id, module, documentId, kind: as.filed.sale.kind }, ports.clock.now());
      if (!isNew) return ((await findReceiptOf(tx, module, documentId)) as Receipt).id;
      await ports.record(tx, ctx, {
        action: 'receipt.opened',
        subject: id,
        after: { module, document_id: documentId, document_number: as.documentNumber, total: as.filed.sale.total },
      });
      return id;
    }

    async function reopen(tx: Tx, ctx: Context, id: string, as: Parameters<typeof requeueReceipt>[2]): Promise<string> {
      const locked = await lockReceipt(tx, id);
      // Somebody else was quicker: what they did stands.
      if (locked?.state !== 'refused' && locked?.state !== 'withdrawn') return id;
      await requeueReceipt(tx, id, as, ports.clock.now());
      await ports.record(tx, ctx, {
        action: 'receipt.reopened',
        subject: id,
        before: { state: locked.state, problem: locked.problem },
        after: { total: as.filed.sale.total },
      });
      return id;
    }
  };

/** A refund is opened under a lock on its sale's row, so that two refunds at once count each other. */
async function checkUnderLock(tx: Tx, prepared: Prepared, filed: Filed, ownId: string | null): Promise<void> {
  const sale = await lockReceipt(tx, prepared.saleReceipt?.id as string);
  if (sale?.state !== 'signed') throw new AppError('refund_sale_unsigned', { field: 'invoice_id' });
  // The same credit note at another click: its own row is not another refund.
  const own = ownId ?? (await findReceiptOf(tx, 'creditnotes', prepared.document.id))?.id ?? null;
  const others = await listRefundsOf(tx, sale.id, own);
  const refused = checkRefund(
    filed.sale,
    sale.filed.sale,
    others.map((other) => other.sale),
    prepared.business.settings.partial_refunds,
  );
  if (refused) throw new AppError(refused.code, refused);
}

/** Gives every line the code its item has, making codes for items met the first time. */
export async function withItemCodes(
  tx: Tx,
  businessId: string,
  filed: Filed,
  ports: { dialects: Dialects; newId: NewId; clock: Clock },
  dialectKey: string,
): Promise<Filed> {
  const dialect = ports.dialects.of(dialectKey);
  const codes = new Map<string, string>();
  for (const line of filed.sale.lines) {
    if (codes.has(line.source)) continue;
    const make = { id: ports.newId('item'), code: (sequence: number) => dialect.itemCode(line.content, sequence) };
    codes.set(line.source, await ensureItem(tx, businessId, line.source, line.content, make, ports.clock.now()));
  }
  return { ...filed, sale: { ...filed.sale, lines: filed.sale.lines.map((line) => ({ ...line, itemCode: codes.get(line.source) as string })) } };
}

export function findingsError(prepared: Prepared): AppError {
  const [first] = prepared.findings;
  if (!first) return new AppError('device_missing');
  return new AppError(first.code, { ...first, findings: prepared.findings });
}

const withoutBlanks = (answers: Answers): Answers => Object.fromEntries(Object.entries(answers).filter(([, value]) => value !== undefined && value !== ''));

async function get(tx: Tx, id: string): Promise<Receipt> {
  return (await findReceipt(tx, id)) as Receipt;
}
