import type { App } from '@muhuri/server/app';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Api, until } from '../api.ts';
import { type PostgresProxy, startPostgresProxy } from '../proof/postgres-proxy.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startRwVsdc } from '../simulators/vsdc/rw-vsdc/index.ts';
import { approvedDevices, startWorld, type World } from '../world.ts';

let world: World;
let proxy: PostgresProxy;
let through: App;
let api: Api;
const timing = { retryFirstMs: 50, retryMaxMs: 200, settleQuietMs: 50, settleMaxMs: 100, doubtWaitMs: 100, leaseMs: 1_000, recordMaxMs: 40 };
const quick = { timing, sweepMs: 100, lanesMax: 8, waitMs: 10_000, vsdc: { answerTimeoutMs: 300, lateTimeoutMs: 20_000 } };
/** More tries than a moment's trouble would take. */
const longMeans = 9;

type Line = { fields: Record<string, unknown>; message: string };
const lines: Line[] = [];
const note = (fields: object, message: string) => void lines.push({ fields: fields as Line['fields'], message });
const log = { info: note, warn: note, error: note };
const count = (what: string) => lines.filter((each) => each.message === what).length;
/** Tried again for longer than a moment, or given up. */
const isLong = () =>
  until(
    () => count('an outcome is recorded again'),
    (tries) => tries >= longMeans || count('a lane stopped by surprise') > 0,
  );

beforeAll(async () => {
  world = await startWorld({ instead: { lanesMax: 0, waitMs: 100 } });
  proxy = await startPostgresProxy(world.databaseUrls.app);
  through = await world.anotherApp(
    { ...quick, log, closeMs: 300, statements: { askedMs: 60_000, jobMs: 1_200, connectMs: 300, graceMs: 300 } },
    { secrets: { databaseUrl: proxy.through(world.databaseUrls.app) }, config: { databasePoolMax: 2 } },
  );
  api = await Api.signIn(world, world.businesses[0].user, through.url);
  // The items are registered by the first sale, so that what follows is about sales alone.
  expect((await api.seal('invoices', next().id)).body.state).toBe('signed');
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await proxy?.close();
});
afterEach(() => {
  lines.length = 0;
});

let taken = 0;
function next(): { id: string; number: string } {
  const [business] = world.businesses;
  const source = world.zoho.documents().find((each) => each.organization_id === business.organizationId && each.what.startsWith('simple sale'));
  taken += 1;
  const [id, number] = [`46000000079${String(taken).padStart(6, '0')}`, `DA-${taken}`];
  world.zoho.add('invoices', business.organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: number,
  });
  return { id, number };
}
const sql = (text: string, parameters: unknown[] = []) => world.sql(text, parameters, world.businesses[0].businessId);
const receiptOf = async ({ id }: { id: string }) =>
  (await sql('select id, state, problem from receipt where document_id = $1', [id]))[0] as Record<string, any>;
const sendsOf = ({ id }: { id: string }) =>
  sql(
    `select a.id, a.outcome, a.ended_at is not null as ended, a.socket_closed_at is null as open, a.device_text, a.response, s.source, s.receipt_signature from receipt r join attempt a on a.receipt_id = r.id
       left join signature s on s.receipt_id = r.id where r.document_id = $1 order by a.started_at, a.id`,
    [id],
  ) as Promise<Record<string, any>[]>;
const judged = ({ number }: { number: string }) => world.vsdc.receipts().filter((each) => each.request.remark === number);
/** What a log line says of an answer, so that a person could settle its document with it. */
const takenAlong = (document: { number: string }) => {
  const { reply } = judged(document)[0] as ReturnType<typeof judged>[number];
  return {
    attempt_id: expect.any(String),
    invoice_number: expect.any(String),
    answer: expect.stringContaining(String(reply.rcptSign)),
    signature: {
      receipt_number: String(reply.rcptNo),
      total_receipt_number: String(reply.totRcptNo),
      receipt_signature: reply.rcptSign,
      internal_data: reply.intrlData,
    },
  };
};
/** Whoever presses may be told of the trouble; what was begun is looked at beside them. */
const press = ({ id }: { id: string }, by = api) => void by.seal('invoices', id).catch(() => {});

test('an answer that came in time is recorded when the database is back, however long it was away', async () => {
  const document = next();
  const outage = proxy.away((said) => said.includes('"receipt_number"'));
  press(document);
  await until(outage.done, (is) => is);
  await isLong();
  outage.back();
  const { state } = await until(
    () => receiptOf(document),
    (each) => each.state !== 'queued',
  );
  expect(state).toBe('signed');
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'signed', source: 'device', receipt_signature: judged(document)[0]?.reply.rcptSign }]);
  expect(judged(document)).toHaveLength(1);
  expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  // Said once where it was not written at once, whole and with what tells whose it is; and that it has been since.
  expect(lines.filter((each) => each.message === 'what a device said is not recorded yet')).toMatchObject([{ fields: takenAlong(document) }]);
  await until(
    () => count('what a device said is recorded after all'),
    (said) => said === 1,
  );
});

test('a database that falls silent, refusing nothing and answering nothing, is left for a connection that answers', async () => {
  const document = next();
  const outage = proxy.silent((said) => said.includes('"receipt_number"'));
  press(document);
  await until(outage.done, (is) => is);
  // Once on the connection that fell silent, and on a new one that nobody answers.
  await until(
    () => count('an outcome is recorded again'),
    (tries) => tries >= 2,
  );
  outage.back();
  const { state } = await until(
    () => receiptOf(document),
    (each) => each.state !== 'queued',
  );
  expect(state).toBe('signed');
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'signed', source: 'device', receipt_signature: judged(document)[0]?.reply.rcptSign }]);
  expect(judged(document)).toHaveLength(1);
});

test('that none came in time is recorded then too, and the late answer is still listened for: nothing is sent again meanwhile', async () => {
  const document = next();
  world.vsdc.faults(['hold_answer']);
  const outage = proxy.away((said) => said.includes('no answer in time'));
  press(document);
  await until(outage.done, (is) => is);
  await isLong();
  outage.back();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'in_doubt',
  );
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'in_doubt', open: true }]);
  // And away once more, just when the late answer is recorded.
  const again = proxy.away((said) => said.includes('late_answer'));
  world.vsdc.release();
  await until(again.done, (is) => is);
  lines.length = 0;
  await isLong();
  again.back();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'in_doubt', source: 'late_answer', receipt_signature: judged(document)[0]?.reply.rcptSign }]);
  expect(disagreeing(await statesAndFacts(world))).toEqual([]);
});

test('an answer that comes while that is not recorded yet is recorded after it', async () => {
  const document = next();
  world.vsdc.faults(['hold_answer']);
  const outage = proxy.away((said) => said.includes('no answer in time'));
  press(document);
  await until(outage.done, (is) => is);
  world.vsdc.release();
  await isLong();
  outage.back();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'in_doubt', source: 'late_answer' }]);
  expect(judged(document)).toHaveLength(1);
});

test('a server that still listens for an answer sends nothing of its document again, however long its socket was to be open', async () => {
  const document = next();
  world.vsdc.faults(['hold_answer']);
  press(document);
  await until(
    () => sendsOf(document),
    ([send]) => send?.outcome === 'in_doubt' && send.open === true,
  );
  await sql("update attempt set socket_until = now() - interval '1 minute' where receipt_id = (select id from receipt where document_id = $1)", [document.id]);
  // Its lane has been looked at since, and is to be looked at again.
  const [{ since } = {}] = await sql("select clock_timestamp() + interval '500 ms' as since");
  await until(
    async () => [await sendsOf(document), await sql('select 1 from device where lane_next_at > $1', [since])] as const,
    ([sends, lanes]) => sends.length > 1 || lanes.length > 0,
  );
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'in_doubt' }]);
  world.vsdc.release();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'in_doubt', source: 'late_answer' }]);
  expect(judged(document)).toHaveLength(1);
});

test('another server that took the lane meanwhile is told that the socket is open: it waits for the answer as well', async () => {
  const document = next();
  world.vsdc.faults(['hold_answer']);
  const outage = proxy.away((said) => said.includes('no answer in time'));
  press(document);
  await until(outage.done, (is) => is);
  // What the lane waited for before this send hides nothing: whoever began it is gone.
  await sql("update device set lane_next_at = now() + interval '1 hour'");
  const other = await world.anotherApp({ ...quick, timing: { ...timing, settleQuietMs: 3_600_000 } });
  await until(
    () => sendsOf(document),
    ([send]) => send?.ended === true,
  );
  expect(await sendsOf(document)).toMatchObject([{ device_text: 'the process that sent it is gone', open: false }]);
  outage.back();
  await until(
    () => sendsOf(document),
    ([send]) => send?.open === true,
  );
  await other.close();
  world.vsdc.release();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  expect(await sendsOf(document)).toMatchObject([{ source: 'late_answer' }]);
  expect(judged(document)).toHaveLength(1);
});

test('a late signature stands, also where the end of the send that followed it is recorded after it', async () => {
  const document = next();
  world.vsdc.faults(['hold_answer']);
  const outage = proxy.away((said) => said.includes('no answer in time'));
  press(document);
  await until(outage.done, (is) => is);
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  await owner.query('alter table attempt add constraint refuses check (not is_resend or ended_at is null) not valid');
  // The other server sends again, and cannot record how that ended; it is paused so that it is the listener who finds it.
  world.vsdc.faults(['hold']);
  const said: string[] = [];
  const hear = (_: object, message: string) => void said.push(message);
  const other = await world.anotherApp({ ...quick, timing: { ...timing, recordMaxMs: 300 }, log: { info: hear, warn: hear, error: hear } });
  await until(
    () => said,
    (all) => all.includes('how a send ended is recorded nowhere'),
  );
  await sql("update device set state = 'paused'");
  outage.back();
  await until(
    () => sendsOf(document),
    ([first]) => first?.open === true,
  );
  world.vsdc.release();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  await owner.query('alter table attempt drop constraint refuses');
  await owner.end();
  await until(
    () => sendsOf(document),
    (all) => all.length === 2 && all.every((each) => each.ended),
  );
  expect(await receiptOf(document)).toMatchObject({ state: 'signed', problem: null });
  await sql("update device set state = 'active' where state = 'paused'");
  expect((await api.seal('invoices', next().id)).body.state).toBe('signed');
  await other.close();
  expect(judged(document)).toHaveLength(1);
  expect(disagreeing(await statesAndFacts(world))).toEqual([]);
});

test.each(['in time', 'late'])(
  'an answer %s that the database refuses although it is there holds nothing up, and a person settles the doubt with it',
  async (when) => {
    const document = next();
    const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
    await owner.connect();
    await owner.query('alter table signature add constraint refuses check (false) not valid');
    if (when === 'late') world.vsdc.faults(['hold_answer']);
    press(document);
    await until(
      () => receiptOf(document),
      (each) => each?.state === 'in_doubt',
    );
    world.vsdc.release();
    const [first] = await until(
      () => sendsOf(document),
      ([send]) => send?.open === false,
    );
    await owner.query('alter table signature drop constraint refuses');
    await owner.end();
    const [signed] = judged(document);
    expect(first).toMatchObject({ outcome: 'in_doubt', response: expect.stringContaining(String(signed?.reply.rcptSign)) });
    const { id } = await receiptOf(document);
    const admin = await Api.signIn(world, world.businesses[0].admin, through.url);
    expect((await admin.post(`/receipts/${id}/evidence`, { found: 'kept' })).body).toMatchObject({
      state: 'signed',
      receipt_signature: signed?.reply.rcptSign,
    });
    expect(judged(document)).toHaveLength(1);
  },
);

test('an answer that a full disk keeps from being written is recorded once there is room, however long that takes', async () => {
  const document = next();
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  await owner.query(
    "create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$",
  );
  await owner.query('create trigger full_disk before insert on signature for each row execute function full_disk()');
  await owner.query('create trigger full_disk before update on attempt for each row execute function full_disk()');
  press(document);
  await isLong();
  await owner.query('drop trigger full_disk on signature');
  await owner.query('drop trigger full_disk on attempt');
  await owner.query('drop function full_disk');
  await owner.end();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'signed', source: 'device', receipt_signature: judged(document)[0]?.reply.rcptSign }]);
  expect(judged(document)).toHaveLength(1);
});

test('where not even the doubt can be written, the lane begins it later, and leaves the socket open that is listened to', async () => {
  const document = next();
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  // How any send ends is refused; that somebody finds one without an end is not.
  await owner.query('alter table attempt add constraint refuses check (device_code is null) not valid');
  world.vsdc.faults(['hold_answer']);
  press(document);
  await until(
    () => receiptOf(document),
    (each) => each?.state === 'in_doubt',
  );
  await owner.query('alter table attempt drop constraint refuses');
  await owner.end();
  expect(await sendsOf(document)).toMatchObject([{ outcome: 'in_doubt', open: true, device_text: 'how it ended could not be recorded' }]);
  world.vsdc.release();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  expect(await sendsOf(document)).toMatchObject([{ source: 'late_answer', receipt_signature: judged(document)[0]?.reply.rcptSign }]);
});

test('the keys of a device, which come once, are kept when the database is back as well', async () => {
  const [business] = world.businesses;
  const following = await startRwVsdc({
    approved: [
      {
        tin: business.taxpayerId,
        bhfId: '00',
        serial: 'follows',
        name: approvedDevices[0]?.name ?? '',
        sdcId: 'SDC0300999999',
        before: { lastInvoiceNumber: 40, sales: [] },
      },
    ],
  });
  onTestFinished(() => following.close());
  const admin = await Api.signIn(world, business.admin, through.url);
  const branch = `/branches/${business.branchIds[0]}`;
  expect((await admin.put(`${branch}/next-device`, { for: 'replacement', address: following.url, serial: 'follows' })).status).toBe(200);
  const outage = proxy.away((said) => said.includes('device.initialised'));
  const asked = admin.post(`${branch}/initialise`);
  await until(outage.done, (is) => is);
  await until(
    () => count('an outcome is recorded again'),
    (tries) => tries >= longMeans || count('what a device was given at its initialisation is recorded nowhere') > 0,
  );
  outage.back();
  await asked;
  expect(await sql("select secrets is not null as kept from device where serial = 'follows'")).toEqual([{ kept: true }]);
});

test('a server that has to end before the database is back says which answer it takes along', async () => {
  const document = next();
  const outage = proxy.away((said) => said.includes('"receipt_number"'));
  press(document);
  await until(outage.done, (is) => is);
  await until(
    () => count('an outcome is recorded again'),
    (tries) => tries >= 2,
  );
  const { id } = await receiptOf(document);
  await through.close();
  outage.back();
  expect(lines.filter((each) => each.message === 'how a send ended is recorded nowhere')).toMatchObject([
    { fields: { receipt_id: id, invoice_number: expect.any(String), answer: expect.stringContaining(String(judged(document)[0]?.reply.rcptSign)) } },
  ]);
});

// What follows is asked for at a server that works no lane, so that nobody waits at the one that ends, and nobody else works its lanes.

test('a server that has to end while the database is silent says which answer it takes along', async () => {
  await through.close();
  const ends = await world.anotherApp(
    { ...quick, log, closeMs: 1_000, timing: { ...timing, recordLastMs: 50 } },
    { secrets: { databaseUrl: proxy.through(world.databaseUrls.app) } },
  );
  const document = next();
  const outage = proxy.silent((said) => said.includes('"receipt_number"'));
  press(document, await Api.signIn(world, world.businesses[0].user));
  await until(outage.done, (is) => is);
  await ends.close();
  outage.back();
  const isNowhere = (each: Line) => each.message === 'how a send ended is recorded nowhere';
  const taken = await until(
    () => lines.filter(isNowhere),
    (said) => said.length > 0,
  );
  expect(taken).toMatchObject([{ fields: takenAlong(document) }]);
});

test('what the database refuses when a server has to end is still written as a doubt, with the answer beside it', async () => {
  await through.close();
  const ends = await world.anotherApp({ ...quick, log, closeMs: 1_000, timing: { ...timing, recordMaxMs: 60_000 } });
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  await owner.query('alter table signature add constraint refuses check (false) not valid');
  const document = next();
  press(document, await Api.signIn(world, world.businesses[0].user));
  await until(
    () => count('what a device said is not recorded yet'),
    (said) => said > 0,
  );
  await ends.close();
  await owner.query('alter table signature drop constraint refuses');
  await owner.end();
  expect(await receiptOf(document)).toMatchObject({ state: 'in_doubt' });
  expect(await sendsOf(document)).toMatchObject([{ ended: true, open: false, response: expect.stringContaining(String(judged(document)[0]?.reply.rcptSign)) }]);
});
