import * as contract from '@muhuri/shared/contract/index';
import type { Endpoint } from '@muhuri/shared/contract/index';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
let owner: pg.Client;
beforeAll(async () => {
  world = await startWorld();
  admin = await Api.signIn(world, world.businesses[0].admin);
  owner = new pg.Client({ connectionString: world.postgres.urlFor('admin', new URL(world.databaseUrls.owner).pathname.slice(1)) });
  await owner.connect();
});
afterAll(async () => {
  await owner?.end();
  await world?.[Symbol.asyncDispose]();
});

/** How many statements of this database wait for a lock just now. */
const waiting = async () =>
  Number((await owner.query("select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")).rows[0]?.n);

describe('a secret stored while the keys are rotated', () => {
  test.each([
    ['subscriber', '/subscribers', { url: 'http://127.0.0.1:9/x', events: ['receipt.signed'] }],
    ['hook', '/webhooks', { module: 'invoices' }],
    ['consent', '/oauth/connect', { data_centre: 'com' }],
  ] as const)('of a %s opens afterwards: the rotation waits until it stands where it is sealed anew', async (table, path, body) => {
    await owner.query('begin');
    await owner.query(`lock table ${table} in share mode`);
    const stored = admin.post(path, body);
    await until(waiting, (n) => n >= 1);
    let isRotated = false;
    const rotated = world.app.rotateKeys().finally(() => (isRotated = true));
    await until(waiting, (n) => n >= 2 || isRotated);
    await owner.query('commit');
    expect((await stored).status).toBe(200);
    await rotated;
    // Opens everything and seals it anew: what was sealed with the key before would fail.
    expect(await world.app.rotateKeys()).toBeGreaterThan(2);
  });

  test('is opened still by what was begun before: a consent goes through after its business has a new key', async () => {
    const begun = await admin.post('/oauth/connect', {});
    await world.app.rotateKeys();
    const user = world.zoho.users().find((each) => world.businesses[0].organizationId in each.organizations);
    const back = Object.fromEntries(new URL(world.zoho.accept(begun.body.consent_url as string, user?.user_id ?? '')).searchParams);
    const finished = await admin.post('/oauth/callback', back);
    expect(finished.status, JSON.stringify(finished.body)).toBe(200);
  });
});

describe('what a caller may not see', () => {
  test('is recorded once, and looked into, though another process has begun to write it down', async () => {
    const [first, second] = world.businesses;
    const asked = (await world.sql('select id from branch limit 1', [], second.businessId))[0]?.id as string;
    const values = [first.businessId, asked];
    await owner.query(
      "insert into miss (business_id, id, at, actor_type, actor_id, route, asked) values ($1, 'mis_both', now(), 'person', 'per_both', 'GET /x', $2)",
      values,
    );
    await owner.query(
      "insert into reference.wall_attempt (id, at, business_id, actor_type, actor_id, route, asked) values ('mis_both', now(), $1, 'person', 'per_both', 'GET /x', $2)",
      values,
    );
    const another = await world.anotherApp();
    await Promise.all([world.app.settle(), another.settle()]);
    expect(await world.sql('select 1 from miss', [], first.businessId)).toEqual([]);
    expect(await world.sql("select 1 from audit where action = 'wall.attempt' and subject = 'per_both'", [], first.businessId)).toHaveLength(1);
    await another.close();
  });

  test('is asked for in vain without filling anything: of one caller so much a minute is kept, and that there was more is told', async () => {
    const user = await Api.signIn(world, world.businesses[0].user);
    const ids = (from: number) => Array.from({ length: 20 }, (_, i) => `rcp_${String(from + i).padStart(32, '0')}`);
    for (let call = 0; call < 12; call++) expect((await user.post('/receipts/prints', { receipt_ids: ids(call * 20) })).status).toBe(404);
    const alerts = await until(
      async () => (await admin.get('/alerts')).body.alerts as { problem: { code: string; title: string } }[],
      (all) => all.some((each) => each.problem.code === 'ids_guessed'),
    );
    expect(alerts.filter((each) => each.problem.code === 'ids_guessed')).toHaveLength(1);
    const kept = await world.sql('select count(*)::int as n from miss', [], world.businesses[0].businessId);
    expect(kept[0]?.n).toBeLessThanOrEqual(120);
    await world.app.settle();
    expect(await world.sql('select 1 from miss', [], world.businesses[0].businessId)).toEqual([]);
  });
});

describe('a statement that somebody waits for', () => {
  test('ends after its time with a sentence that says what to do, on every route that reads, and the server goes on', async () => {
    const app = await world.anotherApp({ statements: { askedMs: 300 } });
    const api = new Api(app.url, admin.token);
    const paths = Object.values(contract)
      .flatMap((all) => Object.values(all))
      .filter((e): e is Endpoint => typeof e === 'object' && 'path' in e && (e as Endpoint).method === 'GET')
      .map((e) =>
        e.path
          .replace('{id}', `rcp_${'0'.repeat(32)}`)
          .replace('{kind}', 'tax')
          .replace('{tin}', '101234567')
          .replace('{link}', 'x'),
      )
      .map((path) => (path === '/documents/month' ? `${path}?month=2026-11` : path.startsWith('/receipts') ? `${path}?module=invoices&document_id=1` : path));
    await owner.query('begin');
    await owner.query(
      'lock table receipt, document, audit, delivery, notice, receipt_day, branch, device, membership, alert, api_key in access exclusive mode',
    );
    const replies: [path: string, status: number, body: Record<string, unknown>][] = [];
    const begun = performance.now();
    await Promise.all(
      paths.map(async (path) => {
        const { status, body } = await api.get(path);
        replies.push([path, status, body]);
      }),
    );
    const tookMs = performance.now() - begun;
    await owner.query('rollback');
    expect(replies.filter(([, status]) => status === 500)).toEqual([]);
    const stopped = replies.filter(([, , body]) => body.code === 'took_too_long');
    expect(stopped.length).toBeGreaterThan(10);
    expect(stopped[0]?.[2]).toMatchObject({ status: 503, detail: expect.stringContaining('shorter span') });
    expect(tookMs).toBeLessThan(20_000);
    expect((await api.get('/documents')).status).toBe(200);
    await app.close();
  });

  test('leaves the connections to others: while one business’s searches hang, another is answered, and itself with all that is no search', async () => {
    const [first, second] = world.businesses;
    const user = await Api.signIn(world, first.user);
    const theirs = await Api.signIn(world, second.user);
    await owner.query('begin');
    await owner.query('lock table search_word in access exclusive mode');
    let answered = 0;
    const searches = Array.from({ length: 40 }, () => user.get('/documents?search=kivu').finally(() => (answered += 1)));
    await until(waiting, (n) => n >= 2);
    expect(await waiting()).toBe(2);
    for (const api of [theirs, user]) expect((await api.get('/receipts?module=invoices&document_id=1')).status).toBe(200);
    expect(answered).toBe(0);
    await owner.query('rollback');
    for (const { status } of await Promise.all(searches)) expect(status).toBe(200);
  });
});

describe('a business that is closed', () => {
  test('is not there for its webhooks either', async () => {
    const [, business] = world.businesses;
    const theirs = await Api.signIn(world, business.admin);
    const { url } = (await theirs.post('/webhooks', { module: 'invoices' })).body as { url: string };
    const send = () => fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    await world.sql("update business set status = 'closed', data_key = ''", [], business.businessId);
    expect((await send()).status).toBe(404);
  });
});
