import type { StoredProblem } from '@muhuri/shared/problems';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { findDrift } from '../prepare/preflight.ts';
import { isStill } from '../sale/document-hash.ts';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { type CreatePorts, createPrepared } from './create-receipt.ts';
import { ownReceipt } from '../prepare/receipt-of-environment.ts';
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
 * Synchronizes a document of which something says that it changed. A signed one is checked for
 * drift; one that is not signed and that `wants` accepts is opened, if nothing is missing. A
 * person's withdrawal is not overruled, and what waits or is in doubt is the lane's.
 */
export const syncDocument =
  (ports: CreatePorts): SyncDocument =>
  async (ctx, module, id, wants) => {
    const found = await ctx.transaction((tx) => findReceiptOf(tx, module, id));
    if (isOfLane(found)) return leftToLane(found);
    const read = (own: Receipt | null) => readIfThere(ports, ctx, { module, id }, own);
    const first = await read(found);
    const receipt = first ? await ownReceipt(ctx, first, found) : found;
    const prepared = receipt?.id === found?.id ? first : await read(receipt);
    if (isOfLane(receipt)) return leftToLane(receipt);
    if (receipt?.state === 'signed')
      return {
        document: prepared?.document ?? null,
        receipt: await findDrift(ctx, receipt, prepared, ports.clock),
        problem: null,
      };
    if (!prepared) return { document: null, receipt, problem: null };
    // Asked in any case: whether it is exempt is known by that.
    const isWanted = wants(prepared);
    const problem = whyNotOpened(prepared, receipt, isWanted);
    if (problem !== undefined) return { document: prepared.document, receipt, problem };
    return openWanted(ports, ctx, prepared, receipt);
  };

const isOfLane = (receipt: Receipt | null): receipt is Receipt & { state: 'queued' | 'in_doubt' } =>
  receipt?.state === 'queued' || receipt?.state === 'in_doubt';

const leftToLane = (receipt: Receipt): SyncedDocument => ({
  document: null,
  receipt,
  problem: receipt.problem,
});

/** Reads a document; null: it is not there any more. */
const readIfThere = (
  ports: CreatePorts,
  ctx: Context,
  { module, id }: Pick<BooksDocument, 'module' | 'id'>,
  own: Receipt | null,
): Promise<Prepared | null> =>
  ports.prepareSale(ctx, module, id, {}, own).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'document_unknown') return null;
    throw error;
  });

/** Says why a document is not opened, if that is known; undefined: it is opened. */
function whyNotOpened(
  { document, findings }: Prepared,
  receipt: Receipt | null,
  isWanted: boolean,
): StoredProblem | null | undefined {
  const [finding] = findings;
  if (!isWanted || isTriedBefore(document, receipt)) return receipt?.problem ?? finding ?? null;
  return finding;
}

/** What a device refused it would refuse again, unless the document has changed since. */
const isTriedBefore = (document: BooksDocument, receipt: Receipt | null): boolean =>
  receipt?.state === 'withdrawn' ||
  (receipt?.state === 'refused' && isStill(document, receipt.documentHash));

async function openWanted(
  ports: CreatePorts,
  ctx: Context,
  prepared: Prepared,
  receipt: Receipt | null,
): Promise<SyncedDocument> {
  const { document } = prepared;
  try {
    const opened = await createPrepared(ports)(ctx, prepared, receipt);
    return { document, receipt: opened, problem: null };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { document, receipt, problem: error.problem };
  }
}
