import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { openDatabase } from '@muhuri/server/platform/db/database';
import { openQueue } from '@muhuri/server/platform/queue/queue';
import { silentLog } from '@muhuri/server/platform/log';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, until, codeFor } from '../api.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let api: Api;
let admin: Api;
beforeAll(async () => {
  world = await startWorld({
    instead: {
      vsdc: { answerTimeoutMs: 4_000, lateTimeoutMs: 5_000, connectTimeoutMs: 4_000 },
      timing: {
        retryFirstMs: 150,
        retryMaxMs: 300,
        settleQuietMs: 200,
        settleMaxMs: 400,
        doubtWaitMs: 400,
        leaseMs: 8_000,
      },
      sweepMs: 300,
      waitMs: 10_000,
    },
  });
  api = await Api.signIn(world, world.businesses[0].user);
  admin = await Api.signIn(world, world.businesses[0].admin);
  // The items are registered by the first sale, so that what follows is about sales alone.
  await api.seal('invoices', invoice().id);
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => {
  world.vsdc.faults([]);
  world.zoho.faults([]);
});

const business = () => world.businesses[0];
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
const present = async (id: string) => (await api.get(`/receipts/${id}`)).body;
const signed = (id: string) =>
  until(
    () => present(id),
    (each) => each.state === 'signed',
  );
let made = 0;
function invoice(): { id: string; number: string } {
  made += 1;
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
    );
  const id = `46000000007${String(made).padStart(8, '0')}`;
  world.zoho.add('invoices', business().organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: `D-${made}`,
  });
  return { id, number: `D-${made}` };
}
const moveDevice = (address: string) =>
  world.sql(
    'update device set address = $1 where branch_id = $2',
    [address, business().branchIds[0]],
    business().businessId,
  );
const unreachable = 'http://127.0.0.1:9';

describe('a device that cannot be reached', () => {
  test('keeps the document and its number; changed meanwhile it is frozen anew under the same number', async () => {
    const document = invoice();
    await moveDevice(unreachable);
    const reply = await api.seal('invoices', document.id);
    expect(reply).toMatchObject({
      status: 202,
      body: { state: 'queued', problem: { code: 'device_unreachable' } },
    });
    const number = (await present(reply.body.id)).invoice_number;
    expect(number).not.toBeNull();
    world.zoho.change('invoices', document.id, { customer_name: 'Hotel Ikirezi, renamed' });
    await moveDevice(world.vsdc.url);
    expect((await signed(reply.body.id)).invoice_number).toBe(number);
    expect(judged(document.number).map((each) => each.request.custNm)).toEqual([
      'Hotel Ikirezi, renamed',
    ]);
  });

  test('a document voided, deleted or withdrawn while nothing has left gives its number to the next', async () => {
    const documents = [invoice(), invoice(), invoice()];
    const next = invoice();
    await moveDevice(unreachable);
    const [voided, deleted, withdrawn] = (
      await Promise.all(documents.map((each) => api.seal('invoices', each.id)))
    ).map((each) => each.body.id as string) as [string, string, string];
    const held = await until(
      async () =>
        (await Promise.all([voided, deleted, withdrawn].map(present)))
          .map((each) => each.invoice_number)
          .filter(Boolean),
      (each) => each.length > 0,
    );
    world.zoho.change('invoices', documents[0]?.id ?? '', { status: 'void' });
    world.zoho.change('invoices', documents[1]?.id ?? '', null);
    // Not while one of its tries is under way.
    await until(
      () => api.post(`/receipts/${withdrawn}/withdraw`),
      (each) => each.status === 200,
    );
    expect((await present(withdrawn)).state).toBe('withdrawn');
    await world.sql(
      "update receipt set read_at = read_at - interval '1 hour' where state = 'queued'",
      [],
      business().businessId,
    );
    await moveDevice(world.vsdc.url);
    for (const id of [voided, deleted])
      await until(
        () => present(id),
        (each) => each.state === 'withdrawn',
      );
    expect([(await present(voided)).problem.code, (await present(deleted)).problem.code]).toEqual([
      'document_void',
      'document_deleted',
    ]);
    const reply = await api.seal('invoices', next.id);
    expect((await signed(reply.body.id)).invoice_number).toBe(held[0]);
    expect(documents.flatMap((each) => judged(each.number))).toEqual([]);
  });

  test('a document that the device may have is not withdrawn before the device has answered, and that is said', async () => {
    const document = invoice();
    const letGo = Promise.withResolvers<void>();
    let held = 0;
    // The device, which takes its time for this document.
    const slow = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const body = Buffer.concat(parts).toString('utf8');
      if (body.includes(document.number)) {
        held += 1;
        await letGo.promise;
      }
      const answer = await fetch(`${world.vsdc.url}${request.url}`, {
        method: request.method ?? 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      });
      response
        .writeHead(answer.status, { 'content-type': 'application/json' })
        .end(await answer.text());
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', () => resolve()));
    try {
      await moveDevice(`http://127.0.0.1:${(slow.address() as AddressInfo).port}`);
      const sealing = api.seal('invoices', document.id);
      await until(
        () => held,
        (n) => n > 0,
      );
      const [row] = await world.sql(
        'select id from receipt where document_id = $1',
        [document.id],
        business().businessId,
      );
      const early = await api.post(`/receipts/${row?.id as string}/withdraw`);
      letGo.resolve();
      expect(early).toMatchObject({
        status: 409,
        body: { code: 'device_may_have_it', fix: 'wait' },
      });
      expect((await sealing).body).toMatchObject({ state: 'signed' });
      expect((await api.post(`/receipts/${row?.id as string}/withdraw`)).body).toMatchObject({
        code: 'wrong_state',
        state: 'signed',
      });
    } finally {
      letGo.resolve();
      await moveDevice(world.vsdc.url);
      slow.closeAllConnections();
      await new Promise<void>((resolve) => slow.close(() => resolve()));
    }
  });

  test.each(['refuse:910', 'offline'])(
    'a document refused (after %s), corrected and held up by an unreachable device is sealed as corrected, under the number it got back',
    async (fault) => {
      const document = invoice();
      world.vsdc.faults([fault, 'refuse:910']);
      const first = await api.seal('invoices', document.id);
      await until(
        () => present(first.body.id),
        (each) => each.state === 'refused' || each.state === 'signed',
      );
      world.vsdc.faults([]);
      if ((await present(first.body.id)).state !== 'refused')
        throw new Error('it was to be refused');
      world.zoho.change('invoices', document.id, { customer_name: 'Corrected once' });
      await moveDevice(unreachable);
      expect((await api.seal('invoices', document.id)).body).toMatchObject({
        id: first.body.id,
        state: 'queued',
      });
      world.zoho.change('invoices', document.id, { customer_name: 'Corrected twice' });
      await moveDevice(world.vsdc.url);
      await signed(first.body.id);
      expect(judged(document.number).map((each) => each.request.custNm)).toEqual([
        'Corrected twice',
      ]);
    },
  );

  test('a document that cannot be read in Zoho stands aside without blocking the lane, and goes when it can', async () => {
    const [aside, other] = [invoice(), invoice()];
    await admin.post(`/branches/${business().branchIds[0]}/pause`);
    const reply = await api.seal('invoices', aside.id);
    expect(reply.body).toMatchObject({ state: 'queued', problem: { code: 'device_paused' } });
    await world.sql(
      'update receipt set read_at = null where id = $1',
      [reply.body.id],
      business().businessId,
    );
    world.zoho.faults(['html']);
    await admin.post(`/branches/${business().branchIds[0]}/resume`);
    await until(
      () => present(reply.body.id),
      (each) => each.problem?.code === 'books_unavailable',
    );
    expect((await api.seal('invoices', other.id)).body.state).toBe('signed');
    // Pausing and resuming hurries what stands aside, too.
    await admin.post(`/branches/${business().branchIds[0]}/pause`);
    await admin.post(`/branches/${business().branchIds[0]}/resume`);
    await signed(reply.body.id);
  });

  test('is asked again soon about a document that could not be read for long, which is read now and waits for its items', async () => {
    const document = invoice();
    const { line_items } = world.zoho.document('invoices', document.id) as { line_items: object[] };
    world.zoho.change('invoices', document.id, {
      line_items: line_items.map((line, n) => ({
        ...line,
        item_id: `46000000008880${n}`,
        name: 'Not sold yet',
      })),
    });
    await admin.post(`/branches/${business().branchIds[0]}/pause`);
    const { id } = (await api.seal('invoices', document.id)).body;
    // As if Zoho had been away for an hour.
    await world.sql(
      `update receipt set read_at = null, tries = 12, problem = '{"code":"books_unavailable"}', next_try_at = now() + interval '5 minutes' where id = $1`,
      [id],
      business().businessId,
    );
    let asked = 0;
    // The device, which is gone as soon as it is asked; nobody asks it once more.
    const gone = createServer(async (request) => {
      asked += 1;
      await admin.post(`/branches/${business().branchIds[0]}/pause`);
      request.socket.destroy();
    });
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', () => resolve()));
    try {
      await moveDevice(`http://127.0.0.1:${(gone.address() as AddressInfo).port}`);
      await admin.post(`/branches/${business().branchIds[0]}/resume`);
      const [row] = await until(
        () =>
          world.sql(
            `select round(extract(epoch from r.next_try_at - r.updated_at) * 1000)::int as ms, r.problem->>'code' as code from receipt r
               join device d on d.business_id = r.business_id and d.id = r.device_id where r.id = $1 and d.lane_holder is null and d.state = 'paused'`,
            [id],
            business().businessId,
          ),
        (rows) => rows.length === 1 && asked === 1,
      );
      expect(row).toEqual({ ms: 150, code: 'device_no_answer' });
    } finally {
      await moveDevice(world.vsdc.url);
      gone.closeAllConnections();
      await new Promise<void>((resolve) => gone.close(() => resolve()));
    }
    await admin.post(`/branches/${business().branchIds[0]}/resume`);
    await signed(id);
  });
});

describe('what the device answers', () => {
  test.each([
    ['834', 'refused', 'device_refused'],
    ['881', 'refused', 'refused_purchase_code_missing'],
    ['882', 'refused', 'refused_purchase_code_invalid'],
    ['883', 'refused', 'refused_purchase_code_used'],
    ['884', 'refused', 'refused_buyer_tin'],
    ['891', 'refused', 'device_refused'],
    ['895', 'refused', 'device_refused'],
    ['910', 'refused', 'refused_amounts'],
    ['911', 'refused', 'device_refused'],
    ['913', 'refused', 'refused_code'],
    ['922', 'refused', 'refused_original'],
    ['930', 'refused', 'refused_original'],
  ])(
    '%s is %s with %s, in words, and the document can be sealed afterwards',
    async (code, state, problem) => {
      const document = invoice();
      world.vsdc.faults([`refuse:${code}`]);
      const reply = await api.seal('invoices', document.id);
      expect(reply).toMatchObject({
        status: 200,
        body: { state, invoice_number: null, problem: { code: problem, device_code: code } },
      });
      expect(reply.body.problem.title.length).toBeGreaterThan(10);
      expect((await api.seal('invoices', document.id)).body).toMatchObject({
        id: reply.body.id,
        state: 'signed',
      });
      expect(judged(document.number)).toHaveLength(1);
    },
  );

  test('counters as text and a padded MRC are read as they are meant', async () => {
    world.vsdc.set({ counters_as_strings: true, pad_mrc: true });
    const reply = await api.seal('invoices', invoice().id);
    world.vsdc.set({ counters_as_strings: false, pad_mrc: false });
    expect(reply.body).toMatchObject({ state: 'signed', mrc_number: 'WIS00000001' });
  });
});

test('what the column says of every receipt so far is what its facts say', async () => {
  const all = await statesAndFacts(world);
  expect(all.length).toBeGreaterThan(10);
  expect(disagreeing(all)).toEqual([]);
});

describe('initialising and adopting', () => {
  const register = async (address: string) => {
    made += 1;
    const { businessId, branchIds } = await world.app.registerBusiness({
      business: {
        business_name: `Third ${made}`,
        email: `third${made}@example.rw`,
        location: 'Kigali',
        tin_number: `10030${String(made).padStart(4, '0')}`,
        phone_number: '0',
        country: 'RW',
        vat_registered: true,
        go_live_date: '2026-01-01',
        settings: {},
        branding: {},
      },
      branches: [
        {
          branch_code: '00',
          name: 'Head office',
          address: '',
          device: { dialect: 'rw-vsdc', serial: 'unknown', environment: 'sandbox', address },
        },
      ],
      zoho: {
        organization_id: `480000${made}`,
        grant: {
          accounts_server: world.zoho.url,
          api_domain: world.zoho.url,
          client_id: 'x',
          client_secret: 'x',
          refresh_token: 'x',
        },
      },
      account: {
        username: `third${made}`,
        name: 'Third',
        email: `third${made}@example.rw`,
        password: 'a long enough password',
        role: 'business_admin',
      },
    });
    const api = await Api.signIn(world, {
      username: `third${made}`,
      password: 'a long enough password',
    });
    return { api, businessId, branchId: branchIds[0] as string };
  };

  test('a serial the authority does not know, a device that is off and an address in a forbidden network are told apart', async () => {
    const known = await register(world.vsdc.url);
    expect(await known.api.post(`/branches/${known.branchId}/initialise`)).toMatchObject({
      status: 503,
      body: { code: 'device_invalid', device_code: '901' },
    });
    const off = await register(unreachable);
    expect(await off.api.post(`/branches/${off.branchId}/initialise`)).toMatchObject({
      status: 503,
      body: { code: 'device_unreachable' },
    });
    const forbidden = await register('http://10.1.2.3:8080');
    expect(await forbidden.api.post(`/branches/${forbidden.branchId}/initialise`)).toMatchObject({
      status: 422,
      body: { code: 'device_address_refused' },
    });
  });

  test('a device that was asked for its keys stays who it is until its answer is known, and may only stand elsewhere', async () => {
    const known = await register(world.vsdc.url);
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = createServer((request, response) => {
      asked.resolve();
      void answer.promise.then(() =>
        response.end(
          JSON.stringify({
            resultCd: '901',
            resultMsg: 'It is not valid device',
            resultDt: '20261126080000',
            data: null,
          }),
        ),
      );
      request.resume();
    });
    await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(slow.address() as AddressInfo).port}`;
    const set = (is: object) =>
      known.api.put('/businesses/me/vsdc-config', {
        branch_id: known.branchId,
        address,
        serial: 'unknown',
        environment: 'sandbox',
        dialect: 'rw-vsdc',
        ...is,
      });
    expect((await set({})).status).toBe(200);
    const initialised = known.api.post(`/branches/${known.branchId}/initialise`);
    await asked.promise;
    expect(await set({ serial: 'another' })).toMatchObject({
      status: 409,
      body: { code: 'device_being_set_up', field: 'serial' },
    });
    expect(await set({ environment: 'production' })).toMatchObject({
      status: 409,
      body: { code: 'device_being_set_up', field: 'environment' },
    });
    expect((await set({})).status).toBe(200);
    // Nor is it anybody else's meanwhile: taken over by hand, its keys would come in vain, and they
    // come once.
    const byHand = { sdc_id: 'SDC010000778', mrc_number: 'WIS00000778', last_invoice_number: '0' };
    const refused = { status: 409, body: { code: 'initialisation_under_way' } };
    expect(await known.api.post(`/branches/${known.branchId}/adopt`, byHand)).toMatchObject(
      refused,
    );
    expect(await known.api.post(`/branches/${known.branchId}/initialise`)).toMatchObject(refused);
    // However long it takes, as long as this server waits for it.
    await world.sql(
      `update device set problem = jsonb_set(problem, '{asked_at}', '"2020-01-01T00:00:00.000Z"') where branch_id = $1`,
      [known.branchId],
      known.businessId,
    );
    expect(await known.api.post(`/branches/${known.branchId}/adopt`, byHand)).toMatchObject(
      refused,
    );
    expect(await known.api.post(`/branches/${known.branchId}/initialise`)).toMatchObject(refused);
    answer.resolve();
    expect(await initialised).toMatchObject({ status: 503, body: { code: 'device_invalid' } });
    expect((await set({ serial: 'another' })).status).toBe(200);
    expect((await known.api.post(`/branches/${known.branchId}/adopt`, byHand)).status).toBe(200);
    slow.close();
  });

  test('a device is initialised once, its keys are kept sealed, and one initialised elsewhere is adopted with its last number', async () => {
    expect(await admin.post(`/branches/${business().branchIds[0]}/initialise`)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state' },
    });
    const [device] = await world.sql(
      'select secrets from device where branch_id = $1',
      [business().branchIds[0]],
      business().businessId,
    );
    expect(device?.secrets).toMatch(/^v1\./);
    const third = await register(world.vsdc.url);
    const adopted = await third.api.post(`/branches/${third.branchId}/adopt`, {
      sdc_id: 'SDC010000777',
      mrc_number: 'WIS00000777',
      last_invoice_number: '246',
    });
    expect(adopted.body.device).toMatchObject({
      state: 'active',
      sdc_id: 'SDC010000777',
      next_invoice_number: '247',
    });
    expect(
      await third.api.post(`/branches/${third.branchId}/adopt`, {
        sdc_id: 'SDC010000777',
        mrc_number: 'WIS00000777',
        last_invoice_number: '1',
      }),
    ).toMatchObject({ status: 409 });
    expect(await third.api.seal('invoices', '1')).toMatchObject({
      status: 503,
      body: { code: 'books_client_refused' },
    });
  });
});

describe('one person in two businesses', () => {
  test('chooses one when nothing tells, lands in the one of the open organization, and switches', async () => {
    const [first, second] = world.businesses;
    const { rows } = await platform(
      'select person_id from reference.membership_index where business_id = $1 limit 1',
      [first.businessId],
    );
    const personId = rows[0]?.person_id as string;
    const [username] = (
      await platform('select username from reference.person where id = $1', [personId])
    ).rows.map((row) => row.username as string);
    await world.sql(
      "insert into membership (business_id, id, person_id, role, permissions, status, created_at) values ($1, 'mem_00000000000000000000000000000001', $2, 'business_user', '{}', 'active', now())",
      [second.businessId, personId],
      second.businessId,
    );
    await platform(
      "insert into reference.membership_index (person_id, business_id, membership_id) values ($1, $2, 'mem_00000000000000000000000000000001')",
      [personId, second.businessId],
    );
    const anyone = new Api(world.app.url);
    const given = { username, password: first.admin.password };
    const code = await codeFor(world, first.admin);
    const asked = await anyone.post('/auth/login', { ...given, code });
    expect(asked).toMatchObject({ status: 409, body: { code: 'choose_membership' } });
    expect(asked.body.memberships).toHaveLength(2);
    // The code given with the question is used up by the answer to it.
    expect(
      (await anyone.post('/auth/login', { ...given, code, business_id: second.businessId })).body
        .business,
    ).toMatchObject({
      id: second.businessId,
      role: 'business_user',
    });
    const again = { ...given, code: await codeFor(world, first.admin) };
    const session = await anyone.post('/auth/login', {
      ...again,
      organization_id: first.organizationId,
    });
    expect(session.body.business.id).toBe(first.businessId);
    const switched = await new Api(world.app.url, session.body.token).post('/auth/switch', {
      business_id: second.businessId,
    });
    expect(switched.body.business.id).toBe(second.businessId);
    expect((await new Api(world.app.url, session.body.token).get('/auth/me')).status).toBe(401);
  });
});

describe('the doors', () => {
  test('a transaction inside an open one is refused at once, and after the first has ended it is free', async () => {
    const database = await openDatabase(world.databaseUrls.app, 1);
    await expect(
      database.transaction(business().businessId, () =>
        database.transaction(business().businessId, async () => 1),
      ),
    ).rejects.toThrow(/already open/);
    await expect(
      database.transaction(business().businessId, () => database.platform(async () => 1)),
    ).rejects.toThrow(/already open/);
    const after = await database.transaction(
      business().businessId,
      async () => () => database.transaction(business().businessId, async () => 2),
    );
    expect(await after()).toBe(2);
    await database.close();
  });

  test('a job is enqueued in the transaction of its call or not at all', async () => {
    const database = await openDatabase(world.databaseUrls.app, 2);
    const queue = await openQueue(world.databaseUrls.queue, database, silentLog);
    const call = { business_id: business().businessId, device_id: 'dev_none' };
    const outside = await database.transaction(business().businessId, async (tx) => tx);
    await expect(queue.wakeLane(outside, call)).rejects.toThrow(/open transaction/);
    await queue.close();
    await database.close();
  });
});

async function platform(
  text: string,
  parameters: unknown[],
): Promise<{ rows: Record<string, unknown>[] }> {
  const client = new pg.Client({ connectionString: world.databaseUrls.app });
  await client.connect();
  try {
    await client.query('begin');
    await client.query("select set_config('role', 'muhuri_platform', true)");
    const result = await client.query(text, parameters);
    await client.query('commit');
    return result as { rows: Record<string, unknown>[] };
  } finally {
    await client.end();
  }
}
