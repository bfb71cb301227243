import pg from 'pg';
import * as contract from '@muhuri/shared/contract/index';
import type { Endpoint } from '@muhuri/shared/contract/index';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../api.ts';
import { startWorld, type World } from '../world.ts';

/** What stands in the reference schema, one by one; a table more needs a reason and a line here. */
const reference = ['business_directory', 'grant', 'membership_index', 'operator_session', 'person'];
const groups = ['muhuri_worker', 'muhuri_platform', 'muhuri_queue'];

let world: World;
let client: pg.Client;
beforeAll(async () => {
  world = await startWorld();
  client = new pg.Client({ connectionString: world.databaseUrls.owner });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await world?.[Symbol.asyncDispose]();
});
const rows = async <T>(text: string, parameters: unknown[] = []) => (await client.query(text, parameters)).rows as T[];

describe('the catalogue', () => {
  test('every table of a business forces row security with one policy that reads the business', async () => {
    const tables = await rows<{ relname: string; rowsecurity: boolean; forced: boolean; policies: string[] }>(`
      select c.relname, c.relrowsecurity as rowsecurity, c.relforcerowsecurity as forced,
        array(select pg_get_expr(p.polqual, p.polrelid) from pg_policy p where p.polrelid = c.oid) as policies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname not like 'migration%'`);
    expect(tables.length).toBeGreaterThan(12);
    for (const table of tables) {
      expect(table, table.relname).toMatchObject({ rowsecurity: true, forced: true });
      expect(table.policies, table.relname).toHaveLength(1);
      expect(table.policies[0]).toContain("NULLIF(current_setting('app.business_id'::text, true), ''::text)");
    }
  });

  test('business_id comes first in every key and index of every table of a business', async () => {
    const indexes = await rows<{ name: string; first: string }>(`
      select i.indexrelid::regclass::text as name, a.attname as first from pg_index i
        join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where n.nspname = 'public' and c.relname not like 'migration%'`);
    expect(indexes.length).toBeGreaterThan(20);
    expect(indexes.filter((index) => index.first !== 'business_id')).toEqual([]);
    const foreign = await rows<{ name: string; first: string }>(`
      select conname as name, (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]) as first from pg_constraint
      where contype = 'f' and connamespace = 'public'::regnamespace`);
    expect(foreign.filter((key) => key.first !== 'business_id')).toEqual([]);
  });

  test('the reference schema holds the tables named here and no other', async () => {
    expect(
      (await rows<{ tablename: string }>("select tablename from pg_tables where schemaname = 'reference' order by 1")).map((each) => each.tablename),
    ).toEqual(reference);
  });

  test('no schema but ours, the reference and the queue exists', async () => {
    const schemas = await rows<{ nspname: string }>("select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1");
    expect(schemas.map((each) => each.nspname)).toEqual(['pgboss', 'public', 'reference']);
  });

  test('no role of ours is privileged or owns a table, and each reaches only its part', async () => {
    for (const role of await rows<{ rolname: string; rolsuper: boolean; rolbypassrls: boolean; rolcreaterole: boolean }>(
      "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname like 'muhuri%' and rolname <> 'muhuri_admin'",
    ))
      expect(role, role.rolname).toMatchObject({ rolsuper: false, rolbypassrls: false, rolcreaterole: false });
    const may = async (role: string, table: string, right: string) =>
      (await rows<{ yes: boolean }>('select has_table_privilege($1, $2, $3) as yes', [role, table, right]))[0]?.yes;
    for (const table of reference) {
      expect(await may('muhuri_worker', `reference."${table}"`, 'select'), table).toBe(false);
      expect(await may('muhuri_queue', `reference."${table}"`, 'select'), table).toBe(false);
    }
    for (const { tablename } of await rows<{ tablename: string }>("select tablename from pg_tables where schemaname = 'public'")) {
      expect(await may('muhuri_platform', tablename, 'select'), tablename).toBe(false);
      expect(await may('muhuri_queue', tablename, 'select'), tablename).toBe(false);
    }
    expect(await may('muhuri_worker', 'pgboss.job_common', 'select')).toBe(false);
    expect(await may('muhuri_worker', 'audit', 'delete')).toBe(false);
    for (const right of ['action', 'after', 'actor_id', 'at'])
      expect((await rows<{ yes: boolean }>("select has_column_privilege('muhuri_worker', 'audit', $1, 'update') as yes", [right]))[0]?.yes).toBe(false);
    expect(
      (
        await rows(
          `select 1 from pg_class where relowner = any(array['muhuri_app', 'muhuri_queue_login', ${groups.map((each) => `'${each}'`).join(', ')}]::regrole[]::oid[])`,
        )
      ).length,
    ).toBe(0);
  });

  test('without a business there are no rows, and a row of another business cannot be written', async () => {
    const app = new pg.Client({ connectionString: world.databaseUrls.app });
    await app.connect();
    await expect(app.query('select 1 from receipt')).rejects.toThrow(/permission denied/);
    await app.query('begin');
    await app.query("select set_config('role', 'muhuri_worker', true)");
    expect((await app.query('select 1 from business')).rows).toEqual([]);
    await app.query("select set_config('app.business_id', '', true)");
    expect((await app.query('select 1 from business')).rows).toEqual([]);
    await app.query("select set_config('app.business_id', $1, true)", [world.businesses[0].businessId]);
    expect((await app.query('select 1 from business')).rows).toHaveLength(1);
    await expect(
      app.query("insert into mapping (business_id, kind, key, value, updated_at) values ($1, 'tax', 'x', '{}', now())", [world.businesses[1].businessId]),
    ).rejects.toThrow(/row-level security/);
    await app.query('rollback');
    await app.end();
  });
});

const endpoints: [string, Endpoint][] = Object.values(contract).flatMap((feature) =>
  Object.entries(feature as Record<string, unknown>).filter(
    (entry): entry is [string, Endpoint] => typeof entry[1] === 'object' && entry[1] !== null && 'path' in entry[1] && 'guard' in entry[1],
  ),
);

describe('every route of the contract', () => {
  let own: Api;
  let foreign: Api;
  let ids: Record<string, string>;
  beforeAll(async () => {
    own = await Api.signIn(world, world.businesses[0].admin);
    foreign = await Api.signIn(world, world.businesses[1].admin);
    const document = world.zoho.documents().find((each) => each.organization_id === world.businesses[0].organizationId && each.canSeal);
    const sealed = await own.seal('invoices', document?.id ?? '');
    const print = await own.post(`/receipts/${sealed.body.id}/prints`, { paper: 'a4' });
    ids = {
      receipt: sealed.body.id,
      branch: world.businesses[0].branchIds[0] as string,
      document: document?.id ?? '',
      print: String(print.body.url).split('/').at(-1) as string,
    };
  });
  const bodies: Record<string, unknown> = {
    attachEvidence: { found: false, source: 'portal' },
    proposeReversal: { reason_code: '06', source: 'portal' },
    printReceipt: { paper: 'a4' },
    adoptDevice: { sdc_id: 'SDC010000001', mrc_number: 'WIS00000001', last_invoice_number: '1' },
    resumeLane: {},
    putMappings: { mappings: [{ key: 'x', value: { tax_class: 'A' } }] },
    openReceipt: () => ({ module: 'invoices', document_id: ids.document }),
    login: { username: 'a', password: 'b' },
    switchMembership: () => ({ business_id: world.businesses[0].businessId }),
  };
  const body = (name: string) => (typeof bodies[name] === 'function' ? (bodies[name] as () => unknown)() : bodies[name]);
  const path = (e: Endpoint, ours: boolean) => {
    const id = e.path.startsWith('/receipts')
      ? ours
        ? ids.receipt
        : 'rcp_00000000000000000000000000000000'
      : ours
        ? ids.branch
        : 'brn_00000000000000000000000000000000';
    const filled = e.path
      .replace('{id}', id as string)
      .replace('{kind}', 'tax')
      .replace('{link}', `${world.businesses[0].businessId}.${'x'.repeat(32)}`)
      .replace('{tin}', '101234567');
    return filled + (e.path.endsWith('/pdf') ? '?paper=a4' : e.query ? `?module=invoices&document_id=${ours ? ids.document : '1'}` : '');
  };
  const ask = (api: Api, name: string, e: Endpoint, ours: boolean) =>
    e.method === 'GET' ? api.get(path(e, ours)) : api.call(e.method, path(e, ours), JSON.stringify(body(name) ?? {}), { 'content-type': 'application/json' });

  test('there are routes to examine', () => expect(endpoints.length).toBeGreaterThan(20));

  test.each(endpoints)('%s refuses a caller who is not signed in', async (name, e) => {
    const reply = await ask(new Api(world.app.url), name, e, true);
    if (e.guard === 'anyone') expect([400, 401, 404]).toContain(reply.status);
    else expect(reply).toMatchObject({ status: 401, body: { code: 'not_signed_in' } });
    const forged = await ask(new Api(world.app.url, `${world.businesses[0].businessId}.${'A'.repeat(43)}`), name, e, true);
    if (e.guard !== 'anyone') expect(forged.status).toBe(401);
  });

  test.each(endpoints.filter(([, e]) => e.path.includes('{id}')))('%s answers another business exactly as for what does not exist', async (name, e) => {
    const other = await ask(foreign, name, e, true);
    const nothing = await ask(foreign, name, e, false);
    expect(other.status).toBe(404);
    expect(other).toMatchObject({ status: nothing.status, body: nothing.body });
  });

  test.each(endpoints.filter(([, e]) => e.guard === 'business_admin' || e.guard === 'settle'))('%s refuses a member without the right', async (name, e) => {
    const user = await Api.signIn(world, world.businesses[0].user);
    expect(await ask(user, name, e, true)).toMatchObject({ status: 403, body: { code: 'not_allowed' } });
  });

  test.each(endpoints.filter(([, e]) => e.input !== undefined))(
    '%s refuses what is not JSON, of a wrong type, unknown or too large, with one problem',
    async (_name, e) => {
      const send = (text: string) => own.call(e.method, path(e, true), text, { 'content-type': 'application/json' });
      for (const text of ['{', '[]', '"x"', '{"no_such_field": 1}']) expect(await send(text)).toMatchObject({ status: 400, body: { code: 'malformed' } });
      expect(await send(`{"x": "${'x'.repeat(300_000)}"}`)).toMatchObject({ status: 413, body: { code: 'too_large' } });
    },
  );

  test('only pages of Zoho’s widgets may call from a browser, never with cookies', async () => {
    const ask = (origin: string) =>
      fetch(`${world.app.url}/api/v1/receipts`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    for (const origin of ['https://evil.example', 'https://zappsusercontent.com.evil.example', 'http://a.zappsusercontent.com', 'null'])
      expect((await ask(origin)).headers.get('access-control-allow-origin'), origin).toBeNull();
    const allowed = await ask('https://0123abcd.zappsusercontent.eu');
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://0123abcd.zappsusercontent.eu');
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('the description holds every route, and lists of one business hold nothing of another', async () => {
    const described = (await (await fetch(`${world.app.url}/api/v1/openapi.json`)).json()) as { paths: Record<string, Record<string, unknown>> };
    for (const [, e] of endpoints) expect(described.paths[e.path]?.[e.method.toLowerCase()], e.path).toBeDefined();
    const text = JSON.stringify([
      (await foreign.get('/branches')).body,
      (await foreign.get('/mappings/tax')).body,
      (await foreign.get(`/receipts?module=invoices&document_id=${ids.document}`)).body,
    ]);
    for (const secret of [ids.receipt, ids.branch, world.businesses[0].businessId, world.businesses[0].taxpayerId])
      expect(text).not.toContain(secret as string);
  });
});
