import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../api.ts';
import { startWorld, type World } from '../world.ts';

/** What stands in the reference schema, one by one; a table more needs a reason and a line here. */
const reference = [
  'address_change',
  'business_directory',
  'business_totals',
  'counted_try',
  'cross_business_access',
  // Public halves of keys, for whoever checks evidence.
  'evidence_key',
  // Rounds of the platform itself, which belong to no business.
  'failing_job',
  'grant',
  'membership_index',
  'operator_session',
  // Found by a code before anybody knows which business it is about.
  'pairing',
  'person',
  'person_token',
  'platform_audit',
  'recovery_code',
  'remembered_device',
  'sign_in',
];
const groups = ['muhuri_worker', 'muhuri_platform', 'muhuri_queue', 'muhuri_lookup'];
/** The few functions that may look across businesses: who may call them, and what they answer. */
const lookups = {
  id_stands_elsewhere: {
    owner: 'muhuri_lookup',
    callers: ['muhuri_lookup', 'muhuri_platform'],
    answers: 'boolean',
  },
  grant_serves_elsewhere: {
    owner: 'muhuri_lookup',
    callers: ['muhuri_lookup', 'muhuri_platform'],
    answers: 'boolean',
  },
};

/**
 * What runs of itself where a row changes: with the rights of whoever changes it, behind the same
 * walls.
 */
const triggers = ['ask_receipt', 'spread_words', 'tell_document'];

/**
 * Rows for the tables that an ordinary day does not fill; a table without rows would pass every
 * question.
 */
const seeds: Record<string, (businessId: string, receiptId: string) => string> = {
  alert: (b) =>
    `(business_id, id, code, subject, problem, opened_at) values ('${b}', 'alr_seed', 'x', 'x', '{}', now())`,
  api_key: (b) =>
    `(business_id, id, name, prefix, secret_hash, scopes, created_by, created_at) values ('${b}', 'key_seed', 'x', 'x', 'x', '{}', 'x', now())`,
  invitation: (b) =>
    `(business_id, id, email, role, permissions, secret_hash, invited_by, expires_at, created_at) values ('${b}', 'inv_seed', 'x', 'business_user', '{}', 'x', 'x', now(), now())`,
  support_access: (b) =>
    `(business_id, id, operator_id, operator_name, reason, begun_at, until) values ('${b}', 'sup_seed', 'x', 'x', 'x', now(), now())`,
  denied_lookup: (b) =>
    `(business_id, id, at, actor_type, actor_id, route, asked, looked_at) values ('${b}', 'mis_seed', now(), 'x', 'x', 'x', 'x', now())`,
  failing_job: (b) =>
    `(business_id, job, since, last_at, failures, problem) values ('${b}', 'j', now(), now(), 1, '{}')`,
  rate_change: (b) =>
    `(business_id, device_id, tax_class, since, before_percent, after_percent) select '${b}', id, 'B', now(), '18', '20' from device where business_id = '${b}' limit 1`,
  slot: (b) => `(business_id, job, slot, taken_at, taken_by) values ('${b}', 'j', 's', now(), 'w')`,
  settlement: (b, r) =>
    `(business_id, receipt_id, evidence, proposed_by, proposed_name, proposed_at) values ('${b}', '${r}', '{}', 'p', 'P', now())`,
  reversal: (b, r) =>
    `(business_id, receipt_id, invoice_number, reason_code, source, proposed_by, proposed_name, proposed_at) values ('${b}', '${r}', 1, 'x', 'x', 'x', 'x', now())`,
  idempotency_key: (b) =>
    `(business_id, actor, route, key, body_hash, created_at) values ('${b}', 'x', 'x', 'x', 'x', now())`,
  consent: (b) =>
    `(business_id, id, secret_hash, person_id, session_id, accounts_server, client_id, client_secret, verifier, scopes, created_at, expires_at) values ('${b}', 'cns_seed', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', now(), now())`,
  zoho_webhook: (b) =>
    `(business_id, id, module, key_hash, key_prefix, created_at) values ('${b}', 'hok_seed', 'invoices', 'x', 'x', now())`,
  delivery: (b) =>
    `(business_id, id, webhook_id, at, verdict, module, digest, bytes) values ('${b}', 'dlv_seed', 'x', now(), 'ping', 'invoices', 'x', 1)`,
  document: (b) =>
    `(business_id, module, document_id, seen_at, source) values ('${b}', 'invoices', '1', now(), 'poll')`,
  write_back: (b, r) =>
    `(business_id, receipt_id, step, position, state, created_at) values ('${b}', '${r}', 'comment', 2, 'done', now())`,
  installed_part: (b) =>
    `(business_id, kind, name, organization_id, zoho_id, created_at) values ('${b}', 'field', 'x', 'x', 'x', now())`,
  webhook_endpoint: (b) =>
    `(business_id, id, url, events, secret, created_at) values ('${b}', 'sub_seed', 'x', '{}', 'x', now())`,
  webhook_message: (b) =>
    `(business_id, id, endpoint_id, event, body, state, created_at) values ('${b}', 'ntc_seed', 'sub_seed', 'x', '{}', 'delivered', now())`,
  zoho_call: (b) =>
    `(business_id, id, at, worker, organization_id, purpose, method, endpoint, ms) values ('${b}', 'zcl_seed', now(), 'x', 'x', 'sync', 'GET', 'x', 1)`,
  way_back: (b) =>
    `(business_id, id, request_id, person_id, membership_id, object_hash, asked_at, until, state) values ('${b}', 'wbk_seed', 'x', 'x', 'x', 'x', now(), now(), 'open')`,
  takeover: (b, r) =>
    `(business_id, receipt_id, device_id, source, answer, confirmed_by, confirmed_name, confirmed_at)
      values ('${b}', '${r}', (select device_id from receipt where id = '${r}'), 'x', 'x', 'x', 'x', now())`,
  second_signature: (b, r) =>
    `(business_id, receipt_id, receipt_signature, attempt_id, device_id, environment, invoice_number, receipt_number, total_receipt_number, internal_data, sdc_id,
      mrc_number, signed_at, verification_url, label, heard_at)
      select '${b}', a.receipt_id, 'x', a.id, a.device_id, 'sandbox', 1, 1, 1, 'x', 'x', 'x', now(), 'x', 'x', now() from attempt a where a.receipt_id = '${r}' limit 1`,
  usage_day: (b) => `(business_id, day, what, used) values ('${b}', '2026-01-01', 'x', 1)`,
};

let world: World;
let admin: pg.Client;
let app: pg.Client;
beforeAll(async () => {
  world = await startWorld();
  for (const business of world.businesses) {
    const api = await Api.signIn(world, business.admin);
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === business.organizationId && each.canSeal);
    const sealed = await api.seal('invoices', document?.id ?? '');
    // A link that nobody has opened, and a print.
    await api.post(`/receipts/${sealed.body.id}/prints`, { paper: 'a4' });
    await api.file(`/receipts/${sealed.body.id}/pdf?paper=a4`);
  }
  await world.app.settle();
  admin = await connected(
    world.postgres.urlFor('admin', new URL(world.databaseUrls.owner).pathname.slice(1)),
  );
  app = await connected(world.databaseUrls.app);
  for (const [table, row] of Object.entries(seeds))
    for (const { businessId } of world.businesses) {
      const [receipt] = await rows<{ id: string }>(
        'select id from receipt where business_id = $1 limit 1',
        [businessId],
      );
      await admin.query(
        `insert into ${table} ${row(businessId, receipt?.id ?? '')} on conflict do nothing`,
      );
    }
});
afterAll(async () => {
  await admin?.end();
  await app?.end();
  await world?.[Symbol.asyncDispose]();
});

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
const rows = async <T>(text: string, parameters: unknown[] = []) =>
  (await admin.query(text, parameters)).rows as T[];
const tablesOf = async (schema: string) =>
  (
    await rows<{ tablename: string }>(
      "select tablename from pg_tables where schemaname = $1 and tablename <> 'migration' order by 1",
      [schema],
    )
  ).map((each) => each.tablename);

/**
 * One statement as the server's role would run it, inside a business or none, undone afterwards:
 * its count, or the refusal's code.
 */
async function asWorker(
  businessId: string | null,
  text: string,
  parameters: unknown[] = [],
): Promise<number | string> {
  await app.query('begin');
  try {
    await app.query("select set_config('role', 'muhuri_worker', true)");
    if (businessId !== null)
      await app.query("select set_config('app.business_id', $1, true)", [businessId]);
    return (await app.query(text, parameters)).rowCount ?? 0;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await app.query('rollback');
  }
}

describe('the catalogue', () => {
  test('every table of a business forces row security with one wall, and a second policy only for the lookup role', async () => {
    const tables = await rows<{
      relname: string;
      rowsecurity: boolean;
      forced: boolean;
      policies: { name: string; roles: string[]; text: string; verb: string }[];
    }>(`
      select c.relname, c.relrowsecurity as rowsecurity, c.relforcerowsecurity as forced,
        (select json_agg(json_build_object('name', p.polname, 'verb', p.polcmd, 'text', pg_get_expr(p.polqual, p.polrelid),
           'roles', array(select rolname from pg_roles where oid = any(p.polroles)))) from pg_policy p where p.polrelid = c.oid) as policies
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname not like 'migration%'`);
    expect(tables.length).toBeGreaterThan(20);
    for (const table of tables) {
      expect(table, table.relname).toMatchObject({ rowsecurity: true, forced: true });
      const [wall, ...others] = table.policies.toSorted((a, b) => (a.name < b.name ? 1 : -1));
      expect(wall, table.relname).toMatchObject({ name: 'wall', roles: [] });
      expect(wall?.text).toContain(
        "NULLIF(current_setting('app.business_id'::text, true), ''::text)",
      );
      for (const other of others)
        expect(other, table.relname).toMatchObject({
          name: 'lookup',
          roles: ['muhuri_lookup'],
          verb: 'r',
        });
    }
  });

  test('business_id comes first in every key and index of every table of a business', async () => {
    const indexes = await rows<{ name: string; first: string }>(`
      select i.indexrelid::regclass::text as name, a.attname as first from pg_index i
        join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
        join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where n.nspname = 'public' and c.relname not like 'migration%'`);
    expect(indexes.length).toBeGreaterThan(30);
    expect(indexes.filter((index) => index.first !== 'business_id')).toEqual([]);
    const foreign = await rows<{ name: string; first: string }>(`
      select conname as name, (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]) as first from pg_constraint
      where contype = 'f' and connamespace = 'public'::regnamespace`);
    expect(foreign.filter((key) => key.first !== 'business_id')).toEqual([]);
  });

  test('the reference schema holds the tables named here and no other, and no schema stands beside it', async () => {
    expect(await tablesOf('reference')).toEqual(reference);
    const schemas = await rows<{ nspname: string }>(
      "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1",
    );
    expect(schemas.map((each) => each.nspname)).toEqual(['pgboss', 'public', 'reference']);
  });

  test('no view, function or role opens a side door', async () => {
    const views = await rows<{ name: string }>(
      "select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname in ('public', 'reference') and c.relkind in ('v', 'm', 'f')",
    );
    expect(views).toEqual([]);
    const functions = await rows<{
      proname: string;
      owner: string;
      config: string[];
      definer: boolean;
      answers: string;
      callers: string[];
    }>(`
      select p.proname, r.rolname as owner, p.proconfig as config, p.prosecdef as definer, format_type(p.prorettype, null) as answers,
        array(select g.rolname::text from pg_roles g where has_function_privilege(g.oid, p.oid, 'execute') and g.rolname like 'muhuri%' and not g.rolsuper order by 1) as callers
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles r on r.oid = p.proowner where n.nspname in ('public', 'reference')`);
    expect(functions.map((each) => each.proname).toSorted()).toEqual(
      [...Object.keys(lookups), ...triggers].toSorted(),
    );
    for (const each of functions.filter((one) => triggers.includes(one.proname)))
      expect(each, each.proname).toMatchObject({
        definer: false,
        answers: 'trigger',
        config: ['search_path=pg_catalog, public'],
      });
    for (const each of functions.filter((one) => !triggers.includes(one.proname))) {
      const expected = lookups[each.proname as keyof typeof lookups];
      expect(each, each.proname).toMatchObject({
        owner: expected.owner,
        definer: true,
        answers: expected.answers,
        config: ['search_path=pg_catalog, public'],
      });
      expect(each.callers).toEqual(expected.callers);
    }
    for (const role of await rows<{
      rolname: string;
      rolsuper: boolean;
      rolbypassrls: boolean;
      rolcreaterole: boolean;
    }>(
      "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname like 'muhuri%' and rolname <> 'muhuri_admin'",
    ))
      expect(role, role.rolname).toMatchObject({
        rolsuper: false,
        rolbypassrls: false,
        rolcreaterole: false,
      });
    const owned = await rows(
      `select 1 from pg_class where relowner = any(array['muhuri_app', 'muhuri_queue_login', ${groups.map((each) => `'${each}'`).join(', ')}]::regrole[]::oid[])`,
    );
    expect(owned).toEqual([]);
  });

  test('each role reaches only its part', async () => {
    const may = async (role: string, table: string, right: string) =>
      (
        await rows<{ yes: boolean }>('select has_table_privilege($1, $2, $3) as yes', [
          role,
          table,
          right,
        ])
      )[0]?.yes;
    for (const table of reference)
      for (const role of ['muhuri_worker', 'muhuri_queue', 'muhuri_lookup', 'muhuri_app'])
        expect(await may(role, `reference."${table}"`, 'select'), `${role} ${table}`).toBe(false);
    for (const table of await tablesOf('public'))
      for (const role of ['muhuri_platform', 'muhuri_queue', 'muhuri_lookup', 'muhuri_app'])
        expect(await may(role, table, 'select'), `${role} ${table}`).toBe(false);
    // The lookup role sees ids and whose they are, nothing else.
    const seen = await rows<{ column: string }>(
      `select distinct a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind = 'r' and a.attnum > 0 and has_column_privilege('muhuri_lookup', c.oid, a.attnum, 'select') order by 1`,
    );
    expect(seen.map((each) => each.column)).toEqual(['business_id', 'grant_id', 'id', 'status']);
    expect(await may('muhuri_worker', 'pgboss.job_common', 'select')).toBe(false);
    expect(await may('muhuri_worker', 'audit', 'delete')).toBe(false);
    for (const right of ['action', 'after', 'actor_id', 'at'])
      expect(
        (
          await rows<{ yes: boolean }>(
            "select has_column_privilege('muhuri_worker', 'audit', $1, 'update') as yes",
            [right],
          )
        )[0]?.yes,
      ).toBe(false);
    for (const verb of ['update', 'delete'])
      expect(await may('muhuri_platform', 'reference.platform_audit', verb)).toBe(false);
  });
});

describe('every table × select, insert, update, delete × no business, own, other, forged', () => {
  let counted = 0;
  afterAll(() => console.info(`walls: ${counted} statements tried over the tables of businesses`));

  test('answers own rows, nothing, or a refusal, and never a row of another', async () => {
    const [ours, theirs] = [world.businesses[0].businessId, world.businesses[1].businessId];
    const count = async (...args: Parameters<typeof asWorker>) => {
      counted += 1;
      return asWorker(...args);
    };
    const refused = '42501';
    for (const table of await tablesOf('public')) {
      const held = async (businessId: string) =>
        Number(
          (
            await rows<{ n: string }>(`select count(*) as n from ${table} where business_id = $1`, [
              businessId,
            ])
          )[0]?.n,
        );
      // A table nobody has filled would pass everything below: it needs its seed.
      expect(await held(ours), `${table}: own rows`).toBeGreaterThan(0);
      expect(await held(theirs), `${table}: rows of the other`).toBeGreaterThan(0);
      const own = await held(ours);

      for (const none of [null, ''])
        expect(await count(none, `select 1 from ${table}`), `${table}: select, no business`).toBe(
          0,
        );
      expect(await count(ours, `select 1 from ${table}`), `${table}: select own`).toBe(own);
      expect(
        await count(ours, `select 1 from ${table} where business_id = $1`, [theirs]),
        `${table}: select the other's`,
      ).toBe(0);
      for (const forged of [
        'biz_00000000000000000000000000000000',
        `${theirs}' or '1'='1`,
        '%',
        theirs.toUpperCase(),
      ])
        expect(
          await count(forged, `select 1 from ${table}`),
          `${table}: select, forged ${forged}`,
        ).toBe(0);

      const copy = `insert into ${table} select (jsonb_populate_record(null::${table}, jsonb_build_object('business_id', $1::text))).*`;
      for (const from of [null, ours])
        expect(
          await count(from, copy, [theirs]),
          `${table}: insert for the other from ${from}`,
        ).toBe(refused);

      const touch = `update ${table} set business_id = business_id where business_id = $1`;
      for (const from of [null, ours])
        expect([0, refused], `${table}: update the other's`).toContain(
          await count(from, touch, [theirs]),
        );
      expect([refused], `${table}: give a row away`).toContain(
        await count(ours, `update ${table} set business_id = $1`, [theirs]),
      );

      for (const from of [null, ours])
        expect([0, refused], `${table}: delete the other's`).toContain(
          await count(from, `delete from ${table} where business_id = $1`, [theirs]),
        );
    }
  });

  test('the reference schema is shut to the worker, and businesses to the platform', async () => {
    for (const table of reference)
      expect(
        await asWorker(world.businesses[0].businessId, `select 1 from reference."${table}"`),
      ).toBe('42501');
    for (const table of await tablesOf('public')) {
      await app.query('begin');
      await app.query(
        "select set_config('role', 'muhuri_platform', true), set_config('app.business_id', $1, true)",
        [world.businesses[0].businessId],
      );
      await expect(app.query(`select 1 from ${table}`), table).rejects.toThrow(/permission denied/);
      await app.query('rollback');
    }
  });

  test('the lookup answers yes or no about one exact id, to the platform only', async () => {
    const [receipt] = await rows<{ id: string }>(
      'select id from receipt where business_id = $1 limit 1',
      [world.businesses[1].businessId],
    );
    const ask = async (role: string, asked: string, own: string) => {
      await app.query('begin');
      try {
        await app.query("select set_config('role', $1, true)", [role]);
        return (await app.query('select public.id_stands_elsewhere($1, $2) as yes', [asked, own]))
          .rows;
      } finally {
        await app.query('rollback');
      }
    };
    expect(await ask('muhuri_platform', receipt?.id ?? '', world.businesses[0].businessId)).toEqual(
      [{ yes: true }],
    );
    expect(await ask('muhuri_platform', receipt?.id ?? '', world.businesses[1].businessId)).toEqual(
      [{ yes: false }],
    );
    for (const near of [`${receipt?.id.slice(0, -1)}%`, '', 'rcp_', "' or true --"])
      expect(await ask('muhuri_platform', near, '')).toEqual([{ yes: false }]);
    await expect(ask('muhuri_worker', receipt?.id ?? '', '')).rejects.toThrow(/permission denied/);
  });
});
