import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { startApp } from '@muhuri/server/app';
import { silentLog } from '@muhuri/server/platform/log';
import pg from 'pg';
import { cloneDatabase, type World } from '../world.ts';
import { line, median, spread, startAndWait } from './measure.ts';

const devices = 50;
const perDevice = 40;
const rounds = 5;

/** The same durable work on both sides: commit number and exact bytes, ask the device, commit the signature; 50 devices at once. */
export async function benchSigning(postgres: World['postgres']): Promise<void> {
  const { child, found: port } = await startAndWait(['test/bench/vsdc-at-once.ts'], /port (\d+)/);
  const clone = await cloneDatabase(postgres);
  const bare: number[] = [];
  const ours: number[] = [];
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
  const app = await startApp(config, secrets, { log: silentLog, sweepMs: 3_600_000, lanesMax: devices, timing: { readAgainMs: 3_600_000_000 } });
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
    branches: Array.from({ length: devices }, (_, i) => ({
      branch_code: String(i).padStart(2, '0'),
      name: `B${i}`,
      address: '',
      device: { dialect: 'rw-vsdc', serial: `s${i}`, environment: 'sandbox' as const, address: `http://127.0.0.1:${port}` },
    })),
    zoho: {
      organization_id: '1',
      grant: { accounts_server: 'https://accounts.zoho.com', api_domain: 'https://www.zohoapis.com', client_id: 'x', client_secret: 'x', refresh_token: 'x' },
    },
    account: { username: 'bench', name: 'Bench', email: 'b@example.rw', password: 'bench bench bench', role: 'business_admin' },
  });
  const pool = new pg.Pool({ connectionString: clone.urls.app, max: 10 });
  const worker = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      await client.query("select set_config('role', 'muhuri_worker', true), set_config('app.business_id', $1, true)", [businessId]);
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
  await owner.query('create table bench.attempt (id bigserial primary key, device int, number bigint, request text, outcome text, response text)');
  await owner.query('create table bench.device (id int primary key, next bigint)');
  await owner.query('insert into bench.device select g, 1 from generate_series(0, $1) g', [devices - 1]);
  const barePool = new pg.Pool({ connectionString: clone.urls.admin, max: 10 });

  for (let round = 0; round <= rounds; round++) {
    const bareRate = await timed(() => Promise.all(Array.from({ length: devices }, (_, device) => bareLane(barePool, device, Number(port)))));
    await worker((client) =>
      client.query(
        `insert into receipt (business_id, id, module, document_id, kind, document_number, document_date, branch_id, device_id, sale, document_hash, answers, needs_registering, state, queued_at, read_at, opened_at, updated_at)
         select d.business_id, 'rcp_' || md5(d.id || g::text || $2), 'invoices', md5(d.id || g::text || $2), 'sale', 'N', '2026-11-20', d.branch_id, d.id,
           jsonb_set($1::jsonb, '{filing,device,branchCode}', to_jsonb(b.branch_code)), 'h', '{}', false, 'queued', now(), now(), now(), now()
         from device d join branch b on b.business_id = d.business_id and b.id = d.branch_id, generate_series(1, ${perDevice}) g`,
        [JSON.stringify(filed), String(round)],
      ),
    );
    const ourRate = await timed(async () => {
      await app.sweep();
      for (;;) {
        const { rows } = await worker((client) => client.query("select count(*)::int as n from receipt where state <> 'signed'"));
        if (rows[0].n === 0) return;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    // The first round warms both sides up.
    if (round > 0) {
      bare.push(bareRate);
      ours.push(ourRate);
    }
  }
  line('signing, bare (node:http + pg)', `${median(bare).toFixed(0)}/s (${spread(bare)})`);
  line('signing, Muhuri’s lanes', `${median(ours).toFixed(0)}/s (${spread(ours)})`);
  line('  ratio', median(ours.map((each, i) => each / (bare[i] as number))).toFixed(2), 'aim ≥ 0.5');
  await Promise.all([pool.end(), barePool.end(), owner.end()]);
  await app.close();
  child.kill();
  await clone.drop();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (devices * perDevice * 1000) / (performance.now() - started);
}

async function bareLane(pool: pg.Pool, device: number, port: number): Promise<void> {
  const body = JSON.stringify({ tin: '900000000', bhfId: String(device).padStart(2, '0'), filler: 'x'.repeat(1500) });
  for (let i = 0; i < perDevice; i++) {
    const client = await pool.connect();
    await client.query('begin');
    const { rows } = await client.query('update bench.device set next = next + 1 where id = $1 returning next', [device]);
    const { rows: made } = await client.query('insert into bench.attempt (device, number, request) values ($1, $2, $3) returning id', [
      device,
      rows[0].next,
      body,
    ]);
    await client.query('commit');
    client.release();
    const answer = await post(port, body);
    const again = await pool.connect();
    await again.query('begin');
    await again.query("update bench.attempt set outcome = 'signed', response = $2 where id = $1", [made[0].id, answer]);
    await again.query('commit');
    again.release();
  }
}

const post = (port: number, body: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: 'POST',
        path: '/',
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
  const content = { name: 'Item', itemClass: '5020170600', itemType: '2', packageUnit: 'NT', quantityUnit: 'U', origin: 'RW', taxClass: 'B' };
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
    filing: {
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
