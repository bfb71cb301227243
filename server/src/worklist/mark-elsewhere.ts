import type { Recorder } from '../audit/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import { type Elsewhere, holdForMarking, setElsewhere } from '../receipts/index.ts';
import type { DocumentKey } from '../document-sync/index.ts';
import { type WorklistRow, listDocumentStatuses } from './worklist.store.ts';
import type { DocumentStatus } from './document-status.ts';

type Ports = { clock: Clock; record: Recorder };

/** Where a document may stand that somebody marks, or takes a mark back from. */
const markable: DocumentStatus[] = ['before_production', 'to_seal', 'refused', 'sealed_elsewhere'];

/**
 * A person says that another system sealed these documents of before their branch sealed for real,
 * or that a refund which no device here takes is settled with the authority. All of them or none:
 * one that is neither, or is being sealed here, is named, so that nobody believes that it was
 * marked.
 */
export const markElsewhere =
  (ports: Ports) =>
  async (ctx: Context, keys: DocumentKey[], reason: string): Promise<number> =>
    ctx.transaction(async (tx) => {
      const by =
        ctx.actor.type === 'person'
          ? { by: ctx.actor.name, by_id: ctx.actor.membershipId }
          : { by: 'Muhuri', by_id: ctx.actor.id };
      const said: Elsewhere = { reason, ...by, at: ports.clock.now().toISOString() };
      let marked = 0;
      for (const [key, row] of await standingsOf(tx, keys)) {
        // Said already, and by somebody else perhaps: what was said first stands.
        if (row?.elsewhere) continue;
        if (!row?.mayBeElsewhere)
          throw new AppError('not_before_production', {
            field: 'documents',
            document_number: row?.number ?? key.documentId,
          });
        await setElsewhere(tx, key, said);
        await ports.record(tx, ctx, {
          action: 'document.sealed_elsewhere',
          subject: key.documentId,
          before: { standing: row.standing },
          after: {
            module: key.module,
            document_number: row.number,
            total: `${row.currency} ${row.total}`,
            reason,
          },
        });
        marked += 1;
      }
      return marked;
    });

/**
 * It was not so after all: the documents stand as before, and somebody has to say what becomes of
 * them.
 */
export const unmarkElsewhere =
  (ports: Ports) =>
  async (ctx: Context, keys: DocumentKey[]): Promise<number> =>
    ctx.transaction(async (tx) => {
      let takenBack = 0;
      for (const [key, row] of await standingsOf(tx, keys)) {
        if (!row?.elsewhere) continue;
        await setElsewhere(tx, key, null);
        await ports.record(tx, ctx, {
          action: 'document.sealed_elsewhere_taken_back',
          subject: key.documentId,
          before: { module: key.module, ...row.elsewhere },
          after: { document_number: row.number },
        });
        takenBack += 1;
      }
      return takenBack;
    });

/**
 * Where these documents stand, held until the transaction ends, so that none of them is sealed
 * meanwhile.
 */
async function standingsOf(
  tx: Tx,
  keys: DocumentKey[],
): Promise<[DocumentKey, WorklistRow | undefined][]> {
  await holdForMarking(tx, keys);
  const { goLiveDate, settings } = await getBusiness(tx);
  const rows = await listDocumentStatuses(tx, {
    goLiveDate,
    sealsApproved: settings.auto_seal === 'approved',
    from: null,
    to: null,
    standings: markable,
    branch: null,
    documentIds: keys.map((key) => key.documentId),
    search: null,
    limit: keys.length * 2,
    after: null,
  });
  return keys.map((key) => [
    key,
    rows.find((row) => row.module === key.module && row.documentId === key.documentId),
  ]);
}
