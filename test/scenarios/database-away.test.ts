import type { App } from '@muhuri/server/app';
import { vaultFrom } from '@muhuri/server/platform/vault';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Api, until } from '../api.ts';
import { type PostgresProxy, startPostgresProxy } from '../proof/postgres-proxy.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';
import { approvedDevices, startWorld, type World } from '../world.ts';

let world: World;
let proxy: PostgresProxy;
let through: App;
let api: Api;
const timing = {
  retryFirstMs: 50,
  retryMaxMs: 200,
  settleQuietMs: 50,
  settleMaxMs: 100,
  doubtWaitMs: 100,
  leaseMs: 1_600,
  recordMaxMs: 40,
  recordSayMs: 200,
};
const quick = {
  timing,
  sweepMs: 100,
  lanesMax: 8,
  waitMs: 10_000,
  vsdc: { answerTimeoutMs: 600, lateTimeoutMs: 20_000 },
};
/** More tries than a moment's trouble would take. */
const longMeans = 9;

type Line = { fields: Record<string, unknown>; message: string };
const lines: Line[] = [];
const note = (fields: object, message: string) =>
  void lines.push({ fields: fields as Line['fields'], message });
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
    {
      ...quick,
      log,
      closeMs: 300,
      statements: { askedMs: 60_000, jobMs: 1_200, connectMs: 300, graceMs: 300 },
    },
    {
      secrets: { databaseUrl: proxy.through(world.databaseUrls.app) },
      config: { databasePoolMax: 2 },
    },
  );
  api = await Api.signIn(world, world.businesses[0].user, through.url);
  // The items are registered by the first sale, so that what follows is about sales alone.
  const first = next();
  await until(
    () => api.seal('invoices', first.id),
    ({ body }) => body.state === 'signed',
  );
  lines.length = 0;
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await proxy?.close();
});
afterEach(() => {
  lines.length = 0;
  // What one test armed must not befall the next.
  proxy.reset();
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
  const [id, number] = [`46000000079${String(taken).padStart(6, '0')}`, `DA-${taken}`];
  world.zoho.add('invoices', business.organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: number,
  });
  return { id, number };
}
const sql = (text: string, parameters: unknown[] = []) =>
  world.sql(text, parameters, world.businesses[0].businessId);
/** As the owner of the tables, whom their walls let through in this business. */
const owned = async (text: string, parameters: unknown[] = []) => {
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  try {
    await owner.query("select set_config('app.business_id', $1, false)", [
      world.businesses[0].businessId,
    ]);
    await owner.query(text, parameters);
  } finally {
    await owner.end();
  }
};
const receiptOf = async ({ id }: { id: string }) =>
  (await sql('select id, state, problem from receipt where document_id = $1', [id]))[0] as Record<
    string,
    any
  >;
const sendsOf = ({ id }: { id: string }) =>
  sql(
    `select a.id, a.outcome, a.ended_at is not null as ended, a.socket_closed_at is null as open, a.device_text, a.response, s.source, s.receipt_signature from receipt r join attempt a on a.receipt_id = r.id
       left join signature s on s.receipt_id = r.id where r.document_id = $1 order by a.started_at, a.id`,
    [id],
  ) as Promise<Record<string, any>[]>;
const judged = ({ number }: { number: string }) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
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
  expect(await sendsOf(document)).toMatchObject([
    { outcome: 'signed', source: 'device', receipt_signature: judged(document)[0]?.reply.rcptSign },
  ]);
  expect(judged(document)).toHaveLength(1);
  expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  // Said once where it was not written at once, whole and with what tells whose it is; and that it
  // has been since.
  expect(
    lines.filter((each) => each.message === 'what a device said is not recorded yet'),
  ).toMatchObject([{ fields: takenAlong(document) }]);
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
  // Said long before anybody knows that it failed: until then a hard kill would take it along
  // without a word.
  const said = await until(
    () => lines.filter((each) => each.message === 'what a device said is not recorded yet'),
    (all) => all.length > 0,
  );
  expect(said).toMatchObject([
    {
      fields: {
        ...takenAlong(document),
        error: expect.stringContaining('not recorded within 200 ms'),
      },
    },
  ]);
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
  expect(await sendsOf(document)).toMatchObject([
    { outcome: 'signed', source: 'device', receipt_signature: judged(document)[0]?.reply.rcptSign },
  ]);
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
  expect(await sendsOf(document)).toMatchObject([
    {
      outcome: 'in_doubt',
      source: 'late_answer',
      receipt_signature: judged(document)[0]?.reply.rcptSign,
    },
  ]);
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
  await sql(
    "update attempt set socket_until = now() - interval '1 minute' where receipt_id = (select id from receipt where document_id = $1)",
    [document.id],
  );
  // Its lane has been looked at since, and is to be looked at again.
  const [{ since } = {}] = await sql("select clock_timestamp() + interval '500 ms' as since");
  await until(
    async () =>
      [
        await sendsOf(document),
        await sql('select 1 from device where lane_next_at > $1', [since]),
      ] as const,
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
  const other = await world.anotherApp({
    ...quick,
    timing: { ...timing, settleQuietMs: 3_600_000 },
  });
  await until(
    () => sendsOf(document),
    ([send]) => send?.ended === true,
  );
  expect(await sendsOf(document)).toMatchObject([
    { device_text: 'the process that sent it is gone', open: false },
  ]);
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
  await owner.query(
    'alter table attempt add constraint refuses check (not is_resend or ended_at is null) not valid',
  );
  // The other server sends again, and cannot record how that ended; it is paused so that it is the
  // listener who finds it.
  world.vsdc.faults(['hold']);
  const said: string[] = [];
  const hear = (_: object, message: string) => void said.push(message);
  const other = await world.anotherApp({
    ...quick,
    timing: { ...timing, recordMaxMs: 300 },
    log: { info: hear, warn: hear, error: hear },
  });
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
    expect(first).toMatchObject({
      outcome: 'in_doubt',
      response: expect.stringContaining(String(signed?.reply.rcptSign)),
    });
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
  await owner.query(
    'create trigger full_disk before insert on signature for each row execute function full_disk()',
  );
  await owner.query(
    'create trigger full_disk before update on attempt for each row execute function full_disk()',
  );
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
  expect(await sendsOf(document)).toMatchObject([
    { outcome: 'signed', source: 'device', receipt_signature: judged(document)[0]?.reply.rcptSign },
  ]);
  expect(judged(document)).toHaveLength(1);
});

test('where not even the doubt can be written, the lane begins it later, and leaves the socket open that is listened to', async () => {
  const document = next();
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  // How any send ends is refused; that somebody finds one without an end is not.
  await owner.query(
    'alter table attempt add constraint refuses check (device_code is null) not valid',
  );
  world.vsdc.faults(['hold_answer']);
  press(document);
  await until(
    () => receiptOf(document),
    (each) => each?.state === 'in_doubt',
  );
  await owner.query('alter table attempt drop constraint refuses');
  await owner.end();
  expect(await sendsOf(document)).toMatchObject([
    { outcome: 'in_doubt', open: true, device_text: 'how it ended could not be recorded' },
  ]);
  world.vsdc.release();
  await until(
    () => receiptOf(document),
    (each) => each.state === 'signed',
  );
  expect(await sendsOf(document)).toMatchObject([
    { source: 'late_answer', receipt_signature: judged(document)[0]?.reply.rcptSign },
  ]);
});

describe('the keys of a device, which come once', () => {
  const [askAgain, lostFor] = [
    'an outcome is recorded again',
    'what a device was given at its initialisation is recorded nowhere',
  ];
  const own = () => world.businesses[0];
  const branch = () => `/branches/${own().branchIds[0]}`;
  const master = () => vaultFrom(world.settingsOf().secrets.masterKey);
  let entered = 0;
  /**
   * A device that is to follow the one at work, entered and not yet asked for its keys; the
   * authority's last number of the branch is 40.
   */
  const enter = async () => {
    entered += 1;
    const [serial, sdcId] = [`follows-${entered}`, `SDC030099999${entered}`];
    const following = await startRwVsdc({
      approved: [
        {
          tin: own().taxpayerId,
          bhfId: '00',
          serial,
          name: approvedDevices[0]?.name ?? '',
          sdcId,
          before: { lastInvoiceNumber: 40, sales: [] },
        },
      ],
    });
    onTestFinished(async () => {
      await following.close();
      await sql(
        "update device set state = 'retired', retired_at = now() where succeeds is not null and state = 'new'",
      );
    });
    expect(
      (
        await admin.put(`${branch()}/next-device`, {
          for: 'replacement',
          address: following.url,
          serial,
        })
      ).status,
    ).toBe(200);
    const mrc = following.device(own().taxpayerId, '00').mrcNo;
    const given = () => {
      const [cmcKey, intrlKey, signKey] = following.keysOf(own().taxpayerId, '00');
      return { cmcKey, intrlKey, signKey };
    };
    const typed = { sdc_id: sdcId, mrc_number: mrc, last_invoice_number: '40' };
    return { serial, sdcId, mrc, following, given, typed };
  };
  /** What stands of it, with its keys opened. */
  const rowOf = async ({ sdcId, serial }: { sdcId: string; serial: string }) => {
    const [row] = (await sql(
      `select d.id, d.state, d.serial, d.sdc_id, d.mrc_number, d.next_invoice_number::text as next, d.problem, d.secrets, d.keys_aside, b.data_key
         from device d, business b where d.serial = $1 or d.sdc_id = $2 order by d.state = 'new' desc, d.created_at desc limit 1`,
      [serial, sdcId],
    )) as Record<string, any>[];
    const open = (field: string, sealed: string | null) =>
      sealed && JSON.parse(master().decrypt(row?.data_key, own().businessId, field, sealed));
    return {
      ...row,
      secrets: open(`device:${row?.id}`, row?.secrets),
      aside: open(`device:${row?.id}:aside`, row?.keys_aside),
    } as Record<string, any>;
  };
  /** What a person is shown of keys that are set aside, in the alerts and with the device. */
  const shownAside = async (deviceId: string) => {
    const alerts = (await beside.get('/alerts')).body.alerts as {
      subject: string;
      problem: { code: string };
    }[];
    const branches = (await beside.get('/branches')).body.branches as Record<string, any>[];
    const device = branches
      .flatMap((each) => [each.device, each.next_device, ...each.retired_devices])
      .find((each) => each?.id === deviceId);
    return {
      alerts: alerts.filter((each) => each.subject === deviceId).map((each) => each.problem),
      listed: device?.keys_aside,
    };
  };
  /** Longer ago than anybody's question is waited for. */
  const longAgo = ({ serial }: { serial: string }) =>
    sql(
      `update device set problem = jsonb_set(problem, '{asked_at}', '"2020-01-01T00:00:00.000Z"') where serial = $1`,
      [serial],
    );
  /** Asked for its keys, which wait in the memory of this server because the database is away. */
  const holdKeys = async (by = admin, door = proxy) => {
    const outage = door.away((said) => said.includes('device.initialised'));
    const asked = by.post(`${branch()}/initialise`);
    onTestFinished(outage.back);
    await until(outage.done, (is) => is);
    return { asked, outage };
  };
  /** The same person at the server whose database goes away, and at another one. */
  let admin: Api;
  let beside: Api;
  beforeAll(async () => {
    admin = await Api.signIn(world, own().admin, through.url);
    beside = await Api.signIn(world, own().admin, world.app.url);
  });

  test('are kept when the database is back as well', async () => {
    const device = await enter();
    const { asked, outage } = await holdKeys();
    await until(
      () => count(askAgain),
      (tries) => tries >= longMeans || count(lostFor) > 0,
    );
    outage.back();
    expect((await asked).status).toBe(200);
    expect(await rowOf(device)).toMatchObject({
      sdc_id: device.sdcId,
      secrets: device.given(),
      problem: null,
    });
  });

  test('are kept where the device was taken over by hand meanwhile', async () => {
    const device = await enter();
    const { asked, outage } = await holdKeys();
    await longAgo(device);
    expect((await beside.post(`${branch()}/adopt`, device.typed)).status).toBe(200);
    outage.back();
    expect((await asked).status).toBe(200);
    expect(await rowOf(device)).toMatchObject({
      sdc_id: device.sdcId,
      next: '41',
      secrets: device.given(),
    });
  });

  test('are kept where it was taken over with typing errors: as long as nothing was signed so, what it said of itself holds', async () => {
    const device = await enter();
    const { asked, outage } = await holdKeys();
    await longAgo(device);
    const mistyped = {
      sdc_id: 'SDC0300999000',
      mrc_number: 'WIS00009999',
      last_invoice_number: '4',
    };
    expect((await beside.post(`${branch()}/adopt`, mistyped)).status).toBe(200);
    outage.back();
    expect((await asked).status).toBe(200);
    expect(await rowOf(device)).toMatchObject({
      sdc_id: device.sdcId,
      mrc_number: device.mrc,
      next: '41',
      secrets: device.given(),
    });
    const [said] = await sql(
      "select before, after from audit where action = 'device.initialised' order by at desc limit 1",
    );
    expect(said).toMatchObject({ before: mistyped, after: { sdc_id: device.sdcId } });
  });

  test('are set aside where something was signed as the other already, and it is said what to do', async () => {
    const device = await enter();
    const { asked, outage } = await holdKeys();
    await longAgo(device);
    expect(
      (await beside.post(`${branch()}/adopt`, { ...device.typed, sdc_id: 'SDC0300999001' })).status,
    ).toBe(200);
    const { id } = await rowOf(device);
    const [signed] = await sql('select receipt_id, device_id, sdc_id from signature limit 1');
    const signedBy = (deviceId: unknown, sdcId: unknown) =>
      owned('update signature set device_id = $1, sdc_id = $2 where receipt_id = $3', [
        deviceId,
        sdcId,
        signed?.receipt_id,
      ]);
    await signedBy(id, 'SDC0300999001');
    outage.back();
    const refused = await asked;
    await signedBy(signed?.device_id, signed?.sdc_id);
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'keys_set_aside', said: device.sdcId },
    });
    expect(await rowOf(device)).toMatchObject({
      sdc_id: 'SDC0300999001',
      secrets: null,
      aside: [{ sdc_id: device.sdcId, keys: device.given() }],
    });
    const shown = await shownAside(id as string);
    expect(shown).toMatchObject({
      alerts: [{ code: 'keys_set_aside', serial: device.serial, said: device.sdcId }],
      listed: [{ serial: device.serial, sdc_id: device.sdcId }],
    });
    expect(JSON.stringify([refused.body, lines, shown])).not.toContain(device.given().signKey);
  });

  test('are set aside where another device was entered in its place meanwhile', async () => {
    const device = await enter();
    const { asked, outage } = await holdKeys();
    await longAgo(device);
    // Asked a second time, elsewhere, it says that it was initialised before: nobody knows that its
    // keys are still on their way.
    expect((await beside.post(`${branch()}/initialise`)).body.code).toBe('initialised_before');
    const another = {
      for: 'replacement',
      address: device.following.url,
      serial: `${device.serial}-b`,
    };
    expect((await beside.put(`${branch()}/next-device`, another)).status).toBe(200);
    outage.back();
    expect(await asked).toMatchObject({
      status: 409,
      body: { code: 'keys_set_aside', serial: device.serial },
    });
    const row = await rowOf({ ...device, serial: another.serial });
    expect(row).toMatchObject({
      sdc_id: null,
      secrets: null,
      aside: [{ serial: device.serial, keys: device.given() }],
    });
    // A rotation seals them anew with the others.
    await world.app.rotateKeys();
    expect(await shownAside(row.id as string)).toMatchObject({
      alerts: [{ code: 'keys_set_aside' }],
      listed: [{ serial: device.serial }],
    });
    expect((await rowOf({ ...device, serial: another.serial })).aside).toEqual(row.aside);
  });

  test('are kept where it was asked a second time while they waited', async () => {
    const device = await enter();
    const { asked, outage } = await holdKeys();
    await longAgo(device);
    expect((await beside.post(`${branch()}/initialise`)).body.code).toBe('initialised_before');
    outage.back();
    expect((await asked).status).toBe(200);
    expect(await rowOf(device)).toMatchObject({
      sdc_id: device.sdcId,
      secrets: device.given(),
      problem: null,
    });
  });

  test.each(['first', 'last'])(
    'are those it gave last where it gave others to a second question, also where these are stored %s',
    async (when) => {
      const device = await enter();
      device.following.set({ second_initialisation: 'new_keys' });
      const early = await holdKeys();
      const before = device.given();
      await longAgo(device);
      if (when === 'first') {
        expect((await beside.post(`${branch()}/initialise`)).status).toBe(200);
        early.outage.back();
        expect((await early.asked).status).toBe(200);
      } else {
        const door = await startPostgresProxy(world.databaseUrls.app);
        const other = await world.anotherApp(
          { ...quick, closeMs: 300 },
          { secrets: { databaseUrl: door.through(world.databaseUrls.app) } },
        );
        const late = await holdKeys(await Api.signIn(world, own().admin, other.url), door);
        early.outage.back();
        expect((await early.asked).status).toBe(200);
        late.outage.back();
        expect((await late.asked).status).toBe(200);
        await other.close();
        await door.close();
      }
      expect(device.given()).not.toEqual(before);
      expect(await rowOf(device)).toMatchObject({
        sdc_id: device.sdcId,
        secrets: device.given(),
        aside: [{ keys: before }],
      });
    },
  );

  test('hold the device for longer while they cannot be written though the database is there', async () => {
    const device = await enter();
    const { asked, outage } = await holdKeys();
    await longAgo(device);
    await owned(
      `alter table device add constraint refuses check (secrets is null or serial <> '${device.serial}') not valid`,
    );
    outage.back();
    expect((await asked).status).toBe(500);
    await owned('alter table device drop constraint refuses');
    expect(count(lostFor)).toBe(1);
    expect(await beside.post(`${branch()}/adopt`, device.typed)).toMatchObject({
      status: 409,
      body: { code: 'initialisation_under_way' },
    });
  });
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
  expect(
    lines.filter((each) => each.message === 'how a send ended is recorded nowhere'),
  ).toMatchObject([
    {
      fields: {
        receipt_id: id,
        invoice_number: expect.any(String),
        answer: expect.stringContaining(String(judged(document)[0]?.reply.rcptSign)),
      },
    },
  ]);
});

// What follows is asked for at a server that works no lane, so that nobody waits at the one that
// ends, and nobody else works its lanes.

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
  const ends = await world.anotherApp({
    ...quick,
    log,
    closeMs: 1_000,
    timing: { ...timing, recordMaxMs: 60_000 },
  });
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  await owner.query('alter table signature add constraint refuses check (false) not valid');
  const document = next();
  press(document, await Api.signIn(world, world.businesses[0].user));
  // Of this document: what the server before took along may be refused as well.
  const { id } = await until(
    () => receiptOf(document),
    (receipt) => receipt !== undefined,
  );
  await until(
    () =>
      lines.filter(
        ({ message, fields }) =>
          message === 'what a device said is not recorded yet' && fields.receipt_id === id,
      ).length,
    (said) => said > 0,
  );
  await ends.close();
  await owner.query('alter table signature drop constraint refuses');
  await owner.end();
  expect(await receiptOf(document)).toMatchObject({ state: 'in_doubt' });
  expect(await sendsOf(document)).toMatchObject([
    {
      ended: true,
      open: false,
      response: expect.stringContaining(String(judged(document)[0]?.reply.rcptSign)),
    },
  ]);
});
