import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { Api, operatorOf } from '../api.ts';
import { startWorld, type World } from '../world.ts';
import { line, median, spread } from './measure.ts';

type Size = { businesses: number; receipts: number };
const small: Size = { businesses: 10, receipts: 10 };
const large: Size = {
  businesses: Number(process.env.BENCH_BUSINESSES ?? 1_000),
  receipts: Number(process.env.BENCH_RECEIPTS ?? 1_000),
};
const noLimits = {
  businessPerMinute: 1e9,
  personPerMinute: 1e9,
  addressPerMinute: 1e9,
  requestsPerDay: 1e12,
  changesPerMinute: 1e9,
  changesPerDay: 1e12,
  deliveriesPerMinute: 1e9,
  deliveriesPerDay: 1e12,
};

const adminOf = async (world: World): Promise<pg.Client> => {
  const client = new pg.Client({
    connectionString: world.postgres.urlFor(
      'admin',
      new URL(world.databaseUrls.owner).pathname.slice(1),
    ),
  });
  // A database dropped under it must not end the whole run; what failed before says so itself.
  client.on('error', () => {});
  await client.connect();
  return client;
};

/**
 * Copies of one real signed receipt, over many businesses: as many rows as a platform of that size
 * would hold.
 */
async function fill(world: World, size: Size): Promise<void> {
  const client = await adminOf(world);
  const own = world.businesses[0].businessId;
  await client.query("set session_replication_role = 'replica'");
  await client.query(
    `create temp table made as select case when i = 0 then $1 else 'biz_' || lpad(i::text, 32, '0') end as business_id, i from generate_series(0, $2::int - 1) i`,
    [own, size.businesses],
  );
  // Columns come and go: what is copied is whatever stands there, with its own keys.
  await client.query(
    `insert into business select c.* from (select b from business b where b.business_id = $1) k cross join made m
       cross join lateral jsonb_populate_record(k.b, jsonb_build_object('business_id', m.business_id, 'business_name', (k.b).business_name || ' ' || m.i,
         'email', m.i || (k.b).email, 'tin_number', lpad(m.i::text, 9, '0'))) c where m.i > 0`,
    [own],
  );
  await client.query(
    `insert into reference.business_directory (business_id, name, status, tin_number, email, created_at)
       select business_id, 'Business ' || i, 'suspended', lpad(i::text, 9, '0'), i || '@many.example', now() - i * interval '1 minute' from made where i > 0`,
  );
  await client.query(
    `insert into reference.business_totals (business_id, signed, refused, queued, in_doubt, signed_today, last_contact_at, devices, devices_paused, people,
       requests_today, alerts, updated_at) select business_id, 1, 0, 0, 0, 0, now(), 1, 0, 1, 0, 0, now() from made where i > 0`,
  );
  await client.query(
    `insert into receipt select c.* from (select r from receipt r where r.business_id = $1 and r.state = 'signed' limit 1) k cross join made m
       cross join generate_series(1, $2::int) n
       cross join lateral jsonb_populate_record(k.r, jsonb_build_object('business_id', m.business_id, 'id', 'rcp_' || lpad(to_hex(m.i * 100000 + n), 32, '0'),
         'document_id', (900000000 + n)::text, 'opened_at', (k.r).opened_at - (n % 30) * interval '1 day')) c`,
    [own, size.receipts],
  );
  await client.query(
    `insert into receipt_day (business_id, day, branch_id, kind, outcome, code, environment, count, total)
       select m.business_id, current_date - d, 'x', 'sale', 'signed', '', 'production', greatest(1, $1 / 30), 1000 from made m, generate_series(0, 29) d on conflict do nothing`,
    [size.receipts],
  );
  await client.query('analyze');
  await client.end();
}

async function time(count: number, work: (i: number) => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    await work(i);
    times.push(performance.now() - begun);
  }
  return times;
}

type Figures = Record<'list' | 'search' | 'stats' | 'recent' | 'sign', number[]>;

async function measure(postgres: World['postgres'], size: Size): Promise<Figures> {
  const world = await startWorld({ postgres, instead: { limits: noLimits, sweepMs: 3_600_000 } });
  try {
    const operator = await operatorOf(world);
    const admin = await Api.signIn(world, world.businesses[0].admin);
    const documents = world.zoho
      .documents()
      .filter(
        (each) =>
          each.organization_id === world.businesses[0].organizationId &&
          each.canSeal &&
          each.module === 'invoices',
      );
    await admin.seal('invoices', documents[0]?.id ?? '');
    await fill(world, size);
    const simple = world.zoho.document('invoices', documents[0]?.id ?? '');
    for (let i = 0; i < 120; i++)
      world.zoho.add('invoices', world.businesses[0].organizationId, {
        ...structuredClone(simple),
        invoice_id: `7700000000${String(i).padStart(6, '0')}`,
        invoice_number: `B-${i}`,
      });
    const must = async (reply: Promise<{ status: number; body: object }>) => {
      const found = await reply;
      if (found.status !== 200) throw new Error(JSON.stringify(found.body));
    };
    const sign = (i: number) =>
      must(admin.seal('invoices', `7700000000${String(i).padStart(6, '0')}`));
    for (let i = 0; i < 20; i++) await sign(i);
    for (const path of ['/businesses', '/businesses?search=5'])
      await time(20, () => must(operator.get(path)));
    for (const path of ['/businesses/me/stats', '/businesses/me/recent-invoices?limit=20'])
      await time(20, () => must(admin.get(path)));
    return {
      list: await time(150, () => must(operator.get('/businesses?limit=10'))),
      search: await time(150, () => must(operator.get('/businesses?limit=5&search=Business%205'))),
      stats: await time(150, () => must(admin.get('/businesses/me/stats'))),
      recent: await time(150, () => must(admin.get('/businesses/me/recent-invoices?limit=20'))),
      sign: await time(100, (i) => sign(20 + i)),
    };
  } finally {
    await world[Symbol.asyncDispose]();
  }
}

/**
 * How little the size of the platform matters, what the walls cost, and what a caller can tell by
 * time.
 */
export async function benchPlatform(postgres: World['postgres'], only = ''): Promise<void> {
  if (only === 'neighbours') return benchNeighbours(postgres);
  if (only === 'walls') return benchWalls(postgres);
  console.log(
    `\nThe platform: ${large.businesses} businesses with ${large.receipts} receipts each, against ${small.businesses} with ${small.receipts}`,
  );
  const [few, many] = [await measure(postgres, small), await measure(postgres, large)];
  for (const what of Object.keys(few) as (keyof Figures)[])
    line(
      `${what}: median ms, few → many`,
      `${median(few[what]).toFixed(1)} → ${median(many[what]).toFixed(1)} = ${(median(many[what]) / median(few[what])).toFixed(2)}`,
      'aim ≤ 1.20',
    );
  await benchMisses(postgres);
  await benchNeighbours(postgres);
  await benchWalls(postgres);
}

/**
 * Another's id and one that does not exist, in turn; and the second once more, for what two runs of
 * the same differ by.
 */
async function benchMisses(postgres: World['postgres']): Promise<void> {
  const world = await startWorld({ postgres, instead: { limits: noLimits } });
  const [api, stranger] = [
    await Api.signIn(world, world.businesses[0].admin),
    await Api.signIn(world, world.businesses[1].admin),
  ];
  const document = world.zoho
    .documents()
    .find((each) => each.organization_id === world.businesses[1].organizationId && each.canSeal);
  const other = String((await stranger.seal('invoices', document?.id ?? '')).body.id);
  const nothing = `rcp_${'0'.repeat(32)}`;
  const times = { other: [] as number[], nothing: [] as number[], again: [] as number[] };
  for (let i = 0; i < 2_200; i++)
    for (const [name, id] of i % 2
      ? ([
          ['other', other],
          ['nothing', nothing],
          ['again', nothing],
        ] as const)
      : ([
          ['again', nothing],
          ['nothing', nothing],
          ['other', other],
        ] as const)) {
      const begun = performance.now();
      await api.get(`/receipts/${id}`);
      if (i >= 200) times[name].push(performance.now() - begun);
    }
  const [a, b, c] = [median(times.other), median(times.nothing), median(times.again)];
  line(
    'a miss, 2,000 tries: another’s / none / none again, ms',
    `${a.toFixed(3)} / ${b.toFixed(3)} / ${c.toFixed(3)}`,
    `differ by ${Math.abs(a - b).toFixed(3)}, same case by ${Math.abs(b - c).toFixed(3)}`,
  );
  await world[Symbol.asyncDispose]();
}

/** One business far beyond its limit: what the others feel. */
async function benchNeighbours(postgres: World['postgres']): Promise<void> {
  const world = await startWorld({ postgres, instead: { limits: noLimits } });
  const operator = await operatorOf(world);
  // So little that it is at its limit from the first second of every minute: what is measured is
  // refusing, not serving.
  await operator.put(`/businesses/${world.businesses[1].businessId}/quotas`, {
    requests_per_minute: 60,
    requests_per_day: null,
  });
  const [quiet, loud] = [
    await Api.signIn(world, world.businesses[0].admin),
    await Api.signIn(world, world.businesses[1].admin),
  ];
  const p99 = (values: number[]) =>
    [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.99)] as number;
  const paced = async (): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < 200; i++) {
      const begun = performance.now();
      const { status } = await quiet.get('/branches');
      if (status !== 200) throw new Error(`the quiet one was answered ${status}`);
      times.push(performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return times;
  };
  await paced();
  // What any refusal costs: the same flood at a bare server of this process that answers 429 and
  // does nothing else.
  const bare = createServer((_, answer) =>
    answer.writeHead(429, { 'content-type': 'application/problem+json' }).end('{"status":429}'),
  );
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
  const floods = [
    await flood(world.app.url, loud.token),
    await flood(`http://127.0.0.1:${(bare.address() as AddressInfo).port}`, loud.token),
  ] as const;
  // Rounds in turn, and their calls pooled: the p99 of one short run hangs on a handful of calls
  // and on what else the machine did then.
  const [alone, beside, besideBare] = [[] as number[], [] as number[], [] as number[]];
  const during = async (running: Flood | null, into: number[]) => {
    running?.go();
    into.push(...(await paced()));
    running?.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
  };
  for (let round = 0; round < 12; round++) {
    await during(floods[0], beside);
    await during(null, alone);
    await during(floods[1], besideBare);
  }
  const [refused, refusedBare] = [await floods[0].end(), await floods[1].end()];
  await new Promise((resolve) => bare.close(resolve));
  const ratio = (a: number[], b: number[]) => (p99(a) / p99(b)).toFixed(2);
  line(
    'a neighbour at its limit: p99 alone → beside it, ms',
    `${p99(alone).toFixed(1)} → ${p99(beside).toFixed(1)} = ${ratio(beside, alone)}`,
    `aim ≤ 1.30; ${refused} of its calls refused`,
  );
  line(
    '  beside a bare server refusing as fast as it is asked',
    `${p99(besideBare).toFixed(1)} = ${ratio(besideBare, alone)}`,
    `${refusedBare} calls; ours against it ${ratio(beside, besideBare)}; medians ${median(alone).toFixed(1)}, ${median(beside).toFixed(1)}, ${median(besideBare).toFixed(1)}`,
  );
  await world[Symbol.asyncDispose]();
}

type Flood = { go(): void; stop(): void; end(): Promise<number> };

/**
 * Calls without end from a process of its own: in this one it would take time from whoever
 * measures, and that is not the server's doing.
 */
async function flood(url: string, token: string): Promise<Flood> {
  const program = `const url = process.argv[1] + '/api/v1/branches', headers = { authorization: 'Bearer ' + process.argv[2] };
    let refused = 0;
    for (let i = 0; i < 4; i++) (async () => { for (;;) { const r = await fetch(url, { headers }).catch(() => null); await r?.arrayBuffer(); if (r?.status === 429 && ++refused === 1) console.log('full'); await new Promise((done) => setTimeout(done, 5)); } })();
    process.on('SIGTERM', () => { console.log('refused ' + refused); process.exit(0); });`;
  const child = spawn(process.execPath, ['-e', program, url, token], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => {
    text += String(part);
  });
  while (!text.includes('full')) await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill('SIGSTOP');
  return {
    go: () => child.kill('SIGCONT'),
    stop: () => child.kill('SIGSTOP'),
    end: async () => {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
      while (!text.includes('refused')) await new Promise((resolve) => setTimeout(resolve, 20));
      return Number(/refused (\d+)/.exec(text)?.[1]);
    },
  };
}

const wallCalls = 530;

/** Takes all others away: without row security a business would read their data as its own. */
async function leaveAlone(client: pg.Client, businessId: string): Promise<void> {
  const { rows } = await client.query(
    "select c.table_name as name from information_schema.columns c join pg_tables t on t.schemaname = c.table_schema and t.tablename = c.table_name where c.table_schema = 'public' and c.column_name = 'business_id'",
  );
  await client.query('set session_replication_role = replica');
  for (const { name } of rows as { name: string }[])
    await client.query(`delete from ${name} where business_id <> $1`, [businessId]);
  await client.query('reset session_replication_role');
}

/** The same sealing with the walls, and with each taken away. */
async function benchWalls(postgres: World['postgres']): Promise<void> {
  const without: Record<string, (client: pg.Client) => Promise<void>> = {
    'row security': async (client) => {
      const { rows } = await client.query(
        "select tablename from pg_tables where schemaname = 'public' and tablename <> 'migration'",
      );
      for (const { tablename } of rows as { tablename: string }[])
        await client.query(`alter table ${tablename} disable row level security`);
    },
    'the trail': async (client) => {
      await client
        .query(
          'create function pg_temp.nothing() returns trigger language plpgsql as $$ begin return null; end $$',
        )
        .catch(() => {});
      await client.query(
        'create function public.nothing() returns trigger language plpgsql as $$ begin return null; end $$',
      );
      await client.query(
        'create trigger nothing before insert on audit for each row execute function public.nothing()',
      );
    },
  };
  const sealer = async (take?: (client: pg.Client) => Promise<void>, limits = {}) => {
    const world = await startWorld({ postgres, instead: { limits, sweepMs: 3_600_000 } });
    const client = await adminOf(world);
    await leaveAlone(client, world.businesses[0].businessId);
    await take?.(client);
    await client.end();
    const api = await Api.signIn(world, world.businesses[0].admin);
    const source = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === world.businesses[0].organizationId &&
          each.what.startsWith('simple sale'),
      );
    const simple = world.zoho.document('invoices', source?.id ?? '');
    for (let i = 0; i < wallCalls; i++)
      world.zoho.add('invoices', world.businesses[0].organizationId, {
        ...structuredClone(simple),
        invoice_id: `7800000000${String(i).padStart(6, '0')}`,
        invoice_number: `W-${i}`,
      });
    const seal = async (i: number): Promise<number> => {
      const begun = performance.now();
      const reply = await api.seal('invoices', `7800000000${String(i).padStart(6, '0')}`);
      if (reply.status !== 200) throw new Error(JSON.stringify(reply.body));
      return performance.now() - begun;
    };
    return { world, seal };
  };
  const sealers = {
    'every wall': await sealer(),
    // The same once more: what two equal servers differ by is what no figure below can be read
    // beyond.
    'nothing (the same again)': await sealer(),
    'row security': await sealer(without['row security']),
    'the trail': await sealer(without['the trail']),
    limits: await sealer(undefined, noLimits),
  };
  const names = Object.keys(sealers) as (keyof typeof sealers)[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<
    keyof typeof sealers,
    number[]
  >;
  // One invoice at each in turn, the first one moving on: whatever the machine does meanwhile, it
  // does to all of them.
  for (let i = 0; i < wallCalls; i++)
    for (let k = 0; k < names.length; k++) {
      const name = names[(i + k) % names.length] as keyof typeof sealers;
      const took = await sealers[name].seal(i);
      if (i >= 30) times[name].push(took);
    }
  const whole = times['every wall'];
  line(
    'sealing one invoice with every wall, ms',
    `${median(whole).toFixed(1)} (${spread(whole)})`,
    `${whole.length} invoices at each of ${names.length} servers, in turn`,
  );
  for (const name of names.slice(1)) {
    const saved = median(whole.map((each, i) => each - (times[name][i] as number)));
    line(
      `  of which ${name}`,
      `${((saved / median(whole)) * 100).toFixed(1)} %`,
      `${median(times[name]).toFixed(1)} ms without`,
    );
  }
  for (const { world } of Object.values(sealers)) await world[Symbol.asyncDispose]();
}
