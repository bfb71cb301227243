import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

type Told = { headers: Record<string, string>; body: string };
const told: Told[] = [];
let answers: number[] = [];
const listener = createServer((asked, answer) => {
  let body = '';
  asked.on('data', (part: Buffer) => {
    body += String(part);
  });
  asked.on('end', () => {
    told.push({ headers: asked.headers as Record<string, string>, body });
    answer.writeHead(answers.shift() ?? 200).end();
  });
});

let world: World;
let admin: Api;
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/told`;
  world = await startWorld({ instead: { intakeMs: 30 } });
  admin = await Api.signIn(world, world.businesses[0].admin);
});
afterAll(async () => {
  listener.close();
  await world?.[Symbol.asyncDispose]();
});

const documents = () =>
  world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === world.businesses[0].organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    );
let next = 0;
const seal = async () =>
  (await admin.seal('invoices', documents()[next++]?.id ?? '')).body as {
    id: string;
    receipt_number: string;
  };
const toldOf = (id: string) =>
  until(
    () => told.filter((each) => each.body.includes(id) && each.body.includes('receipt.signed')),
    (found) => found.length > 0,
  );
const notices = async () =>
  (await admin.get('/notices?limit=200')).body.notices as {
    id: string;
    event: string;
    state: string;
    tries: number;
    last_status: number;
  }[];

describe('an address that is told of receipts', () => {
  test('gets a signed message that the published library verifies, with what it asked for and nothing else', async () => {
    const { subscriber, secret } = (
      await admin.post('/subscribers', { url, events: ['receipt.signed'] })
    ).body;
    const receipt = await seal();
    const [message] = await toldOf(receipt.id);
    const verified = new Webhook(secret).verify(message?.body ?? '', message?.headers ?? {}) as {
      type: string;
      data: Record<string, string>;
    };
    expect(verified).toMatchObject({
      type: 'receipt.signed',
      data: { receipt_id: receipt.id, receipt_number: receipt.receipt_number, state: 'signed' },
    });
    expect(() => new Webhook(secret).verify(`${message?.body} `, message?.headers ?? {})).toThrow();
    expect(told.every((each) => JSON.parse(each.body).type === 'receipt.signed')).toBe(true);
    expect(JSON.stringify((await admin.get('/subscribers')).body)).not.toContain(secret);
    expect(subscriber.id).toMatch(/^sub_/);
    const me = (await admin.get('/auth/me')).body.person as { id: string; name: string };
    const shown = (
      (await admin.get('/subscribers')).body.subscribers as {
        id: string;
        made_by: object;
        created_at: string;
      }[]
    ).find((each) => each.id === subscriber.id);
    expect(shown).toMatchObject({
      made_by: { id: me.id, name: me.name, standing: 'admin' },
      created_at: subscriber.created_at,
    });
    expect(subscriber.made_by, 'not chained yet').toEqual(shown?.made_by);

    const rotated = (await admin.post(`/subscribers/${subscriber.id}/rotate`)).body
      .secret as string;
    const later = await seal();
    const [both] = await toldOf(later.id);
    for (const each of [secret, rotated])
      expect(new Webhook(each).verify(both?.body ?? '', both?.headers ?? {})).toBeTruthy();
  });

  test('is tried again where it did not answer well, and what was sent stands in a log that can be replayed under the same id', async () => {
    answers = [500];
    const receipt = await seal();
    await toldOf(receipt.id);
    const waiting = await until(
      async () => (await notices()).find((each) => each.last_status === 500),
      (found) => found !== undefined,
    );
    expect(waiting).toMatchObject({ state: 'waiting', tries: 1 });
    const replayed = await admin.post(`/notices/${waiting?.id}/replay`);
    expect(replayed.status).toBe(200);
    await until(
      async () => (await notices()).find((each) => each.id === waiting?.id),
      (found) => found?.state === 'delivered',
    );
    const ids = (await toldOf(receipt.id)).map((each) => each.headers['webhook-id']);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
  });

  test('in an inner network that the operator did not allow is never called', async () => {
    const strict = await world.anotherApp({ intakeMs: 30 }, { config: { hookNetworks: [] } });
    const other = await Api.signIn(world, world.businesses[1].admin, strict.url);
    const calm = await world.anotherApp({ intakeMs: 3_600_000 });
    expect(calm.url).toBeTruthy();
    const before = told.length;
    await other.post('/subscribers', {
      url: 'http://169.254.169.254/latest/meta-data',
      events: ['receipt.signed'],
    });
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === world.businesses[1].organizationId && each.canSeal);
    expect((await other.seal('invoices', document?.id ?? '')).status).toBe(200);
    const refused = await until(
      async () =>
        (
          (await other.get('/notices')).body.notices as {
            last_error: string | null;
            state: string;
          }[]
        ).find((each) => each.last_error),
      (found) => found !== undefined,
    );
    expect(refused?.last_error).toMatch(/inner network/);
    expect(told.length).toBe(before);
  });

  test('that was removed is told nothing more', async () => {
    for (const each of (await admin.get('/subscribers')).body.subscribers as { id: string }[])
      await admin.post(`/subscribers/${each.id}/remove`);
    const receipt = await seal();
    await world.app.settle();
    expect(told.filter((each) => each.body.includes(receipt.id))).toEqual([]);
  });
});
