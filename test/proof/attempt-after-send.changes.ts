/**
 * What the negative control of the crash proof breaks: each text of the product, and what stands in
 * its place then.
 */
export const changes: { file: string; from: string; to: string }[] = [
  {
    file: 'server/src/receipts/lane/send-attempt.ts',
    from: `    const sent = await exchange(send, step);`,
    to: `    const sent = await exchange(send, step);
    await run.ctx.transaction((tx) => (globalThis as any).frozen.get(sending.attemptId)(tx));`,
  },
  {
    file: 'server/src/receipts/receipt/attempt.store.ts',
    from: `export async function freeze(
  tx: Tx,
  businessId: string,
  attempt: NewAttempt,
  counters: { next: string; free: string[] },
  laneUntil: Date,
): Promise<void> {`,
    to: `export async function freeze(
  _tx: Tx,
  businessId: string,
  attempt: NewAttempt,
  counters: { next: string; free: string[] },
  laneUntil: Date,
): Promise<void> {
  ((globalThis as any).frozen ??= new Map()).set(attempt.id, (tx: Tx) =>
    freezeNow(tx, businessId, attempt, counters, laneUntil),
  );
}
async function freezeNow(
  tx: Tx,
  businessId: string,
  attempt: NewAttempt,
  counters: { next: string; free: string[] },
  laneUntil: Date,
): Promise<void> {`,
  },
];
