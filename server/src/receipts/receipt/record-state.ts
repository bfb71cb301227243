import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../../platform/db/database.ts';
import { fromJson, json, query, queryOne } from '../../platform/db/query.ts';
import {
  type ReceiptFacts,
  type ReceiptState,
  requireState,
  type StateWithoutDoubt,
  type Wish,
} from './receipt.model.ts';

/*
 * The column `state` is derived from the facts (`stateOf`) and written in the transaction that
 * writes one of them, so that a lane finds its work by an index. `recordState` is the one place
 * that writes it alone. If other columns go along in the same statement, the state comes from
 * `decideState`: `beginDoubt`, `requeueReceipt`, `moveReceipt`.
 *
 * Two statements write it without asking:
 * - `recordSigned`: the same statement writes the signature, and it is the path of every receipt,
 *   where each question is a wait.
 * - `insertReceipt`: a receipt that is just being opened has no facts yet.
 */

type Read = { signed: boolean; moved: boolean; attempts: unknown };

/** Reads what the state of a receipt follows from. */
async function readFacts(
  tx: Tx,
  receiptId: string,
): Promise<Omit<ReceiptFacts, 'choice' | 'about'>> {
  const row = (await queryOne<Read>(
    tx,
    `select coalesce(r.moved_to, '') <> '' as moved,
       exists (select 1 from signature s where s.business_id = r.business_id and s.receipt_id = r.id) as signed,
       coalesce((select jsonb_agg(jsonb_build_object('outcome', a.outcome, 'resolution', a.resolution, 'invoiceNumber', a.invoice_number::text))
                   from attempt a where a.business_id = r.business_id and a.receipt_id = r.id), '[]') as attempts
       from receipt r where r.id = $1`,
    [receiptId],
  )) as Read;
  return { isSigned: row.signed, isMoved: row.moved, attempts: fromJson(row.attempts) };
}

/** Returns the state of a receipt by its facts, for a statement that writes it. */
export const decideState = async (
  tx: Tx,
  receiptId: string,
  wish: Wish,
  known: Partial<Pick<ReceiptFacts, 'isMoved' | 'about'>> = {},
): Promise<ReceiptState> =>
  requireState(receiptId, wish, { ...(await readFacts(tx, receiptId)), ...known });

/**
 * Lets a receipt go from its number, as whatever it is from now on. How often something was tried
 * is counted within one state. `about`: the number it is let go from.
 */
export async function recordState(
  tx: Tx,
  receiptId: string,
  change: { state: StateWithoutDoubt; problem: StoredProblem | null; about?: string | null },
  at: Date,
): Promise<void> {
  const known = change.about === undefined ? {} : { about: change.about };
  const state = await decideState(tx, receiptId, change.state, known);
  await query(
    tx,
    `update receipt set state = $2, problem = $3, invoice_number = null, next_try_at = null, updated_at = $4, tries = case when state = $2 then tries else 0 end
      where id = $1`,
    [receiptId, state, json(change.problem), at],
  );
}
