import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Api, until } from '../api.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
const timing = {
  retryFirstMs: 50,
  retryMaxMs: 200,
  settleQuietMs: 50,
  settleMaxMs: 100,
  doubtWaitMs: 100,
  leaseMs: 10_000,
  recordMaxMs: 40,
};
const quick = {
  timing,
  sweepMs: 50,
  lanesMax: 8,
  closeMs: 300,
  vsdc: { answerTimeoutMs: 5_000, lateTimeoutMs: 20_000 },
};

beforeAll(async () => {
  world = await startWorld({ instead: { lanesMax: 0 } });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

let taken = 0;
function next(): { id: string; number: string } {
  const [business] = world.businesses;
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
    );
  taken += 1;
  const [id, number] = [`46000000077${String(taken).padStart(6, '0')}`, `ES-${taken}`];
  world.zoho.add('invoices', business.organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: number,
  });
  return { id, number };
}
const sql = (text: string, parameters: unknown[] = []) =>
  world.sql(text, parameters, world.businesses[0].businessId);
const receiptOf = async ({ id }: { id: string }) =>
  (
    await sql('select state, invoice_number::text as number from receipt where document_id = $1', [
      id,
    ])
  )[0] as { state: string; number: string | null };
const sendsOf = ({ id }: { id: string }) =>
  sql(
    'select a.outcome, a.may_have_left from attempt a join receipt r on r.id = a.receipt_id where r.document_id = $1 order by a.started_at, a.id',
    [id],
  );
const judged = ({ number }: { number: string }) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
const anotherSigns = async (documents: { id: string; number: string }[]) => {
  const another = await world.anotherApp(quick);
  for (const document of documents)
    await until(
      () => receiptOf(document),
      ({ state }) => state === 'signed',
    );
  await another.close();
  for (const document of documents) expect(judged(document)).toHaveLength(1);
  expect(disagreeing(await statesAndFacts(world))).toEqual([]);
};

test('a server that ends hears the device out and records what it signed, and begins nothing new of what waits behind it', async () => {
  const ending = await world.anotherApp(quick);
  const api = await Api.signIn(world, world.businesses[0].user, ending.url);
  // The items are registered by the first sale.
  expect((await api.seal('invoices', next().id)).body.state).toBe('signed');
  await sql("update device set state = 'paused' where state = 'active'");
  const [first, ...behind] = [next(), next(), next()] as const;
  for (const { id } of [first, ...behind])
    expect((await api.seal('invoices', id)).body.state).toBe('queued');
  // Longer than anything else is waited for at the end, and not as long as a device may take.
  world.vsdc.faults(['stall:900']);
  await sql(
    "update device set state = 'active', problem = null, lane_next_at = null where state = 'paused'",
  );
  await until(
    () => judged(first),
    (signed) => signed.length === 1,
  );
  await ending.close();
  expect(await receiptOf(first)).toMatchObject({ state: 'signed' });
  expect(await sendsOf(first)).toEqual([{ outcome: 'signed', may_have_left: true }]);
  for (const document of behind) {
    expect(await receiptOf(document)).toEqual({ state: 'queued', number: null });
    expect(await sendsOf(document)).toEqual([]);
  }
  // The lane is free at once.
  expect(
    await sql('select 1 from device where lane_holder is not null or open_attempt is not null'),
  ).toEqual([]);
  await anotherSigns([first, ...behind]);
}, 20_000);

test('what it had just written down and not sent yet is recorded as never sent, keeps its number, and is no doubt', async () => {
  const ending = await world.anotherApp(quick);
  const api = await Api.signIn(world, world.businesses[0].user, ending.url);
  const document = next();
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  onTestFinished(() => owner.end());
  // The send is written down, and its commit takes until the end of the server has begun.
  await owner.query(
    "create function hold_commit() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(7700077); return null; end'",
  );
  await owner.query(
    'create constraint trigger hold_commit after insert on attempt deferrable initially deferred for each row execute function hold_commit()',
  );
  await owner.query('select pg_advisory_lock(7700077)');
  void api.seal('invoices', document.id).catch(() => {});
  await until(
    async () =>
      (
        await owner.query(
          "select 1 from pg_locks where locktype = 'advisory' and objid = 7700077 and not granted",
        )
      ).rows,
    (rows) => rows.length === 1,
  );
  const ended = ending.close();
  await owner.query('select pg_advisory_unlock(7700077)');
  await ended;
  await owner.query('drop trigger hold_commit on attempt');
  expect(await sendsOf(document)).toEqual([{ outcome: 'unreachable', may_have_left: false }]);
  expect(judged(document)).toEqual([]);
  expect(await receiptOf(document)).toEqual({ state: 'queued', number: expect.any(String) });
  await anotherSigns([document]);
}, 20_000);
