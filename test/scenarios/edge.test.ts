import { connect } from 'node:net';
import * as contract from '@muhuri/shared/contract/index';
import type { Endpoint } from '@muhuri/shared/contract/index';
import { checkHead, headsIn, type PublishedHead } from '@muhuri/server/audit/publish-head';
import { fingerprintOf } from '@muhuri/server/platform/evidence-signer';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
let owner: pg.Client;
beforeAll(async () => {
  // What waits here waits for a lock that the test itself holds, on a slow machine longer than
  // people may wait.
  world = await startWorld({ instead: { statements: { askedMs: 60_000 } } });
  admin = await Api.signIn(world, world.businesses[0].admin);
  owner = new pg.Client({
    connectionString: world.postgres.urlFor(
      'admin',
      new URL(world.databaseUrls.owner).pathname.slice(1),
    ),
  });
  await owner.connect();
});
afterAll(async () => {
  await owner?.end();
  await world?.[Symbol.asyncDispose]();
});

/**
 * How many statements of this database wait for a lock just now. Inside a transaction PostgreSQL
 * shows the connections it saw first, unless told to look anew.
 */
const waiting = async () =>
  (await owner.query('select pg_stat_clear_snapshot()')) &&
  Number(
    (
      await owner.query(
        "select count(*) as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
    ).rows[0]?.n,
  );

describe('a secret stored while the keys are rotated', () => {
  test.each([
    [
      'webhook_endpoint',
      '/subscribers',
      { url: 'http://127.0.0.1:9/x', events: ['receipt.signed'] },
    ],
    ['zoho_webhook', '/webhooks', { module: 'invoices' }],
    ['consent', '/oauth/connect', { data_centre: 'com' }],
  ] as const)(
    'of a %s opens afterwards: the rotation waits until it stands where it is sealed anew',
    async (table, path, body) => {
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
    },
  );

  test('is opened still by what was begun before: a consent goes through after its business has a new key', async () => {
    const begun = await admin.post('/oauth/connect', {});
    await world.app.rotateKeys();
    const user = world.zoho
      .users()
      .find((each) => world.businesses[0].organizationId in each.organizations);
    const back = Object.fromEntries(
      new URL(world.zoho.accept(begun.body.consent_url as string, user?.user_id ?? ''))
        .searchParams,
    );
    const finished = await admin.post('/oauth/callback', back);
    expect(finished.status, JSON.stringify(finished.body)).toBe(200);
  });
});

describe('whoever locks several rows of a business takes them in one order, so that nobody is given up for crossing another', () => {
  const own = () => world.businesses[0];
  const inTransaction = async (lock: string, parameters: unknown[], begin: () => Promise<void>) => {
    await owner.query('begin');
    await owner.query(lock, parameters);
    await begin();
    await owner.query('commit');
  };

  test('a webhook’s address is renewed while the keys are rotated', async () => {
    const { id } = (await admin.post('/webhooks', { module: 'invoices' })).body.webhook as {
      id: string;
    };
    const done: Promise<unknown>[] = [];
    await inTransaction(
      'select 1 from business where business_id = $1 for update',
      [own().businessId],
      async () => {
        done.push(world.app.rotateKeys());
        await until(waiting, (n) => n >= 1);
        done.push(admin.post(`/webhooks/${id}/rotate`));
        await until(waiting, (n) => n >= 2);
      },
    );
    expect(await Promise.all(done)).toMatchObject([expect.any(Number), { status: 200 }]);
  });

  test('a document is opened while the keys are rotated', async () => {
    const document = world.zoho
      .documents()
      .find((each) => each.organization_id === own().organizationId && each.canSeal);
    const done: Promise<unknown>[] = [];
    await inTransaction('lock table item in share mode', [], async () => {
      done.push(admin.seal('invoices', document?.id ?? ''));
      await until(waiting, (n) => n >= 1);
      let isRotated = false;
      done.push(world.app.rotateKeys().finally(() => (isRotated = true)));
      await until(waiting, (n) => n >= 2 || isRotated);
    });
    expect(await Promise.all(done)).toMatchObject([{ status: 200 }, expect.any(Number)]);
  });
});

describe('what a caller may not see', () => {
  test('is recorded once, and looked into, though another process has begun to write it down', async () => {
    const [first, second] = world.businesses;
    const asked = (await world.sql('select id from branch limit 1', [], second.businessId))[0]
      ?.id as string;
    const values = [first.businessId, asked];
    await owner.query(
      "insert into denied_lookup (business_id, id, at, actor_type, actor_id, route, asked) values ($1, 'mis_both', now(), 'person', 'per_both', 'GET /x', $2)",
      values,
    );
    await owner.query(
      "insert into reference.cross_business_access (id, at, business_id, actor_type, actor_id, route, asked) values ('mis_both', now(), $1, 'person', 'per_both', 'GET /x', $2)",
      values,
    );
    const another = await world.anotherApp();
    await Promise.all([world.app.settle(), another.settle()]);
    expect(await world.sql('select 1 from denied_lookup', [], first.businessId)).toEqual([]);
    expect(
      await world.sql(
        "select 1 from audit where action = 'wall.attempt' and subject = 'per_both'",
        [],
        first.businessId,
      ),
    ).toHaveLength(1);
    await another.close();
  });

  test('is asked for in vain without filling anything: of one caller so much a minute is kept, and that there was more is told', async () => {
    // All of it within one minute, however long it takes.
    const at = new Date();
    const app = await world.anotherApp({ clock: { now: () => at } });
    const user = await Api.signIn(world, world.businesses[0].user, app.url);
    const ids = (from: number) =>
      Array.from({ length: 20 }, (_, i) => `rcp_${String(from + i).padStart(32, '0')}`);
    for (let call = 0; call < 12; call++)
      expect((await user.post('/receipts/prints', { receipt_ids: ids(call * 20) })).status).toBe(
        404,
      );
    const alerts = await until(
      async () =>
        (await admin.get('/alerts')).body.alerts as { problem: { code: string; title: string } }[],
      (all) => all.some((each) => each.problem.code === 'ids_guessed'),
    );
    expect(alerts.filter((each) => each.problem.code === 'ids_guessed')).toHaveLength(1);
    const kept = await world.sql(
      'select count(*)::int as n from denied_lookup',
      [],
      world.businesses[0].businessId,
    );
    expect(kept[0]?.n).toBeLessThanOrEqual(120);
    await app.settle();
    expect(
      await world.sql('select 1 from denied_lookup', [], world.businesses[0].businessId),
    ).toEqual([]);
    await app.close();
  });
});

describe('a statement that somebody waits for', () => {
  test('ends after its time with a sentence that says what to do, on every route that reads, and the server goes on', async () => {
    const app = await world.anotherApp({ statements: { askedMs: 300 } });
    const api = new Api(app.url, admin.token);
    const paths = Object.values(contract)
      .flatMap((all) => Object.values(all))
      .filter(
        (e): e is Endpoint =>
          typeof e === 'object' && 'path' in e && (e as Endpoint).method === 'GET',
      )
      .map((e) =>
        e.path
          .replace('{id}', `rcp_${'0'.repeat(32)}`)
          .replace('{kind}', 'tax')
          .replace('{tin}', '101234567')
          .replace('{link}', 'x'),
      )
      .map((path) =>
        path === '/documents/month'
          ? `${path}?month=2026-11`
          : path.startsWith('/receipts')
            ? `${path}?module=invoices&document_id=1`
            : path,
      );
    await owner.query('begin');
    await owner.query(
      'lock table receipt, document, audit, delivery, webhook_message, receipt_day, branch, device, membership, alert, api_key in access exclusive mode',
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
    expect(stopped[0]?.[2]).toMatchObject({
      status: 503,
      detail: expect.stringContaining('shorter span'),
    });
    expect(tookMs).toBeLessThan(20_000);
    await until(
      () => api.get('/documents'),
      (reply) => reply.status === 200,
    );
    await app.close();
  });

  test('leaves the connections to others: while one business’s searches hang, another is answered, and itself with all that is no search', async () => {
    const [first, second] = world.businesses;
    const user = await Api.signIn(world, first.user);
    const theirs = await Api.signIn(world, second.user);
    await owner.query('begin');
    await owner.query('lock table search_word in access exclusive mode');
    let answered = 0;
    const searches = Array.from({ length: 40 }, () =>
      user.get('/documents?search=kivu').finally(() => (answered += 1)),
    );
    await until(waiting, (n) => n >= 2);
    expect(await waiting()).toBe(2);
    for (const api of [theirs, user])
      expect((await api.get('/receipts?module=invoices&document_id=1')).status).toBe(200);
    expect(answered).toBe(0);
    await owner.query('rollback');
    for (const { status } of await Promise.all(searches)) expect(status).toBe(200);
  });
});

describe('a caller who has not said who they are', () => {
  const raw = (port: number, text: string): Promise<string> =>
    new Promise((resolve) => {
      let said = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      socket.on('data', (part) => {
        said += part.toString('latin1');
        if (said.includes('\r\n\r\n')) socket.destroy();
      });
      socket.on('close', () => resolve(said));
      socket.on('error', () => resolve(said));
    });
  const statusOf = (said: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(said)?.[1]);
  const post = (path: string, length: number, more = '') =>
    `POST /api/v1${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n{"`;

  test('is answered before any byte of a webhook is read, where its address is made up', async () => {
    const { businessId } = world.businesses[0];
    for (const key of [
      'x',
      `${businessId}.${'A'.repeat(32)}`,
      `biz_${'0'.repeat(32)}.${'A'.repeat(32)}`,
    ]) {
      const said = await raw(world.app.port, post(`/webhooks/zoho/${key}`, 200_000));
      expect(statusOf(said), key).toBe(404);
      expect(said.toLowerCase(), key).toContain('connection: close');
    }
    const { url } = (await admin.post('/webhooks', { module: 'creditnotes' })).body as {
      url: string;
    };
    expect((await fetch(url, { method: 'POST', body: 'x'.repeat(257 * 1024) })).status).toBe(413);
    const inChunks = new Blob(['x'.repeat(257 * 1024)]).stream();
    expect(
      (await fetch(url, { method: 'POST', body: inChunks, duplex: 'half' } as RequestInit)).status,
      'of no declared length',
    ).toBe(413);
  });

  test('is no better off where a body does not say how long it is: nothing of it is read before it is known whose it is', async () => {
    const app = await world.anotherApp({ bytes: { perNetwork: 10_000 } });
    const chunked = (path: string) =>
      `POST /api/v1${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n`;
    const made = `biz_${'0'.repeat(32)}.${'A'.repeat(32)}`;
    for (const [path, status] of [
      [`/webhooks/zoho/${made}`, 404],
      ['/receipts', 401],
    ] as const)
      expect(statusOf(await raw(app.port, chunked(path))), path).toBe(status);
    const socket = connect(app.port, '127.0.0.1', () => socket.write(chunked('/auth/login')));
    const second = await until(
      () => raw(app.port, post('/auth/login', 8_000)),
      (each) => each.includes('server_busy'),
    );
    expect(statusOf(second)).toBe(503);
    socket.destroy();
    await app.close();
  });

  test('may send a few lines before sign-in, and no more', async () => {
    const reply = await new Api(world.app.url).post('/auth/login', {
      username: 'x',
      password: 'x'.repeat(9_000),
    });
    expect([reply.status, reply.body.code]).toEqual([413, 'too_large']);
  });

  test('has a share of the bytes under way: beyond it they are told to come again, and who is known goes on', async () => {
    const app = await world.anotherApp({ bytes: { perNetwork: 10_000 } });
    const socket = connect(app.port, '127.0.0.1', () => socket.write(post('/auth/login', 8_000)));
    const said = await until(
      () => raw(app.port, post('/auth/login', 8_000)),
      (each) => statusOf(each) !== undefined && each.includes('server_busy'),
    );
    expect(statusOf(said)).toBe(503);
    expect(said.toLowerCase()).toContain('retry-after: 1');
    expect(
      (await new Api(app.url, admin.token).post('/webhooks', { module: 'invoices' })).status,
    ).toBe(200);
    socket.destroy();
    await until(
      () => new Api(app.url).post('/auth/login', { username: 'x', password: 'y'.repeat(4_000) }),
      (reply) => reply.status === 400 || reply.status === 401,
    );
    await app.close();
  });

  test('names one host, in HTTP as it is spoken today', async () => {
    expect(
      statusOf(await raw(world.app.port, 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')),
    ).toBe(400);
    expect(statusOf(await raw(world.app.port, 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n'))).toBe(
      200,
    );
    expect(await raw(world.app.port, 'GET /health\r\n\r\n')).not.toContain('"up"');
    const { headers } = await fetch(`${world.app.url}/health`);
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
    // But for what the panel opens from a sandboxed frame: a browser would show nothing there.
    const opened = (path: string) => fetch(`${world.app.url}${path}`, { redirect: 'manual' });
    for (const path of ['/zoho', '/settings', '/api/v1/oauth/callback?state=zoho.x&code=x'])
      expect((await opened(path)).headers.get('cross-origin-opener-policy'), path).toBe(
        'unsafe-none',
      );
  });

  test('has so many connections at most', async () => {
    const app = await world.anotherApp({ patience: { connectionsMost: 3 } });
    const open = Array.from({ length: 3 }, () => connect(app.port, '127.0.0.1'));
    await Promise.all(
      open.map((socket) => new Promise((resolve) => socket.once('connect', resolve))),
    );
    await until(
      () => raw(app.port, 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n'),
      (said) => said === '',
    );
    for (const socket of open) socket.destroy();
    await until(
      () => raw(app.port, 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n'),
      (said) => statusOf(said) === 200,
    );
    await app.close();
  });
});

describe('whoever has a whole network of IPv6', () => {
  test('is one caller wherever tries are counted: signing in, mails that reset, pairings and their codes', async () => {
    const app = await world.anotherApp({}, { config: { trustedProxies: ['127.0.0.1'] } });
    let address = 0;
    const from = (path: string, body: object, network = '2001:db8:9:9') =>
      fetch(`${app.url}/api/v1${path}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-forwarded-for': `${network}::${(++address).toString(16)}`,
        },
        body: JSON.stringify(body),
      });
    const many = async (path: string, body: (i: number) => object, times: number) => {
      const statuses: number[] = [];
      for (let i = 0; i < times; i++) statuses.push((await from(path, body(i))).status);
      return statuses;
    };
    const tries = await many(
      '/auth/login',
      () => ({ username: 'somebody@nowhere', password: 'not the password' }),
      9,
    );
    expect(tries).toEqual([...Array.from({ length: 8 }, () => 401), 429]);
    expect(
      (
        await from(
          '/auth/login',
          { username: 'somebody@nowhere', password: 'not the password' },
          '2001:db8:9:8',
        )
      ).status,
    ).toBe(401);
    const codes = await many('/auth/zoho/approvals', () => ({ code: 'AAAA-AAAA' }), 7);
    expect(codes.at(-1)).toBe(429);
    const pairings = await many('/auth/zoho/pairings', () => ({ organization_id: '1' }), 22);
    expect(pairings.at(-1)).toBe(429);
    expect(
      (await from('/auth/zoho/pairings', { organization_id: '1' }, '2001:db8:9:8')).status,
    ).toBe(200);
    await app.close();
  });
});

describe('made-up tokens', () => {
  test('are refused without a look once there were many from one network; a real one passes still', async () => {
    const app = await world.anotherApp(
      { limits: { addressPerMinute: 20 } },
      { config: { trustedProxies: ['127.0.0.1'] } },
    );
    const from = (address: string, token: string, path = '/auth/me') =>
      fetch(`${app.url}${path === '/health' ? '' : '/api/v1'}${path}`, {
        headers: { authorization: `Bearer ${token}`, 'x-forwarded-for': address },
      });
    const madeUp = (i: number) =>
      `${world.businesses[0].businessId}.${String(i).padStart(43, 'x')}`;
    expect((await from('2001:db8::1', admin.token)).status).toBe(200);
    const statuses: number[] = [];
    for (let i = 0; i < 30; i++)
      statuses.push(
        (
          await from(
            `2001:db8::${(i + 2).toString(16)}`,
            madeUp(i),
            i === 5 ? '/health' : '/auth/me',
          )
        ).status,
      );
    expect(statuses.filter((each) => each === 401).length).toBe(19);
    expect(statuses.slice(20).every((each) => each === 429)).toBe(true);
    // Nothing that was turned away, nor the same token again at once, is looked for in the
    // database.
    await owner.query('begin');
    await owner.query('lock table api_key, reference.operator_session in access exclusive mode');
    expect(
      (await from('2001:db8:0:2::1', madeUp(97))).status,
      'of a network that is not turned away',
    ).toBe(401);
    await owner.query('lock table session in access exclusive mode');
    const asked = [
      from('2001:db8::99', madeUp(99)),
      from('2001:db8:0:2::1', madeUp(97)),
      from('2001:db8::99', madeUp(98), '/health'),
    ];
    const held = await Promise.all(asked);
    await owner.query('rollback');
    expect(held.map((each) => each.status)).toEqual([429, 401, 200]);
    expect(await held[2]?.json()).toEqual({ status: 'up' });
    expect((await from('2001:db8::1', admin.token)).status).toBe(200);
    expect((await from('2001:db8:0:1::1', madeUp(100))).status).toBe(401);
    await app.close();
  });
});

describe('the trail', () => {
  test('is verified from where it was last found whole, and whole when that is asked for', async () => {
    await world.app.settle();
    const first = (await admin.get('/trail/verify')).body;
    expect(first).toMatchObject({ broken_at: null, checked_from: '1' });
    const again = (await admin.get('/trail/verify')).body;
    expect(again).toMatchObject({
      broken_at: null,
      checked_from: String(first.sealed + 1),
      sealed: first.sealed,
    });
    const { businessId } = world.businesses[0];
    const [kept] = (
      await owner.query('select after from audit where business_id = $1 and position = 2', [
        businessId,
      ])
    ).rows;
    await owner.query("update audit set after = '{}' where business_id = $1 and position = 2", [
      businessId,
    ]);
    expect((await admin.get('/trail/verify')).body.broken_at).toBeNull();
    expect((await admin.get('/trail/verify?whole=true')).body).toMatchObject({
      broken_at: '2',
      checked_from: '1',
    });
    await owner.query('update audit set after = $2 where business_id = $1 and position = 2', [
      businessId,
      JSON.stringify(kept.after),
    ]);
    expect((await admin.get('/trail/verify?whole=true')).body.broken_at).toBeNull();
  });

  test('is told outside once a day, signed: who owns the database and cuts it off, head and all, is found', async () => {
    const [{ businessId }] = world.businesses;
    const lines: string[] = [];
    const log = {
      info: (fields: object) => void lines.push(JSON.stringify(fields)),
      warn: () => {},
      error: () => {},
    };
    const app = await world.anotherApp({ log });
    await app.tidy();
    await app.tidy();
    const heads = headsIn(lines.join('\n')).filter((each) => each.business_id === businessId);
    expect(heads).toHaveLength(1);
    const [head] = heads as [PublishedHead];
    const ctx = app.contextOf(businessId);
    const ours = [fingerprintOf(head.public_key)];
    expect(await checkHead(ctx, head, ours)).toBeNull();
    expect(await checkHead(ctx, { ...head, position: '1' }, ours)).toContain('signature');
    expect(await checkHead(ctx, head, ['0'.repeat(32)])).toContain('nobody named');
    await owner.query('begin');
    await owner.query(
      'create temp table cut as select * from audit where business_id = $1 and position >= $2',
      [businessId, head.position],
    );
    await owner.query('delete from audit where business_id = $1 and position >= $2', [
      businessId,
      head.position,
    ]);
    await owner.query(
      `update trail_head h set position = a.position, hash = a.hash from audit a
        where h.business_id = $1 and a.business_id = $1 and a.position = (select max(position) from audit where business_id = $1)`,
      [businessId],
    );
    await owner.query('commit');
    expect((await app.verifyAuditLog(ctx)).brokenAt).toBeNull();
    expect(await checkHead(ctx, head, ours)).toContain('no such entry');
    await owner.query('insert into audit select * from cut');
    await owner.query('drop table cut');
    await app.close();
  });

  test('is exported while it is read, one export of a business at a time, let go of when the reader goes', async () => {
    const [, second] = world.businesses;
    const theirs = await Api.signIn(world, second.admin);
    await owner.query(
      `insert into audit (business_id, id, at, actor_type, actor_id, action, subject, after, position, previous_hash, hash)
       select $1, 'aud_' || lpad(n::text, 32, '0'), now() - interval '1 day' - n * interval '1 second', 'job', 'x', 'x', 'x', to_jsonb(repeat('x', 2000)), 1000000 + n, 'p', 'h'
         from generate_series(1, 5000) n`,
      [second.businessId],
    );
    const ask = (signal?: AbortSignal) =>
      fetch(`${world.app.url}/api/v1/trail.csv`, {
        headers: { authorization: `Bearer ${theirs.token}` },
        ...(signal ? { signal } : {}),
      });
    const reader = new AbortController();
    const first = await ask(reader.signal);
    expect(first.status).toBe(200);
    const refused = await ask();
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([
      409,
      'export_under_way',
    ]);
    reader.abort();
    const whole = await until(ask, (reply) => reply.status === 200);
    const lines = (await whole.text()).trimEnd().split('\n');
    expect(lines.length).toBeGreaterThan(5_000);
    expect(lines.every((line) => /^\uFEFF?"/.test(line) && line.endsWith('"'))).toBe(true);
    expect((await ask()).status).toBe(200);
  });
});

describe('what a business may leave behind', () => {
  test('is bounded: changes of how it is set up, for good in its log, and webhooks it can sign itself; sealing and reading go on', async () => {
    const app = await world.anotherApp({ limits: { changesPerDay: 3, deliveriesPerMinute: 3 } });
    const there = await Api.signIn(world, world.businesses[0].admin, app.url);
    const put = () =>
      there.put('/mappings/payment_mode', {
        mappings: [{ key: 'Cash', value: { payment_method: '01' } }],
      });
    const changed = await Promise.all(Array.from({ length: 6 }, put));
    expect(changed.filter((each) => each.status === 200)).toHaveLength(3);
    expect(changed.filter((each) => each.body.code === 'rate_limited')).toHaveLength(3);
    expect((await there.get('/people')).status).toBe(200);
    expect((await there.seal('invoices', world.zoho.documents()[0]?.id ?? '')).body.code).not.toBe(
      'rate_limited',
    );
    const hook = (await admin.post('/webhooks', { module: 'invoices' })).body as {
      url: string;
      secret: string;
    };
    const path = new URL(hook.url);
    const sent = await Promise.all(
      Array.from({ length: 6 }, (_, i) => {
        const body = JSON.stringify({
          invoice: {
            invoice_id: `77000000000${i}`,
            last_modified_time: '2026-11-20T10:00:00+0200',
          },
        });
        const headers = {
          'content-type': 'application/json',
          'x-zoho-webhook-signature': signatureOf(hook.url, body, hook.secret),
        };
        return fetch(`${app.url}${path.pathname}${path.search}`, { method: 'POST', headers, body });
      }),
    );
    expect(sent.map((each) => each.status).toSorted()).toEqual([200, 200, 200, 429, 429, 429]);
    await app.close();
  });

  test('is bounded: twenty thousand mappings, since every sale reads them all; those that stand there can be changed still', async () => {
    const [{ businessId }] = world.businesses;
    await world.sql(
      `insert into mapping (business_id, kind, key, value, updated_at)
       select $1, 'payment_mode', 'many' || n, '{"payment_method": "01"}', now() from generate_series(1, 19999 - (select count(*)::int from mapping)) n`,
      [businessId],
      businessId,
    );
    const put = (...keys: string[]) =>
      admin.put('/mappings/payment_mode', {
        mappings: keys.map((key) => ({ key, value: { payment_method: '01' } })),
      });
    expect((await put('one', 'two')).body).toMatchObject({ code: 'malformed', field: 'mappings' });
    const both = await Promise.all([put('one'), put('two')]);
    expect(both.map((each) => each.status).toSorted()).toEqual([200, 400]);
    expect((await put('many1', 'many2')).status).toBe(200);
    // What every object has is no mapping that stands there.
    expect((await put('constructor')).status).toBe(400);
    await owner.query("delete from mapping where key like 'many%'");
  });
});

describe('a business that is closed', () => {
  test('is not there for its webhooks either', async () => {
    const [, business] = world.businesses;
    const theirs = await Api.signIn(world, business.admin);
    const { url } = (await theirs.post('/webhooks', { module: 'invoices' })).body as {
      url: string;
    };
    const send = () =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
    await world.sql(
      "update business set status = 'closed', data_key = ''",
      [],
      business.businessId,
    );
    expect((await send()).status).toBe(404);
  });
});
