import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, enrol, until } from '../api.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld({ instead: { intakeMs: 50, waitMs: 20_000 } });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const documents = 50;
const clients = 20;
const requestsEach = 50;

test('1,000 requests of 20 clients for 50 documents (people, programs with a key, bulk runs), webhooks twice over and two servers: 50 receipts, the same to everyone', async () => {
  const [business] = world.businesses;
  const admin = await Api.signIn(world, business.admin);
  const { body: config } = await admin.get('/businesses/me/config');
  await admin.put('/businesses/me/config', { settings: { auto_seal: 'sent' }, version: config.version });
  const hook = (await admin.post('/webhooks', { module: 'invoices' })).body as { url: string; secret: string };
  const source = world.zoho.documents().find((each) => each.organization_id === business.organizationId && each.what.startsWith('simple sale'));
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
  const people = await Promise.all([business.admin, business.user].flatMap((who) => servers.map((url) => Api.signIn(world, who, url))));
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
    if (body.state === 'signed') seen.set(id, (seen.get(id) ?? new Set()).add(JSON.stringify(told)));
  };
  const client = async (number: number): Promise<void> => {
    for (let i = 0; i < requestsEach; i++)
      await seal(callers[number % callers.length] as Api, ids[createHash('md5').update(`${number}/${i}`).digest().readUInt16BE(0) % documents] as string);
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
      const body = JSON.stringify({ invoice: { invoice_id: id, last_modified_time: '2026-11-21T08:00:00+0200' } });
      const headers = { 'content-type': 'application/json', 'x-zoho-webhook-signature': signatureOf(hook.url, body, hook.secret) };
      expect((await fetch(hook.url, { method: 'POST', headers, body })).status).toBe(200);
    }
  };
  await Promise.all([...Array.from({ length: clients - people.length }, (_, number) => client(number)), ...people.map(bulk), zoho()]);
  expect(Object.values(states).reduce((sum, each) => sum + each, 0)).toBe(clients * requestsEach);
  const numberOf = (each: { request: object }) => String((each.request as { remark?: unknown }).remark);
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
    const receipts = (await admin.get(`/receipts?module=invoices&document_id=${id}`)).body.receipts as { id: string; state: string }[];
    expect(receipts.map((each) => each.state)).toEqual(['signed']);
  }
  // The paper is the same bytes for whoever asks, at whichever server.
  const [receipt] = (await admin.get(`/receipts?module=invoices&document_id=${ids[0]}`)).body.receipts as { id: string }[];
  const prints = await Promise.all(callers.map(async (api) => (await api.file(`/receipts/${receipt?.id}/pdf?paper=a4`)).bytes));
  expect(new Set(prints.map((bytes) => createHash('sha256').update(bytes).digest('hex'))).size).toBe(1);
  await second.close();
});
