import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { startApp } from '@muhuri/server/app';
import { silentLog } from '@muhuri/server/platform/log';
import pg from 'pg';
import { cloneDatabase, type World } from '../world.ts';
import { type Cpu, cpuOf, line, median, spread, startAndWait } from './measure.ts';

type Took = { rate: number; cpu: Cpu; wal: number };
type Case = { devices: number; perDevice: number; answerMs: number; rounds: number };

/**
 * One, many and very many devices, beside a device that answers at once and one that takes its
 * time.
 */
const cases: Case[] = [
  { devices: 1, perDevice: 600, answerMs: 0, rounds: 5 },
  { devices: 50, perDevice: 40, answerMs: 0, rounds: 5 },
  { devices: 500, perDevice: 6, answerMs: 0, rounds: 3 },
  { devices: 1, perDevice: 15, answerMs: 300, rounds: 3 },
  { devices: 50, perDevice: 20, answerMs: 300, rounds: 5 },
  { devices: 500, perDevice: 6, answerMs: 300, rounds: 3 },
];
const devicesMax = 500;
/**
 * Servers that share the second case's work, compared with one that has it all; `only` counts this
 * as the case after the last.
 */
const processes = 3;

/**
 * The same durable work on both sides: commit number and exact bytes, ask the device, commit the
 * signature. Beside a slow device what counts is what the device itself allows. p50 and p99 are a
 * device's time from one signature to the next. `only`: the numbers of the cases to run, from 0.
 */
export async function benchSigning(postgres: World['postgres'], only?: string): Promise<void> {
  const { child, found: port } = await startAndWait(['test/bench/vsdc-at-once.ts'], /port (\d+)/);
  const clone = await cloneDatabase(postgres);
  const config = {
    host: '127.0.0.1',
    port: 0,
    publicUrl: 'http://127.0.0.1',
    logLevel: 'warn',
    vsdcNetworks: ['127.0.0.0/8'],
    hookNetworks: [],
    zohoClientId: null,
    zohoHostsAlso: [],
    widgetOriginsAlso: [],
    trustedProxies: [],
    mailFrom: 'bench@localhost',
    alertHookUrl: null,
    databasePoolMax: 10,
    preparesStatements: true,
  };
  const secrets = {
    databaseUrl: clone.urls.app,
    queueDatabaseUrl: clone.urls.queue,
    migrationDatabaseUrl: clone.urls.owner,
    masterKey: createHash('sha256').update('bench').digest(),
    smtpUrl: null,
    zohoClientSecrets: {},
    previousMasterKey: null,
  };
  const timing = { readAgainMs: 3_600_000_000 };
  const app = await startApp(config, secrets, { log: silentLog, sweepMs: 3_600_000, timing });
  const { businessId } = await app.registerBusiness({
    business: {
      business_name: 'Bench',
      email: 'b@example.rw',
      location: 'Kigali',
      tin_number: '100200300',
      phone_number: '0',
      country: 'RW',
      vat_registered: true,
      go_live_date: '2020-01-01',
      settings: {},
      branding: {},
    },
    branches: Array.from({ length: devicesMax }, (_, i) => ({
      branch_code: String(i).padStart(3, '0'),
      name: `B${i}`,
      address: '',
      device: {
        dialect: 'rw-vsdc',
        serial: `s${i}`,
        environment: 'sandbox' as const,
        address: `http://127.0.0.1:${port}`,
      },
    })),
    zoho: {
      organization_id: '1',
      grant: {
        accounts_server: 'https://accounts.zoho.com',
        api_domain: 'https://www.zohoapis.com',
        client_id: 'x',
        client_secret: 'x',
        refresh_token: 'x',
      },
    },
    account: {
      username: 'bench',
      name: 'Bench',
      email: 'b@example.rw',
      password: 'bench bench bench',
      role: 'business_admin',
    },
  });
  const pool = new pg.Pool({ connectionString: clone.urls.app, max: 10 });
  const worker = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query(
        "select set_config('role', 'muhuri_worker', true), set_config('app.business_id', $1, true)",
        [businessId],
      );
      const result = await work(client);
      await client.query('commit');
      return result;
    } finally {
      client.release();
    }
  };
  await worker((client) =>
    client.query(
      "update device set state = 'active', sdc_id = 'SDC100200300' || (select branch_code from branch b where b.business_id = device.business_id and b.id = device.branch_id), mrc_number = 'WIS00000001', next_invoice_number = 1",
    ),
  );
  const filed = filedSale();
  const owner = new pg.Client({ connectionString: clone.urls.admin });
  await owner.connect();
  await owner.query('create schema bench');
  await owner.query(
    'create table bench.attempt (id bigserial primary key, device int, number bigint, request text, outcome text, response text)',
  );
  await owner.query('create table bench.device (id int primary key, next bigint)');
  await owner.query('insert into bench.device select g, 1 from generate_series(0, $1) g', [
    devicesMax - 1,
  ]);
  const barePool = new pg.Pool({ connectionString: clone.urls.admin, max: 10 });

  const walOf = async () =>
    Number(
      (await owner.query("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes")).rows[0]
        .bytes,
    );
  /** Receipts a second, and the CPU and the log of PostgreSQL that one of them took. */
  const timed = async (of: Case, work: () => Promise<unknown>): Promise<Took> => {
    const count = of.devices * of.perDevice;
    const [before, walBefore] = [cpuOf(postgres), await walOf()];
    const started = performance.now();
    await work();
    const rate = (count * 1000) / (performance.now() - started);
    const [after, walAfter] = [cpuOf(postgres), await walOf()];
    return {
      rate,
      cpu: {
        ours: (after.ours - before.ours) / count,
        postgres: (after.postgres - before.postgres) / count,
      },
      wal: (walAfter - walBefore) / count,
    };
  };

  let batch = 0;
  /** Servers that work instead of the one in this process. */
  let servers: ChildProcess[] = [];
  const bareRate = (of: Case) =>
    timed(of, () =>
      Promise.all(
        Array.from({ length: of.devices }, (_, device) =>
          bareLane(barePool, device, of, Number(port)),
        ),
      ),
    );
  const ourRate = async (of: Case): Promise<Took> => {
    batch += 1;
    await worker((client) =>
      client.query('update device set address = $1', [
        `http://127.0.0.1:${port}${pathOf(of.answerMs)}`,
      ]),
    );
    await worker((client) =>
      client.query(
        `insert into receipt (business_id, id, module, document_id, kind, document_number, document_date, branch_id, device_id, environment, signing_input, document_hash, answers, needs_registering, state, queued_at, read_at, opened_at, updated_at)
         select d.business_id, 'rcp_' || md5(d.id || '-' || g || '-' || $2), 'invoices', md5(d.id || '-' || g || '-' || $2), 'sale', 'N', '2026-11-20', d.branch_id, d.id, d.environment,
           jsonb_set($1::jsonb, '{terms,device,branchCode}', to_jsonb(b.branch_code)), 'h', '{}', false, 'queued', now(), now(), now(), now()
         from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id and b.branch_code::int < $3, generate_series(1, $4::int) g`,
        [JSON.stringify(filed), String(batch), of.devices, of.perDevice],
      ),
    );
    return timed(of, async () => {
      if (servers.length === 0) await app.sweep();
      for (const each of servers) each.kill('SIGUSR2');
      for (;;) {
        // By the lane's own index: asking must not cost what is measured.
        const { rowCount } = await worker((client) =>
          client.query({
            name: 'is_left',
            text: "select 1 from receipt where state in ('queued', 'in_doubt') limit 1",
          }),
        );
        if (rowCount === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
  };
  /** From one signature of a device to its next, of the last batch. */
  const cycles = async (of: Case): Promise<{ p50: number; p99: number }> => {
    const { rows } = await worker((client) =>
      client.query(
        `select percentile_disc(0.5) within group (order by ms) as p50, percentile_disc(0.99) within group (order by ms) as p99 from
           (select extract(epoch from recorded_at - lag(recorded_at) over (partition by device_id order by invoice_number)) * 1000 as ms from
             (select * from signature order by recorded_at desc limit $1) s) c where ms is not null`,
        [of.devices * of.perDevice],
      ),
    );
    return { p50: Number(rows[0].p50), p99: Number(rows[0].p99) };
  };
  /**
   * So many servers in processes of their own, each with its share of the lanes, until their work
   * is measured.
   */
  const withServers = async (count: number, of: Case, work: () => Promise<void>): Promise<void> => {
    const instead = { timing, sweepMs: 3_600_000, lanesMax: Math.ceil(of.devices / count) };
    const settings = JSON.stringify({
      config,
      secrets: { ...secrets, masterKey: secrets.masterKey.toString('base64') },
      instead,
    });
    const started = Array.from({ length: count }, () =>
      startAndWait(['test/scenarios/server-process.ts', settings], /up (\S+)/),
    );
    servers = (await Promise.all(started)).map(({ child }) => child);
    await work();
    for (const each of servers.splice(0))
      await new Promise((resolve) => each.once('exit', resolve).kill('SIGTERM'));
  };
  const isAsked = (i: number) => !only || only.split(',').includes(String(i));
  for (const of of cases.filter((_, i) => isAsked(i))) {
    const [bare, ours]: [Took[], Took[]] = [[], []];
    for (let round = 0; round <= of.rounds; round++) {
      const [plain, own] = [await bareRate(of), await ourRate(of)];
      // The first round warms both sides up; after it PostgreSQL knows its tables, as it does a
      // minute after they were first filled.
      if (round === 0) {
        await owner.query('analyze');
        continue;
      }
      bare.push(plain);
      ours.push(own);
    }
    const { p50, p99 } = await cycles(of);
    const name = `${of.devices} device${of.devices > 1 ? 's' : ''}, ${of.answerMs > 0 ? `${of.answerMs} ms` : 'at once'}`;
    const alone = (of.devices * 1000) / of.answerMs;
    if (of.answerMs > 0) line(`signing, ${name}: the device alone`, `${alone.toFixed(0)}/s`);
    line(
      of.answerMs > 0 ? '  bare (node:http + pg)' : `signing, ${name}: bare (node:http + pg)`,
      rateText(bare),
    );
    line('  Muhuri’s lanes', rateText(ours));
    line('  a signature to the next, p50 / p99', `${p50.toFixed(0)} / ${p99.toFixed(0)} ms`);
    if (of.answerMs > 0) {
      line(
        '  bare against the device alone',
        median(bare.map(({ rate }) => rate / alone)).toFixed(2),
      );
      line(
        '  ours against the device alone',
        median(ours.map(({ rate }) => rate / alone)).toFixed(2),
        of.devices > 50 ? '' : 'aim ≥ 0.97',
      );
      continue;
    }
    line(
      '  CPU a receipt, ms: process + PostgreSQL, bare / ours',
      `${cpuText(bare)} / ${cpuText(ours)}`,
    );
    line(
      '  log of PostgreSQL a receipt, bytes, bare / ours',
      `${median(bare.map(({ wal }) => wal)).toFixed(0)} / ${median(ours.map(({ wal }) => wal)).toFixed(0)}`,
    );
    line(
      '  ratio',
      median(ours.map(({ rate }, i) => rate / (bare[i] as Took).rate)).toFixed(2),
      of.devices === 50 ? 'aim ≥ 0.8' : '',
    );
  }
  if (isAsked(cases.length)) {
    const of = cases[1] as Case;
    const [one, several]: [Took[], Took[]] = [[], []];
    for (let turn = 0; turn < 3; turn++) {
      for (const [count, took] of [
        [1, one],
        [processes, several],
      ] as const) {
        await withServers(count, of, async () => {
          // Each process is warmed up by as many receipts as the one alone.
          for (let round = -count; round < 3; round++) {
            const each = await ourRate(of);
            if (round >= 0) took.push(each);
          }
        });
      }
    }
    line(`signing, ${of.devices} devices, at once: one server by itself`, rateText(one));
    line(`  ${processes} servers, each with its share of the lanes`, rateText(several));
    line(
      `  ${processes} against one`,
      (median(several.map(({ rate }) => rate)) / median(one.map(({ rate }) => rate))).toFixed(2),
      'aim ≥ 1',
    );
  }
  await Promise.all([pool.end(), barePool.end(), owner.end()]);
  await app.close();
  child.kill();
  await clone.drop();
}

/** Where the device at this address takes its time. */
const pathOf = (answerMs: number) => (answerMs > 0 ? `/after-${answerMs}` : '');

const rateText = (all: Took[]) =>
  `${median(all.map(({ rate }) => rate)).toFixed(0)}/s (${spread(all.map(({ rate }) => rate))})`;
const cpuText = (all: Took[]) =>
  `${median(all.map(({ cpu }) => cpu.ours)).toFixed(2)} + ${median(all.map(({ cpu }) => cpu.postgres)).toFixed(2)}`;

async function bareLane(
  pool: pg.Pool,
  device: number,
  { perDevice, answerMs }: Case,
  port: number,
): Promise<void> {
  const body = JSON.stringify({
    tin: '900000000',
    bhfId: String(device).padStart(3, '0'),
    filler: 'x'.repeat(1500),
  });
  for (let i = 0; i < perDevice; i++) {
    const client = await pool.connect();
    await client.query('begin');
    const { rows } = await client.query(
      'update bench.device set next = next + 1 where id = $1 returning next',
      [device],
    );
    const { rows: made } = await client.query(
      'insert into bench.attempt (device, number, request) values ($1, $2, $3) returning id',
      [device, rows[0].next, body],
    );
    await client.query('commit');
    client.release();
    const answer = await post(port, pathOf(answerMs), body);
    const again = await pool.connect();
    await again.query('begin');
    await again.query("update bench.attempt set outcome = 'signed', response = $2 where id = $1", [
      made[0].id,
      answer,
    ]);
    await again.query('commit');
    again.release();
  }
}

const post = (port: number, path: string, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path,
        agent: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (answer) => {
        let text = '';
        answer.on('data', (part: Buffer) => {
          text += part.toString();
        });
        answer.on('end', () => resolve(text));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });

function filedSale() {
  const content = {
    name: 'Item',
    itemClass: '5020170600',
    itemType: '2',
    packageUnit: 'NT',
    quantityUnit: 'U',
    origin: 'RW',
    taxClass: 'B',
  };
  const line = {
    source: 'item:1',
    itemCode: 'RW2NTXU0000001',
    name: 'Item',
    content,
    quantity: '2',
    unitPrice: '1180.00',
    gross: '2360.00',
    discountRate: '0.00',
    discount: '0.00',
    total: '2360.00',
    taxClass: 'B',
  };
  return {
    sale: {
      kind: 'sale',
      documentNumber: 'N',
      documentDate: '2026-11-20',
      customerId: '1',
      buyer: { name: 'Buyer', taxpayerId: null, purchaseCode: null, mobile: '0788000000' },
      paymentMethod: '01',
      reasonCode: null,
      currency: 'RWF',
      foreign: null,
      lines: [line, line],
      total: '4720.00',
    },
    terms: {
      device: { taxpayerId: '100200300', branchCode: '00', serial: 's' },
      mrcNumber: null,
      rates: { A: '0', B: '18', C: '0', D: '0' },
      headerTax: 'lines',
      originalInvoiceNumber: null,
      originalReceipt: null,
      user: { id: 'u', name: 'U' },
      seller: { tradeName: 'T', address: 'A', topMessage: '', bottomMessage: '' },
      verification: { form: 'url', base: null },
    },
  };
}
