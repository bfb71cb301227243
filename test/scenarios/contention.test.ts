import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Api, enrol, until } from '../api.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
const errors: string[] = [];
const log = {
  info: () => {},
  warn: () => {},
  error: (_about: object, message: string) => void errors.push(message),
};
beforeAll(async () => {
  world = await startWorld({ instead: { log, sweepMs: 500, intakeMs: 50, waitMs: 20_000 } });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const documents = 50;
const clients = 20;
const requestsEach = 50;

test('1,000 requests of 20 clients for 50 documents (people, programs with a key, bulk runs), webhooks twice over and two servers: 50 receipts, the same to everyone', async () => {
  const [business] = world.businesses;
  const admin = await Api.signIn(world, business.admin);
  const { body: config } = await admin.get('/businesses/me/config');
  await admin.put('/businesses/me/config', {
    settings: { auto_seal: 'sent' },
    version: config.version,
  });
  const hook = (await admin.post('/webhooks', { module: 'invoices' })).body as {
    url: string;
    secret: string;
  };
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
    );
  const ids = Array.from({ length: documents }, (_, i) => {
    const invoice_id = `4600000009${String(i).padStart(9, '0')}`;
    world.zoho.add('invoices', business.organizationId, {
      ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
      invoice_id,
      invoice_number: `CT-${i}`,
    });
    return invoice_id;
  });
  const second = await world.anotherApp({ intakeMs: 50, waitMs: 20_000 });
  const servers = [world.app.url, second.url];
  const people = await Promise.all(
    [business.admin, business.user].flatMap((who) =>
      servers.map((url) => Api.signIn(world, who, url)),
    ),
  );
  await enrol(admin, business.admin.password);
  const made = await admin.post('/api-keys', { name: 'shop', scopes: ['read', 'seal'] });
  expect(made.status, JSON.stringify(made.body)).toBe(200);
  const programs = servers.map((url) => new Api(url, made.body.key as string));
  const callers = [...people, ...programs];
  const seen = new Map<string, Set<string>>();
  const states: Record<string, number> = {};
  const seal = async (api: Api, id: string): Promise<void> => {
    const { status, body } = await api.seal('invoices', id);
    expect([200, 202], JSON.stringify(body)).toContain(status);
    states[body.state as string] = (states[body.state as string] ?? 0) + 1;
    const { updated_at: _when, ...told } = body;
    if (body.state === 'signed')
      seen.set(id, (seen.get(id) ?? new Set()).add(JSON.stringify(told)));
  };
  const client = async (number: number): Promise<void> => {
    for (let i = 0; i < requestsEach; i++)
      await seal(
        callers[number % callers.length] as Api,
        ids[
          createHash('md5').update(`${number}/${i}`).digest().readUInt16BE(0) % documents
        ] as string,
      );
  };
  // As the page does it: every document that is chosen, two at a time.
  const bulk = async (api: Api): Promise<void> => {
    const left = [...ids];
    const worker = async (): Promise<void> => {
      for (let id = left.shift(); id; id = left.shift()) await seal(api, id);
    };
    await Promise.all([worker(), worker()]);
  };
  const zoho = async (): Promise<void> => {
    for (const id of [...ids, ...[...ids].reverse()]) {
      const body = JSON.stringify({
        invoice: { invoice_id: id, last_modified_time: '2026-11-21T08:00:00+0200' },
      });
      const headers = {
        'content-type': 'application/json',
        'x-zoho-webhook-signature': signatureOf(hook.url, body, hook.secret),
      };
      expect((await fetch(hook.url, { method: 'POST', headers, body })).status).toBe(200);
    }
  };
  await Promise.all([
    ...Array.from({ length: clients - people.length }, (_, number) => client(number)),
    ...people.map(bulk),
    zoho(),
  ]);
  expect(Object.values(states).reduce((sum, each) => sum + each, 0)).toBe(clients * requestsEach);
  const numberOf = (each: { request: object }) =>
    String((each.request as { remark?: unknown }).remark);
  const ofThese = () => world.vsdc.receipts().filter((each) => /^CT-\d+$/.test(numberOf(each)));
  await until(
    () => ofThese().length,
    (signed) => signed >= documents,
  );
  await world.app.settle();
  expect(new Set(ofThese().map(numberOf)).size).toBe(documents);
  expect(ofThese(), 'one receipt each at the judge').toHaveLength(documents);
  for (const id of ids) {
    expect(seen.get(id)?.size, 'everybody was told the same').toBe(1);
    const receipts = (await admin.get(`/receipts?module=invoices&document_id=${id}`)).body
      .receipts as { id: string; state: string }[];
    expect(receipts.map((each) => each.state)).toEqual(['signed']);
  }
  // The paper is the same bytes for whoever asks, at whichever server.
  const [receipt] = (await admin.get(`/receipts?module=invoices&document_id=${ids[0]}`)).body
    .receipts as { id: string }[];
  const prints = await Promise.all(
    callers.map(async (api) => (await api.file(`/receipts/${receipt?.id}/pdf?paper=a4`)).bytes),
  );
  expect(
    new Set(prints.map((bytes) => createHash('sha256').update(bytes).digest('hex'))).size,
  ).toBe(1);
  await second.close();
});

test('a lane that waits for whoever waits for it is given up by PostgreSQL, and goes on at once: it is no surprise', async () => {
  const { businessId, organizationId, branchIds, admin: account } = world.businesses[0];
  const admin = await Api.signIn(world, account);
  const source = world.zoho
    .documents()
    .find((each) => each.organization_id === organizationId && each.what.startsWith('simple sale'));
  const [first, next] = ['4600000008000000001', '4600000008000000002'].map((invoice_id) => {
    const document = {
      ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
      invoice_id,
      invoice_number: `CR-${invoice_id.at(-1)}`,
    };
    world.zoho.add('invoices', organizationId, document);
    return invoice_id;
  }) as [string, string];
  // What follows is about the sale alone: its items are known.
  expect((await admin.seal('invoices', first)).body.state).toBe('signed');
  expect((await admin.post(`/branches/${branchIds[0]}/pause`)).status).toBe(200);
  const { id } = (await admin.seal('invoices', next)).body;
  const holder = new pg.Client({
    connectionString: world.postgres.urlFor(
      'admin',
      new URL(world.databaseUrls.owner).pathname.slice(1),
    ),
  });
  await holder.connect();
  onTestFinished(() => holder.end());
  // Whoever looks first whether the two wait for each other is given up: that is the lane.
  await holder.query(
    `set deadlock_timeout = '1min'; begin; select 1 from receipt where id = '${id}' for update`,
  );
  // As whoever resumes it leaves it: they would wait for the document as well.
  await world.sql(
    "update device set state = 'active', problem = null where branch_id = $1",
    [branchIds[0]],
    businessId,
  );
  await until(
    () =>
      holder.query(
        'select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
      ),
    ({ rows }) => rows.length > 0,
  );
  expect(
    (
      await holder.query(
        'select id from device where branch_id = $1 and business_id = $2 for update',
        [branchIds[0], businessId],
      )
    ).rows,
  ).toHaveLength(1);
  await holder.query('commit');
  await until(
    async () => (await admin.get(`/receipts/${id}`)).body,
    (each) => each.state === 'signed',
  );
  expect(errors.filter((each) => each === 'a lane stopped by surprise')).toEqual([]);
});
