import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@muhuri/server/platform/db/database';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../api.ts';
import { checkout, startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
beforeAll(async () => {
  world = await startWorld();
  admin = await Api.signIn(world, world.businesses[0].admin);
  await admin.post('/zoho/poll');
  await world.app.settle();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const own = () => world.zoho.documents().filter((each) => each.organization_id === world.businesses[0].organizationId && each.canSeal);
const numbersOf = async (query: string): Promise<string[]> =>
  ((await admin.get(`/businesses/me/recent-invoices?${query}`)).body.receipts as { document_number: string }[]).map((each) => each.document_number);

describe('what is searched for', () => {
  test('is found among receipts by number and buyer, in one state or all, and nothing is where nothing begins like that', async () => {
    const [first, second] = own().filter((each) => each.module === 'invoices');
    const sealed = (await admin.seal('invoices', first?.id ?? '')).body;
    await admin.seal('invoices', second?.id ?? '');
    expect(await numbersOf(`search=${first?.number}`)).toEqual([first?.number]);
    expect(await numbersOf(`state=signed&search=${String(first?.number).toLowerCase()}`)).toEqual([first?.number]);
    expect(await numbersOf(`state=refused&search=${first?.number}`)).toEqual([]);
    expect((await numbersOf(`search=${encodeURIComponent(sealed.buyer_name as string)}`)).length).toBeGreaterThan(0);
    for (const nothing of ['no-such-number', '%25', '_', "'", '%00a'.slice(3)]) expect(await numbersOf(`search=x${nothing}x`)).toEqual([]);
    for (const state of ['queued', 'signed', 'refused', 'in_doubt', 'withdrawn'])
      expect((await numbersOf(`state=${state}`)).length, state).toBe(state === 'signed' ? 2 : 0);
  });

  test('is found too where a word is in more documents than are counted', async () => {
    const [{ businessId }] = world.businesses;
    const many = `insert into document (business_id, module, document_id, number, date, status, customer_name, currency, total, seen_at, source, words)
      select $1, 'invoices', '77' || n, 'Z-' || n, current_date, 'sent', 'Frequent', 'RWF', n, now(), 'poll', ' z-' || n || ' frequent'
        from generate_series(1, 2500) n`;
    await world.sql(many, [businessId], businessId);
    const found = async (search: string) => ((await admin.get(`/documents?limit=3&search=${search}`)).body.documents as { document_number: string }[]).length;
    expect(await found('frequent')).toBe(3);
    expect(await found('frequent%20z-2499')).toBe(1);
    expect(await found('frequent%20seldom')).toBe(0);
    const month = new Date().toISOString().slice(0, 7);
    const { body } = await admin.get(`/documents/month?month=${month}`);
    const count = (standing: string) =>
      (body.sums as { module: string; standing: string; count: number }[]).find((each) => each.module === 'invoices' && each.standing === standing)?.count;
    expect(count('to_seal')).toBeGreaterThanOrEqual(2500);
    expect(count('sealed')).toBe(2);
  });

  test('is what was there before the words were, too: the migration goes down and up again over a full database', async () => {
    const directory = join(checkout, 'server/src/migrations');
    const only = readdirSync(directory).find((name) => name.startsWith('0021-')) as string;
    const [first] = own();
    const before = await numbersOf(`search=${first?.number}`);
    expect(before.length).toBe(1);
    await migrate(world.databaseUrls.owner, directory, { down: true, only });
    // An answer as it was kept before: whole, whatever it held.
    const [{ businessId }] = world.businesses;
    await world.sql(
      `insert into idempotency_key (business_id, actor, route, key, body_hash, response, created_at) values ($1, 'x', 'POST /api-keys', 'k', 'h', '{"key": "secret"}', now())`,
      [businessId],
      businessId,
    );
    await migrate(world.databaseUrls.owner, directory, { only });
    const kept = await world.sql("select response, ended_at is not null as ended from idempotency_key where key = 'k'", [], businessId);
    expect(kept).toEqual([{ response: null, ended: true }]);
    expect(await numbersOf(`search=${first?.number}`)).toEqual(before);
    expect(((await admin.get('/documents?limit=3&search=z-2499')).body.documents as unknown[]).length).toBe(1);
  });
});
