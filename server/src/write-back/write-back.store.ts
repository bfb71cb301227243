import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, toDateOrNull } from '../platform/db/query.ts';

export type StepName = 'custom_fields' | 'attachment' | 'comment' | 'mail';
export type StepState = 'waiting' | 'begun' | 'done' | 'skipped' | 'failed';
/** `begun`: it may have happened; only a mail is not simply looked for before it is done again. */
export type Step = {
  receiptId: string;
  step: StepName;
  state: StepState;
  tries: number;
  problem: StoredProblem | null;
  doneAt: Date | null;
};

/** In this order: the mail takes the file along. */
export const order: StepName[] = ['custom_fields', 'attachment', 'comment', 'mail'];

const columns = 'receipt_id, step, state, tries, problem, done_at';
const toStep = (row: Record<string, unknown>): Step => ({
  receiptId: row.receipt_id as string,
  step: row.step as StepName,
  state: row.state as StepState,
  tries: row.tries as number,
  problem: fromJson(row.problem),
  doneAt: toDateOrNull(row.done_at),
});

export async function insertSteps(
  tx: Tx,
  businessId: string,
  receiptId: string,
  steps: StepName[],
  at: Date,
): Promise<void> {
  const rows = steps.map((step) => ({
    business_id: businessId,
    receipt_id: receiptId,
    step,
    position: order.indexOf(step),
    state: 'waiting',
    tries: 0,
    next_at: at,
    created_at: at,
  }));
  const given = 'business_id, receipt_id, step, position, state, tries, next_at, created_at';
  await query(
    tx,
    `insert into write_back (${given}) select ${given} from jsonb_populate_recordset(null::write_back, $1) on conflict do nothing`,
    [json(rows)],
  );
}

/**
 * The steps of one receipt that has any due and of which no worker has any in hand, taken for a
 * while; empty where nothing is due.
 *
 * Its first step stands for the receipt, whatever has become of that: workers that find different
 * steps of it due still meet at the one lock. Whoever got it may have looked before another worker
 * had committed, and so looks once more.
 */
export async function claimReceipt(tx: Tx, at: Date, until: Date): Promise<Step[]> {
  const isDue = (w: string) => `${w}.state in ('waiting', 'begun') and ${w}.next_at <= $1
        and not exists (select 1 from write_back o where o.receipt_id = ${w}.receipt_id and o.leased_until >= $1)`;
  for (;;) {
    const [due] = await query<{ receipt_id: string }>(
      tx,
      `select w.receipt_id from write_back w
         join write_back f on f.business_id = w.business_id and f.receipt_id = w.receipt_id
          and f.position = (select min(m.position) from write_back m where m.business_id = w.business_id and m.receipt_id = w.receipt_id)
        where ${isDue('w')} order by w.next_at, w.receipt_id limit 1 for update of f skip locked`,
      [at],
    );
    if (!due) return [];
    const taken = await query(
      tx,
      `update write_back set leased_until = $3 where receipt_id = $2 and state in ('waiting', 'begun')
          and exists (select 1 from write_back w where w.receipt_id = $2 and ${isDue('w')}) returning 1`,
      [at, due.receipt_id, until],
    );
    if (taken.length > 0) return listSteps(tx, due.receipt_id);
  }
}

export const listSteps = async (tx: Tx, receiptId: string): Promise<Step[]> =>
  (
    await query(tx, `select ${columns} from write_back where receipt_id = $1 order by position`, [
      receiptId,
    ])
  ).map(toStep);

/**
 * Writes down what came of it, as long as it is ours: whoever was slower than the lease says
 * nothing of what another worker has in hand by now.
 */
export const setStep = async (
  tx: Tx,
  step: Step,
  nextAt: Date | null,
  lease: Date,
): Promise<boolean> =>
  (
    await query(
      tx,
      `update write_back set state = $3, tries = $4, problem = $5, done_at = $6, next_at = $7, leased_until = null
        where receipt_id = $1 and step = $2 and leased_until = $8 returning 1`,
      [
        step.receiptId,
        step.step,
        step.state,
        step.tries,
        json(step.problem),
        step.doneAt,
        nextAt,
        lease,
      ],
    )
  ).length > 0;

/**
 * From here on it may have happened; the lease goes on, so that no other worker takes it for
 * abandoned. False where another one has taken it.
 */
export const beginStep = async (tx: Tx, { receiptId, step }: Step, lease: Date): Promise<boolean> =>
  (
    await query(
      tx,
      "update write_back set state = 'begun' where receipt_id = $1 and step = $2 and state = 'waiting' and leased_until = $3 returning 1",
      [receiptId, step, lease],
    )
  ).length > 0;

/**
 * What failed is tried anew. A mail that may have left is not, unless a person asks for just that.
 */
export const retrySteps = (tx: Tx, receiptId: string, withMail: boolean, at: Date) =>
  query(
    tx,
    "update write_back set state = 'waiting', tries = 0, next_at = $2, problem = null where receipt_id = $1 and state = 'failed' and ($3 or step <> 'mail')",
    [receiptId, at, withMail],
  );
