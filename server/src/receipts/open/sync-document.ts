import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { findDrift } from '../prepare/preflight.ts';
import { isStill } from '../sale/document-hash.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { type CreatePorts, createPrepared } from './create-receipt.ts';
import { ownReceipt } from '../prepare/own-receipt.ts';
import type { Prepared } from '../prepare/prepare-sale.ts';
import { findReceiptOf } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

/**
 * `document` null: it is not there any more. `problem`: why it was not sealed although it should
 * be.
 */
type SyncedDocument = {
  document: BooksDocument | null;
  receipt: Receipt | null;
  problem: StoredProblem | null;
};

export type SyncDocument = (
  ctx: Context,
  module: BooksDocument['module'],
  id: string,
  wants: (prepared: Prepared) => boolean,
) => Promise<SyncedDocument>;

/**
 * Looks at a document because something says that it changed. A sealed one is looked through for
 * drift; one that is not sealed and that `wants` says yes to is sealed, if nothing is missing. A
 * person's withdrawal is not overruled, and what waits or is in doubt is the lane's.
 */
export const syncDocument =
  (ports: CreatePorts): SyncDocument =>
  async (ctx, module, id, wants) => {
    const found = await ctx.transaction((tx) => findReceiptOf(tx, module, id));
    if (found?.state === 'queued' || found?.state === 'in_doubt')
      return { document: null, receipt: found, problem: found.problem };
    const read = (own: Receipt | null) =>
      ports.prepareSale(ctx, module, id, {}, own).catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'document_unknown') return null;
        throw error;
      });
    const first = await read(found);
    const receipt = first ? await ownReceipt(ctx, first, found) : found;
    const prepared = receipt?.id === found?.id ? first : await read(receipt);
    if (receipt?.state === 'queued' || receipt?.state === 'in_doubt')
      return { document: null, receipt, problem: receipt.problem };
    if (receipt?.state === 'signed')
      return {
        document: prepared?.document ?? null,
        receipt: await findDrift(ctx, receipt, prepared, ports.clock),
        problem: null,
      };
    if (!prepared) return { document: null, receipt, problem: null };
    const { document } = prepared;
    // What a device refused it would refuse again, unless the document has changed since.
    const isTriedBefore =
      receipt?.state === 'withdrawn' ||
      (receipt?.state === 'refused' && isStill(document, receipt.documentHash));
    // Asked in any case: whether it is exempt is known by that.
    if (!wants(prepared) || isTriedBefore)
      return { document, receipt, problem: receipt?.problem ?? prepared.findings[0] ?? null };
    if (prepared.findings.length > 0)
      return { document, receipt, problem: prepared.findings[0] as StoredProblem };
    try {
      return {
        document,
        receipt: await createPrepared(ports)(ctx, prepared, receipt),
        problem: null,
      };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { document, receipt, problem: error.problem };
    }
  };
