import { registerHooks } from 'node:module';

/*
 * The product, broken on purpose: an attempt is written after it was sent instead of before. Preloaded into a server process by the
 * negative control, which must fail by it. It ends with an error where the places it changes are not found.
 */
const changes: [file: RegExp, from: string, to: string][] = [
  [
    /receipts\/run-lane\.ts$/,
    ": await ports.vsdc.send(device, { path: dialect.sell.path, body: request }, { businessId: ctx.businessId, as: 'sale', mayLeave });",
    `: await ports.vsdc.send(device, { path: dialect.sell.path, body: request }, { businessId: ctx.businessId, as: 'sale', mayLeave });
  await ctx.transaction((tx) => (globalThis as any).frozen.get(sending.attemptId)(tx));`,
  ],
  [
    /receipts\/lane\.store\.ts$/,
    'export async function freeze(tx: Tx, businessId: string, attempt: NewAttempt, counters: { next: string; free: string[] }, laneUntil: Date): Promise<void> {',
    `export async function freeze(_tx: Tx, businessId: string, attempt: NewAttempt, counters: { next: string; free: string[] }, laneUntil: Date): Promise<void> {
  ((globalThis as any).frozen ??= new Map()).set(attempt.id, (tx: Tx) => freezeNow(tx, businessId, attempt, counters, laneUntil));
}
async function freezeNow(tx: Tx, businessId: string, attempt: NewAttempt, counters: { next: string; free: string[] }, laneUntil: Date): Promise<void> {`,
  ],
];

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const change = changes.find(([file]) => file.test(url));
    if (!change) return loaded;
    const source = String(loaded.source);
    if (!source.includes(change[1])) throw new Error(`the negative control does not find what it breaks in ${url}`);
    return { ...loaded, source: source.replace(change[1], change[2]) };
  },
});
