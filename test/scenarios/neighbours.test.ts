import { dearPng, goodPng, hostilePngs } from '@muhuri/server/platform/reencode-image.samples';
import { mailBy } from '@muhuri/server/platform/mail';
import pg from 'pg';
import { type NameServer, startNameServer } from '@muhuri/server/platform/resolver.samples';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { redo } from '../migrations.ts';
import { cloneDatabase, startWorld, type World } from '../world.ts';

/** What one business gives, or whom it has us call, is felt by nobody else. */
let world: World;
let admin: Api;
let other: Api;
let nameServer: NameServer;
let silent: { server: Server; address: string; sockets: Set<Socket>; most: number };
beforeAll(async () => {
  nameServer = await startNameServer({ '*.silent.example': { silent: [4, 6] } });
  const hostsFile = join(mkdtempSync(join(tmpdir(), 'hosts-')), 'hosts');
  writeFileSync(hostsFile, '127.0.0.1 vsdc.shop.example\n');
  silent = await listenInSilence();
  world = await startWorld({
    instead: {
      vsdc: { answerTimeoutMs: 700, connectTimeoutMs: 600 },
      names: { servers: [nameServer.address], hostsFile, questionMs: 1_000, deadlineMs: 1_500 },
      waitMs: 5_000,
      sweepMs: 300,
      intakeMs: 30,
      // What is held by a test is held for no time that it could run out of.
      statements: { askedMs: 20_000 },
    },
  });
  admin = await Api.signIn(world, world.businesses[0].admin);
  other = await Api.signIn(world, world.businesses[1].admin);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  nameServer.close();
  for (const socket of silent.sockets) socket.destroy();
  silent.server.close();
});

/** A device that takes every connection and says nothing. */
async function listenInSilence(): Promise<typeof silent> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(
      socket
        .on('error', () => {})
        .on('close', () => sockets.delete(socket))
        .resume(),
    );
    silent.most = Math.max(silent.most, sockets.size);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    sockets,
    most: 0,
    address: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
  };
}

const dataUrl = (file: Buffer, kind = 'png') =>
  `data:image/${kind};base64,${file.toString('base64')}`;
const config = async () =>
  (await admin.get('/businesses/me/config')).body as {
    version: number;
    branding: { logo: string | null };
  };
/**
 * The owner's own hand in the row: as an older version, a restored copy or an edit would have left
 * it.
 */
async function store(businessId: string, logo: string): Promise<void> {
  const owner = new pg.Client({
    connectionString: world.postgres.urlFor(
      'admin',
      new URL(world.databaseUrls.owner).pathname.slice(1),
    ),
  });
  await owner.connect();
  await owner.query(
    `update business set branding = jsonb_set(branding, '{logo}', to_jsonb($2::text)) where business_id = $1`,
    [businessId, logo],
  );
  await owner.end();
}
const invoiceOf = (index: number) =>
  world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === world.businesses[index]?.organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    )?.id ?? '';

describe('a logo', () => {
  test('that would end the process is refused wherever it is given, and everybody else is answered', async () => {
    const { version } = await config();
    const logos = [...Object.values(hostilePngs), dearPng()].map((file) => dataUrl(file));
    for (const logo of logos) {
      expect(
        (await admin.post('/businesses/me/branding/preview', { branding: { logo } })).body.code,
      ).toBe('image_refused');
      expect(
        (await admin.put('/businesses/me/config', { version, branding: { logo } })).body.code,
      ).toBe('image_refused');
    }
    expect((await other.get('/auth/me')).status).toBe(200);
    expect((await config()).version).toBe(version);
  });

  test('is stored as we wrote it, and given back it is left as it is', async () => {
    const kept = await admin.put('/businesses/me/config', {
      version: (await config()).version,
      branding: { logo: dataUrl(goodPng) },
    });
    const { logo } = kept.body.branding as { logo: string };
    expect(logo).toMatch(/^data:image\/png;base64,/);
    expect(logo).not.toBe(dataUrl(goodPng));
    const again = await admin.put('/businesses/me/config', {
      version: kept.body.version,
      branding: kept.body.branding,
    });
    expect((again.body.branding as { logo: string }).logo).toBe(logo);
    const preview = await admin.post('/businesses/me/branding/preview', {
      branding: { logo: dataUrl(goodPng) },
    });
    expect(preview.body.text).toMatch(/^%PDF/);
  });

  test('that stands in a row from elsewhere is on no paper; at the next start it is written anew, or goes and the admin is told', async () => {
    const [first, second] = world.businesses;
    const sealed = await admin.seal('invoices', invoiceOf(0));
    expect(sealed.body.state).toBe('signed');
    await store(first.businessId, dataUrl(hostilePngs['rows that are no zlib stream'] as Buffer));
    await store(second.businessId, dataUrl(goodPng));
    const printed = await admin.post('/receipts/prints', { receipt_ids: [sealed.body.id] });
    expect(printed.body.text).toMatch(/^%PDF/);
    // What a business changes meanwhile leaves the logo to be looked at.
    expect(
      (
        await other.put('/businesses/me/config', {
          version: (await other.get('/businesses/me/config')).body.version,
          location: 'Huye',
        })
      ).status,
    ).toBe(200);
    await world.anotherApp();
    const alerts = await until(
      async () => (await admin.get('/alerts')).body.alerts as { problem: { code: string } }[],
      (open) => open.some(({ problem }) => problem.code === 'logo_removed'),
    );
    expect(alerts).toHaveLength(1);
    expect((await config()).branding.logo).toBe(null);
    const kept = await until(
      async () =>
        ((await other.get('/businesses/me/config')).body.branding as { logo: string | null }).logo,
      (logo) => logo !== dataUrl(goodPng),
    );
    expect(kept).toMatch(/^data:image\/png;base64,/);
    await admin.put('/businesses/me/config', {
      version: (await config()).version,
      branding: { logo: dataUrl(goodPng) },
    });
    expect((await admin.get('/alerts')).body.alerts).toEqual([]);
  });

  test('is read so often a minute for one business, and another has its own share', async () => {
    const preview = (by: Api) =>
      by.post('/businesses/me/branding/preview', {
        branding: { logo: dataUrl(hostilePngs['a wrong checksum'] as Buffer) },
      });
    const codes = (await Promise.all(Array.from({ length: 70 }, () => preview(admin)))).map(
      ({ body }) => body.code,
    );
    expect(codes).toContain('rate_limited');
    for (const code of codes)
      expect(['image_refused', 'business_busy', 'rate_limited']).toContain(code);
    expect((await preview(other)).body.code).toBe('image_refused');
  });

  test('in the file of a business that is registered on the command line is looked at like any other', async () => {
    const { registration } = await import('@muhuri/server/onboarding/registration');
    const file = {
      business: {
        business_name: 'Third',
        email: 'office@third.example',
        location: 'Kigali',
        tin_number: '100200500',
        phone_number: '+250 788 000 100',
        country: 'RW',
        vat_registered: true,
        go_live_date: '2026-01-01',
        branding: { logo: dataUrl(hostilePngs['a filter that does not exist'] as Buffer) },
      },
      branches: [
        {
          branch_code: '00',
          name: 'Head',
          address: '',
          device: {
            dialect: 'rw-vsdc',
            serial: 'x',
            environment: 'sandbox',
            address: world.vsdc.url,
          },
        },
      ],
      zoho: {
        organization_id: '999',
        grant: {
          accounts_server: world.zoho.url,
          api_domain: world.zoho.url,
          client_id: 'id',
          client_secret: 'some',
          refresh_token: 'some',
        },
      },
      account: {
        username: 'admin@third',
        name: 'T',
        email: 'admin@third.example',
        password: 'seven quiet herons',
      },
    };
    await expect(world.app.registerBusiness(registration.parse(file))).rejects.toMatchObject({
      code: 'image_refused',
    });
  });
});

describe('a device', () => {
  const moveTo = (index: number, address: string) =>
    world.sql(
      'update device set address = $1',
      [address],
      world.businesses[index]?.businessId ?? '',
    );

  test('whose name server never answers is asked for within the time, and nobody else waits for it', async () => {
    await moveTo(0, 'http://vsdc.silent.example:8080');
    await moveTo(1, world.vsdc.url.replace('127.0.0.1', 'vsdc.shop.example'));
    const began = performance.now();
    let ended = 0;
    const stuck = Array.from({ length: 12 }, () =>
      admin.post('/businesses/me/test-vsdc', {}).finally(() => (ended += 1)),
    );
    await expect.poll(() => nameServer.asked.length).toBeGreaterThan(0);
    expect((await other.post('/businesses/me/test-vsdc', {})).body.result).toBe('fine');
    expect(ended, 'of those that are held up').toBe(0);
    for (const each of await Promise.all(stuck))
      expect(each).toMatchObject({ status: 200, body: { result: 'down' } });
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('that accepts and stays silent is asked once at a time, keeps no connection, and takes none from its sales', async () => {
    await moveTo(0, silent.address);
    const probes = await Promise.all(
      Array.from({ length: 60 }, () => admin.post('/businesses/me/test-vsdc', {})),
    );
    for (const each of probes)
      expect(each).toMatchObject({ status: 200, body: { result: 'down' } });
    expect(silent.most).toBe(1);
    await expect.poll(() => silent.sockets.size).toBe(0);
    const lookups = Array.from({ length: 24 }, (_, i) =>
      admin.get(`/taxpayers/${100_200_301 + i}`),
    );
    await expect.poll(() => silent.sockets.size).toBe(8);
    expect(new Set((await Promise.all(lookups)).map((each) => each.body.code))).toEqual(
      new Set(['device_unreachable']),
    );
    // A place may be taken again before the device has seen that it was left.
    expect(silent.most).toBeLessThanOrEqual(16);
    await expect.poll(() => silent.sockets.size).toBe(0);
    await moveTo(0, world.vsdc.url);
  });
});

describe('an address that is told of receipts', () => {
  test('carries no credentials: not when it is given, and not from before they were refused', async () => {
    for (const url of ['http://user:pw@hooks.example/', 'https://token@hooks.example/'])
      expect(await admin.post('/subscribers', { url, events: ['receipt.signed'] })).toMatchObject({
        status: 400,
        body: { field: 'url' },
      });
    const device = {
      serial: 'x',
      environment: 'sandbox',
      address: 'http://user:pw@vsdc.example:8080',
    };
    expect((await admin.put('/businesses/me/vsdc-config', device)).body).not.toHaveProperty(
      'address',
    );
    const clone = await cloneDatabase(world.postgres);
    const owner = new pg.Client({ connectionString: clone.urls.admin });
    await owner.connect();
    try {
      await redo(clone.urls.owner, '0019', async () => {
        await owner.query("set session_replication_role = 'replica'");
        await owner.query(
          `insert into subscriber (business_id, id, url, events, secret, created_at)
           values ('biz_a', 'sub_a', 'https://user:p@w@hooks.example/in?a=b@c', '{}', '', now()), ('biz_b', 'sub_b', 'http://hooks.example/x@y', '{}', '', now())`,
        );
      });
      const { rows } = await owner.query('select url from webhook_endpoint order by id');
      expect(rows.map(({ url }) => url)).toEqual([
        'https://hooks.example/in?a=b@c',
        'http://hooks.example/x@y',
      ]);
    } finally {
      await owner.end();
      await clone.drop();
    }
  });
});

describe('what is made in the name of somebody', () => {
  test('takes the business’s share of the connections and no more, however much is asked for at once: another business is answered meanwhile', async () => {
    const { businessId } = world.businesses[0];
    const ask = (i: number) => admin.post('/api-keys', { name: `shop ${i}`, scopes: ['read'] });
    expect((await ask(0)).status).toBe(200);
    const holder = new pg.Client({ connectionString: world.databaseUrls.app });
    const watcher = new pg.Client({ connectionString: world.databaseUrls.app });
    await Promise.all([holder.connect(), watcher.connect()]);
    const [own] = (await holder.query('select pg_backend_pid() as pid')).rows as [{ pid: number }];
    // Those who wait for this lock, and for those who wait for it.
    const waiting = async () =>
      Number(
        (
          await watcher.query(
            `with recursive waiter (pid) as (
               select pid from pg_stat_activity where $1::int = any(pg_blocking_pids(pid))
               union select a.pid from pg_stat_activity a join waiter on waiter.pid = any(pg_blocking_pids(a.pid)))
             select count(*) as n from waiter`,
            [own.pid],
          )
        ).rows[0]?.n,
      );
    try {
      await holder.query('begin');
      await holder.query(
        "select set_config('role', 'muhuri_worker', true), set_config('app.business_id', $1, true)",
        [businessId],
      );
      await holder.query('select 1 from business for no key update');
      let ended = 0;
      const stuck = Array.from({ length: 30 }, (_, i) => ask(i + 1).finally(() => (ended += 1)));
      // Four of the ten connections are the share of one business.
      await until(waiting, (n) => n >= 4);
      for (let i = 0; i < 5; i++) expect((await other.get('/auth/me')).status).toBe(200);
      expect(ended, 'of those that are held up').toBe(0);
      expect(await waiting()).toBeLessThan(10);
      await holder.query('rollback');
      await Promise.all(stuck);
    } finally {
      await Promise.all([holder.end(), watcher.end()]);
    }
  });
});

test('prints of one receipt are kept so often an hour and no more', async () => {
  const { businessId } = world.businesses[0];
  const sealed = (await admin.get('/receipts?document_id=' + invoiceOf(0) + '&module=invoices'))
    .body.receipts as { id: string }[];
  const id = sealed[0]?.id ?? '';
  expect((await admin.post('/receipts/prints', { receipt_ids: [id] })).status).toBe(200);
  await world.sql(
    `insert into print (business_id, id, receipt_id, number, paper, went_with, pdf, printed_by, printed_at)
     select business_id, 'prt_' || n, receipt_id, 1000 + n, paper, went_with, pdf, printed_by, printed_at
       from (select * from print where receipt_id = $1 limit 1) p, generate_series(1, 60) n`,
    [id],
    businessId,
  );
  expect(await admin.post('/receipts/prints', { receipt_ids: [id] })).toMatchObject({
    status: 429,
    body: { code: 'rate_limited' },
  });
});

describe('mails that a business causes', () => {
  const invite = (email: string) => admin.post('/invitations', { email, role: 'business_user' });

  test('go to strangers fifty times an hour and to one of them five times, however many are asked for at once', async () => {
    const { businessId } = world.businesses[0];
    const one = await Promise.all(
      Array.from({ length: 12 }, () => invite('stranger@somewhere.example')),
    );
    expect(one.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(one.filter(({ body }) => body.code === 'rate_limited')).toHaveLength(7);
    const many = await Promise.all(
      Array.from({ length: 60 }, (_, i) => invite(`stranger-${i}@somewhere.example`)),
    );
    expect(many.filter(({ status }) => status === 200)).toHaveLength(45);
    expect(await world.sql('select count(*)::int as made from invitation', [], businessId)).toEqual(
      [{ made: 50 }],
    );
    expect((await other.get('/auth/me')).status).toBe(200);
  });

  test('reach one address so often and no more, whoever causes them', async () => {
    const mail = mailBy(world.mail.smtpUrl, 'Muhuri <muhuri@demo.example>', 2);
    const send = (to: string) => mail.send({ to, subject: 'one of many', text: '' });
    await send('a@somewhere.example');
    await send('A@somewhere.example');
    await expect(send('a@somewhere.example')).rejects.toMatchObject({ code: 'mail_unavailable' });
    await send('b@somewhere.example');
    mail.close();
    expect(world.mail.mails().filter(({ subject }) => subject === 'one of many')).toHaveLength(3);
  });

  test('show the name a business has as it is: one that is written like an encoded word is not read as what it encodes', async () => {
    const mail = mailBy(world.mail.smtpUrl, 'Muhuri <muhuri@demo.example>');
    const name = `=?utf-8?B?${Buffer.from('Somebody else\r\nBcc: x').toString('base64')}?=`;
    await mail.send({ to: 'encoded@somewhere.example', subject: `${name} invites you`, text: '' });
    mail.close();
    const subject =
      world.mail.mails().find(({ to }) => to.includes('encoded@somewhere.example'))?.subject ?? '';
    expect(subject).toContain('invites you');
    expect(subject).not.toContain('=?');
  });
});
