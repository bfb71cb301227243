import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, asPlatform, enrol, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

/*
 * Other books than those that were connected know nothing of the documents of those: nothing is asked of them there, and nothing is concluded from that they
 * do not have them. One consent sees both organizations.
 */

let world: World;
let admin: Api;
const owner = '3';
const mine = () => world.businesses[0];
const others = () => world.businesses[1].organizationId;

beforeAll(async () => {
  world = await startWorld({ instead: { timing: { retryFirstMs: 100, retryMaxMs: 200 } } });
  admin = await Api.signIn(world, mine().admin);
  await enrol(admin, mine().admin.password);
  const their = await Api.signIn(world, world.businesses[1].admin);
  await enrol(their, world.businesses[1].admin.password);
  // The other business gives its organization up, so that it is free.
  const [connection] = await world.sql(
    "select id from connection where status <> 'ended'",
    [],
    world.businesses[1].businessId,
  );
  expect((await their.post(`/oauth/disconnect/${connection?.id}`)).status).toBe(200);
});
afterAll(() => world?.[Symbol.asyncDispose]());

let made = 0;
function invoice(organizationId: string, number = `OB-${made + 1}`): string {
  made += 1;
  const like = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === mine().organizationId && each.what.startsWith('simple sale'),
    );
  const id = `46000000009${String(made).padStart(8, '0')}`;
  const now = `${new Date(Date.now() + 7_200_000).toISOString().slice(0, 19)}+0200`;
  world.zoho.add('invoices', organizationId, {
    ...structuredClone(world.zoho.document('invoices', like?.id ?? '')),
    invoice_id: id,
    invoice_number: number,
    last_modified_time: now,
  });
  return id;
}

async function consent(): Promise<string> {
  const begun = await admin.post('/oauth/connect', {});
  const back = Object.fromEntries(
    new URL(world.zoho.accept(begun.body.consent_url as string, owner)).searchParams,
  );
  const { status, body } = await admin.post('/oauth/callback', back);
  expect(status, JSON.stringify(body)).toBe(200);
  return body.id as string;
}
const bind = (id: string, organizationId: string, more: object = {}) =>
  admin.post(`/oauth/consents/${id}/connections`, {
    organization_id: organizationId,
    business_id: mine().businessId,
    ...more,
  });
const connection = async () =>
  (
    await world.sql(
      "select id, organization_id from connection where status <> 'ended'",
      [],
      mine().businessId,
    )
  )[0] as { id: string; organization_id: string };
const poll = async () => {
  await admin.post('/zoho/poll');
  await world.app.settle();
};
const every =
  'to_seal,refused,drifted,before_production,sealed_elsewhere,waiting,in_doubt,sealed,not_due,exempt';
const rowOf = async (id: string) =>
  (await admin.get(`/documents?limit=200&document_ids=${id}&standing=${every}`)).body
    .documents[0] as { standing: string; problem: { code: string } | null };
const receiptOf = async (id: string) => (await admin.get(`/receipts/${id}`)).body;
const standingOf = async (id: string) => (await rowOf(id)).standing;
/** Looks at these documents again, and waits until that is done. */
async function look(ids: string[]): Promise<void> {
  await world.sql(
    'update document set due_at = now() where document_id = any($1)',
    [ids],
    mine().businessId,
  );
  await poll();
  await until(
    () =>
      world.sql(
        'select 1 from document where document_id = any($1) and due_at <= now()',
        [ids],
        mine().businessId,
      ),
    (rows) => rows.length === 0,
  );
}

describe('other books', () => {
  test('are not connected while a document of the ones before is unsettled, unless a person says how many; of none of them anything is concluded there', async () => {
    const [sealed, due, waiting] = [
      invoice(mine().organizationId, 'OB-SEALED'),
      invoice(mine().organizationId),
      invoice(mine().organizationId),
    ];
    expect((await admin.seal('invoices', sealed)).body.state).toBe('signed');
    await poll();
    await admin.post(`/branches/${mine().branchIds[0]}/pause`);
    const queued = (await admin.seal('invoices', waiting)).body;
    expect(queued.state).toBe('queued');
    const id = await consent();
    const refused = await bind(id, others());
    expect([refused.status, refused.body.code]).toEqual([409, 'books_unsettled']);
    const count = Number(/: (\d+)/.exec(refused.body.title as string)?.[1]);
    expect(count).toBeGreaterThanOrEqual(2);
    expect((await bind(id, others(), { leave_open: count - 1 })).body.code).toBe('books_unsettled');
    expect(await connection()).toMatchObject({ organization_id: mine().organizationId });
    const bound = await bind(id, others(), { leave_open: count });
    expect(bound.status, JSON.stringify(bound.body)).toBe(200);
    expect(await connection()).toMatchObject({ organization_id: others() });

    await world.sql(
      'update receipt set read_at = null where id = $1',
      [queued.id],
      mine().businessId,
    );
    await admin.post(`/branches/${mine().branchIds[0]}/resume`, {});
    const left = await until(
      () => receiptOf(queued.id),
      (each) => each.state !== 'queued' || each.problem?.code === 'document_of_other_books',
    );
    expect([left.state, left.problem.code], 'what waits is not taken for deleted').toEqual([
      'queued',
      'document_of_other_books',
    ]);
    const theirs = invoice(others());
    const behind = await admin.seal('invoices', theirs, {
      buyer_mobile: '0788000111',
      confirm: ['before_production'],
    });
    expect(behind.body, 'and nothing behind it waits for it').toMatchObject({ state: 'signed' });
    await look([sealed, due, waiting]);
    expect(await rowOf(due)).toMatchObject({ problem: { code: 'document_of_other_books' } });
    expect(['to_seal', 'before_production'], 'still missing').toContain(await standingOf(due));
    expect(await standingOf(sealed), 'a good sale is not called deleted').toBe('sealed');
    expect(await standingOf(waiting)).toBe('waiting');

    const twin = invoice(others(), 'OB-SEALED');
    const { body } = await admin.get(`/receipts/preflight?module=invoices&document_id=${twin}`);
    const found = (body.findings as { code: string; title: string }[]).find(
      (each) => each.code === 'number_sealed_before',
    );
    expect(
      found?.title,
      'what was sealed under that number is not called void or deleted',
    ).toContain('whether it still stands in Zoho was not seen');

    // Back again: it is asked about again where it is.
    const unsettled = (await bind(id, mine().organizationId)).body;
    const there = /: (\d+)/.exec((unsettled.title as string | undefined) ?? '')?.[1];
    if (there)
      expect((await bind(id, mine().organizationId, { leave_open: Number(there) })).status).toBe(
        200,
      );
    expect(await connection()).toMatchObject({ organization_id: mine().organizationId });
    await look([due, sealed]);
    expect((await rowOf(due)).problem?.code).not.toBe('document_of_other_books');
    expect(await standingOf(sealed)).toBe('sealed');
    expect((await admin.post(`/branches/${mine().branchIds[0]}/pause`)).status).toBe(200);
    expect((await admin.post(`/branches/${mine().branchIds[0]}/resume`, {})).status).toBe(200);
    const asked = await until(
      () => receiptOf(queued.id),
      (each) => each.state !== 'queued',
    );
    // Meanwhile it may have been sealed by another system: that is asked, and nothing is sealed
    // twice.
    expect([asked.state, asked.problem.code]).toEqual(['refused', 'before_production']);
    expect(
      (await admin.seal('invoices', waiting, { confirm: ['before_production'] })).body.state,
    ).toBe('signed');
  });
});

describe('the same books', () => {
  test('that are connected again after they were disconnected lose nothing: what was due is asked about, since another system may have sealed it meanwhile', async () => {
    // As if these had been the only books until now.
    await world.sql(
      "update branch set production_since = production_since - interval '1 year'",
      [],
      mine().businessId,
    );
    const due = invoice(mine().organizationId);
    await poll();
    expect(await standingOf(due)).toBe('to_seal');
    const confirmed = invoice(mine().organizationId);
    world.vsdc.faults(['refuse:910']);
    expect(
      (await admin.seal('invoices', confirmed, { confirm: ['before_production'] })).body,
    ).toMatchObject({ state: 'refused' });
    const before = await consent();
    expect((await admin.post(`/oauth/disconnect/${(await connection()).id}`)).status).toBe(200);
    expect(before).not.toBe('');
    const again = await bind(await consent(), mine().organizationId);
    expect([again.status, again.body.code]).toEqual([200, undefined]);
    await poll();
    expect(await standingOf(due)).toBe('before_production');
    expect((await admin.seal('invoices', due)).body.code).toBe('before_production');
    expect(
      (await admin.seal('invoices', confirmed)).body.code,
      'whatever was confirmed of the time before',
    ).toBe('before_production');
    expect(
      (await admin.seal('invoices', confirmed, { confirm: ['before_production'] })).body.state,
    ).toBe('signed');
    expect((await admin.seal('invoices', due, { confirm: ['before_production'] })).body.state).toBe(
      'signed',
    );
  });

  test('and others by a code: they are connected although documents are left open as well, by whoever says how many', async () => {
    invoice(mine().organizationId);
    await poll();
    expect((await admin.post(`/oauth/disconnect/${(await connection()).id}`)).status).toBe(200);
    const { location, phone_number, vat_registered, go_live_date } = (
      await admin.get('/businesses/me')
    ).body;
    const step1 = await admin.post('/businesses/me/setup/step1', {
      location,
      phone_number,
      vat_registered,
      go_live_date,
    });
    expect(step1.body.steps?.business.state, JSON.stringify(step1.body)).toBe('done');
    const { client_id, client_secret, code } = world.zoho.selfClient(others());
    const refused = await admin.post('/businesses/me/setup/step3', {
      data_centre: world.zoho.url,
      client_id,
      client_secret,
      code,
    });
    expect(refused, JSON.stringify(refused.body)).toMatchObject({
      status: 409,
      body: { code: 'books_unsettled', count: expect.any(Number) },
    });
    const count = refused.body.count as number;
    expect(
      (await admin.post('/businesses/me/setup/step3', { leave_open: count + 1 })).body.code,
    ).toBe('books_unsettled');
    const left = await admin.post('/businesses/me/setup/step3', { leave_open: count });
    expect(left.status, JSON.stringify(left.body)).toBe(200);
    expect(await connection()).toMatchObject({ organization_id: others() });
  });
});

describe('what is connected stands alike for the business and among businesses', () => {
  const amongBusinesses = async () =>
    (
      await asPlatform(
        world.databaseUrls.app,
        'select organization_id from reference.business_directory where business_id = $1',
        [mine().businessId],
      )
    )[0]?.organization_id;
  const connections = () =>
    world.sql(
      "select organization_id from connection where status <> 'ended'",
      [],
      mine().businessId,
    );
  /** How many documents of other books have to be named; none of these are bound meanwhile. */
  const openFor = async (id: string, organizationId: string) =>
    (await bind(id, organizationId, { leave_open: 9_999_999 })).body.count as number;
  const disconnected = async () => {
    expect((await admin.post(`/oauth/disconnect/${(await connection()).id}`)).status).toBe(200);
    return consent();
  };

  test('where two are asked for at once: the one comes after the other', async () => {
    expect(await connection()).toMatchObject({ organization_id: others() });
    invoice(others());
    await poll();
    const id = await disconnected();
    const count = await openFor(id, mine().organizationId);
    expect(count).toBeGreaterThan(0);
    const holder = new pg.Client({ connectionString: world.databaseUrls.app });
    await holder.connect();
    // Whoever waits for this lock, and whoever waits for them.
    const waiting = (n: number) =>
      until(
        () =>
          holder.query(`with recursive waiter (pid) as (
            select pid from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))
            union select a.pid from pg_stat_activity a join waiter on waiter.pid = any(pg_blocking_pids(a.pid))) select pid from waiter`),
        ({ rows }) => rows.length >= n,
      );
    try {
      await holder.query('begin');
      await holder.query(
        "select set_config('role', 'muhuri_worker', true), set_config('app.business_id', $1, true)",
        [mine().businessId],
      );
      await holder.query('select 1 from branch for no key update');
      const same = bind(id, others());
      await waiting(1);
      const moved = bind(id, mine().organizationId, { leave_open: count });
      await waiting(2);
      await holder.query('commit');
      expect([await same, await moved].map((each) => [each.status, each.body.code])).toEqual([
        [200, undefined],
        [200, undefined],
      ]);
    } finally {
      await holder.end();
    }
    expect(await connections()).toEqual([{ organization_id: mine().organizationId }]);
    expect(await amongBusinesses()).toBe(mine().organizationId);
  });

  test('where it cannot be written down: nothing is taken, and what ends is ended in both', async () => {
    const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
    await owner.connect();
    const refusing = async (action: string, work: () => Promise<{ status: number }>) => {
      await owner.query(
        `alter table audit add constraint refuses check (action <> '${action}') not valid`,
      );
      await work().then(
        ({ status }) => expect(status).toBe(500),
        () => {},
      );
      await owner.query('alter table audit drop constraint refuses');
    };
    try {
      const { id } = await connection();
      await refusing('connection.ended', () => admin.post(`/oauth/disconnect/${id}`));
      expect([await connections(), await amongBusinesses()]).toEqual([
        [{ organization_id: mine().organizationId }],
        mine().organizationId,
      ]);
      const again = await disconnected();
      await refusing('connection.made', () => bind(again, mine().organizationId));
      expect([await connections(), await amongBusinesses()]).toEqual([[], null]);
      expect((await bind(again, mine().organizationId)).status).toBe(200);
      expect([await connections(), await amongBusinesses()]).toEqual([
        [{ organization_id: mine().organizationId }],
        mine().organizationId,
      ]);
    } finally {
      await owner.end();
    }
  });
});
