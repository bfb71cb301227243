import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@muhuri/server/platform/db/database';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { checkout, type DemoBusiness, startWorld, today, type World } from '../world.ts';

/*
 * A document that was created before it was ours to seal may have been sealed by another system: it is never sealed by itself, nor by whoever seals what
 * is due, and a person who says that no other system sealed it can seal it. Ours it is since its branch is in production, its place in the books is
 * mapped to such a branch, the business's books are connected, and its day to begin on is reached, whichever of these came last. (Going to production
 * after a rehearsal is held in `switching-devices`.)
 */

const minuteMs = 60_000;
/** How far the servers' clock is ahead of ours: in what follows things happen minutes apart. */
let ahead = 0;
let world: World;
beforeAll(async () => {
  world = await startWorld({
    instead: { clock: { now: () => new Date(Date.now() + ahead) }, intakeMs: 30, sweepMs: 80 },
  });
});
afterAll(() => world?.[Symbol.asyncDispose]());

let made = 0;
const timeAt = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, '+0000');
/** An invoice as Zoho shows one that is created now, by the servers' clock. */
function invoice(of: DemoBusiness, more: object = {}): { id: string; number: string } {
  made += 1;
  const source = world.zoho
    .documents()
    .find(
      (each) => each.organization_id === of.organizationId && each.what.startsWith('simple sale'),
    );
  const id = `4600000009${String(980_000_000 + made)}`;
  const now = timeAt(Date.now() + ahead);
  const number = `O-${made}`;
  world.zoho.add('invoices', of.organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: number,
    date: today(),
    created_time: now,
    last_modified_time: now,
    ...more,
  });
  return { id, number: (more as { invoice_number?: string }).invoice_number ?? number };
}
type Row = {
  document_id: string;
  standing: string;
  problem: { code: string } | null;
  may_be_elsewhere: boolean;
};
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
const everywhere =
  'standing=to_seal,waiting,refused,sealed,before_production,sealed_elsewhere,not_due';
const rowOf = async (api: Api, id: string) =>
  ((await api.get(`/documents?document_ids=${id}&${everywhere}`)).body.documents as Row[])[0];
const becomes = (api: Api, id: string, standing: string) =>
  until(
    () => rowOf(api, id),
    (row) => row?.standing === standing,
  );
const look = async (api: Api) => {
  await api.post('/zoho/poll');
  await world.app.settle();
};
const configure = async (api: Api, change: object) => {
  const { body } = await api.get('/businesses/me/config');
  const saved = await api.put('/businesses/me/config', { ...change, version: body.version });
  expect(saved.status, JSON.stringify(saved.body)).toBe(200);
};
/** Nothing seals it but a person who says that no other system did. */
async function standsAside(
  api: Api,
  { id, number }: { id: string; number: string },
): Promise<void> {
  await look(api);
  expect(await becomes(api, id, 'before_production')).toMatchObject({
    problem: { code: 'before_production' },
    may_be_elsewhere: true,
  });
  expect((await api.get(`/documents/month?month=${today().slice(0, 7)}`)).body.complete).toBe(
    false,
  );
  expect(await api.seal('invoices', id)).toMatchObject({
    status: 422,
    body: { code: 'before_production' },
  });
  expect(judged(number)).toEqual([]);
  expect((await api.seal('invoices', id, { confirm: ['before_production'] })).body).toMatchObject({
    state: 'signed',
    environment: 'production',
  });
  expect(await becomes(api, id, 'sealed')).toBeDefined();
}
const isSealedByItself = async (
  api: Api,
  { id, number }: { id: string; number: string },
): Promise<void> => {
  await look(api);
  expect(await becomes(api, id, 'sealed')).toBeDefined();
  expect(judged(number)).toHaveLength(1);
};

describe('a document from before its place in the books was mapped to a branch in production', () => {
  let of: DemoBusiness;
  let admin: Api;
  const map = async (key: string, branchId: string) =>
    expect(
      (
        await admin.put('/mappings/location', {
          mappings: [{ key, value: { branch_id: branchId } }],
        })
      ).status,
    ).toBe(200);
  beforeAll(async () => {
    of = world.businesses[0];
    admin = await Api.signIn(world, of.admin);
    await configure(admin, { settings: { auto_seal: 'sent' } });
  });

  test('is sealed only by whoever says that no other system sealed it; what is created from then on is sealed by itself', async () => {
    const early = invoice(of, { location_id: '777000' });
    await look(admin);
    expect(await rowOf(admin, early.id)).toMatchObject({
      standing: 'to_seal',
      problem: { code: 'location_unmapped' },
    });
    ahead += minuteMs;
    await map('777000', of.branchIds[0] as string);
    ahead += minuteMs;
    await isSealedByItself(admin, invoice(of, { location_id: '777000' }));
    await standsAside(admin, early);
  });

  test('is as ours as before where the same mapping is saved again, or where the place goes from one such branch to another', async () => {
    await configure(admin, { settings: { auto_seal: 'off' } });
    const due = invoice(of, { location_id: '777000' });
    await look(admin);
    for (const branchId of of.branchIds) {
      ahead += minuteMs;
      await map('777000', branchId);
      await look(admin);
      expect(await rowOf(admin, due.id)).toMatchObject({
        standing: 'to_seal',
        may_be_elsewhere: false,
      });
    }
    expect((await admin.seal('invoices', due.id)).body).toMatchObject({ state: 'signed' });
  });

  test('is another system’s for all that is known where its place was mapped to a branch that did not seal yet, and came back', async () => {
    const added = (
      await admin.post('/branches', { branch_code: '07', name: 'Musanze', address: 'Musanze' })
    ).body as { id: string };
    await map('777000', added.id);
    ahead += minuteMs;
    const between = invoice(of, { location_id: '777000' });
    ahead += minuteMs;
    await map('777000', of.branchIds[0] as string);
    await standsAside(admin, between);
  });

  test('without a place is as long ours as the only branch is in production', async () => {
    const other = world.businesses[1];
    const api = await Api.signIn(world, other.admin);
    const due = invoice(other, { location_id: '' });
    await look(api);
    ahead += minuteMs;
    const saved = await api.put('/mappings/location', {
      mappings: [{ key: 'none', value: { branch_id: other.branchIds[0] } }],
    });
    expect(saved.status).toBe(200);
    await look(api);
    expect(await rowOf(api, due.id)).toMatchObject({ standing: 'to_seal' });
    expect((await api.seal('invoices', due.id)).body).toMatchObject({ state: 'signed' });
  });

  test('is so after an update of a database that did not know of it, in every business', async () => {
    const directory = join(checkout, 'server/src/migrations');
    const only = readdirSync(directory).find((name) =>
      name.endsWith('-since-a-place-is-ours.ts'),
    ) as string;
    const since = async () =>
      (
        await world.sql(
          "select production_since as since from mapping where key = '777000'",
          [],
          of.businessId,
        )
      )[0]?.since as Date;
    await migrate(world.databaseUrls.owner, directory, { down: true, only });
    await migrate(world.databaseUrls.owner, directory, { only });
    const [first] = await world.sql(
      "select min(at) as at from audit where subject = 'location:777000' and after->>'branch_id' = $1",
      [of.branchIds[0]],
      of.businessId,
    );
    expect(first?.at).toBeInstanceOf(Date);
    expect(await since()).toEqual(first?.at);
    const demo = await world.sql(
      "select production_since as since from mapping where kind = 'location'",
      [],
      world.businesses[1].businessId,
    );
    expect(demo.every((each) => each.since !== null)).toBe(true);
  });
});

describe('a document that was made just before, at a server whose clock is behind Zoho’s', () => {
  const behindMs = 10 * minuteMs;
  const of = () => world.businesses[0];
  let admin: Api;
  beforeAll(async () => {
    admin = await Api.signIn(world, of().admin);
    world.zoho.clockAhead(ahead + behindMs);
  });
  afterAll(() => world.zoho.clockAhead(0));
  /** Made now, by Zoho's clock. */
  const madeNow = (more: object) => {
    const now = timeAt(Date.now() + ahead + behindMs);
    return invoice(of(), { created_time: now, last_modified_time: now, ...more });
  };
  const pass = (ms: number) => {
    ahead += ms;
    world.zoho.clockAhead(ahead + behindMs);
  };

  test('its place in the books was mapped, is not sealed by itself; one made after is', async () => {
    await configure(admin, { settings: { auto_seal: 'sent' } });
    const early = madeNow({ location_id: '777001' });
    pass(minuteMs);
    const mapped = await admin.put('/mappings/location', {
      mappings: [{ key: '777001', value: { branch_id: of().branchIds[0] } }],
    });
    expect(mapped.status).toBe(200);
    pass(minuteMs);
    await isSealedByItself(admin, madeNow({ location_id: '777001' }));
    await standsAside(admin, early);
  });

  test('an exemption was taken back, is asked about', async () => {
    const exempt = (...number_prefixes: string[]) =>
      configure(admin, {
        settings: { exempt: { customer_ids: [], location_ids: [], number_prefixes } },
      });
    await exempt('BEHIND-');
    const early = madeNow({ invoice_number: 'BEHIND-1', location_id: '777001' });
    pass(minuteMs);
    await exempt();
    pass(minuteMs);
    await isSealedByItself(admin, madeNow({ invoice_number: 'BEHIND-2', location_id: '777001' }));
    await until(
      () => rowOf(admin, early.id),
      (each) => each?.problem?.code === 'was_exempt',
    );
    expect(judged(early.number)).toEqual([]);
    await configure(admin, { settings: { auto_seal: 'off' } });
  });
});

describe('a document that was exempt when it came in', () => {
  const exempt = (...number_prefixes: string[]) => ({
    settings: { exempt: { customer_ids: [], location_ids: [], number_prefixes } },
  });
  const preflight = async (api: Api, id: string) =>
    (await api.get(`/receipts/preflight?module=invoices&document_id=${id}`)).body;
  let of: DemoBusiness;
  let admin: Api;
  beforeAll(async () => {
    of = world.businesses[1];
    admin = await Api.signIn(world, of.admin);
  });
  /** Nothing is exempt any more; what is made from now on is made later. */
  const takeBack = async () => {
    await configure(admin, exempt());
    ahead += 2_000;
  };
  /** Exempt at its first look, and not any more. */
  async function wasExempt(number: string): Promise<{ id: string; number: string }> {
    await configure(admin, exempt('TILL-'));
    const { id } = invoice(of, { invoice_number: number });
    await look(admin);
    await until(
      async () =>
        (await admin.get(`/documents?document_ids=${id}&standing=exempt`)).body.documents as Row[],
      (rows) => rows.length === 1,
    );
    await takeBack();
    return { id, number };
  }

  test('is sealed, once it is exempt no longer, by nobody but a person who says that no other system sealed it', async () => {
    await configure(admin, { settings: { auto_seal: 'off' } });
    const { id, number } = await wasExempt('TILL-1');
    const { findings, ready } = await preflight(admin, id);
    expect({ findings, ready }).toMatchObject({
      findings: [{ code: 'was_exempt', fix: 'person', title: expect.any(String) }],
      ready: false,
    });
    // As whoever seals many with one press does it, and without being allowed to confirm.
    expect(await admin.seal('invoices', id)).toMatchObject({
      status: 422,
      body: { code: 'was_exempt', findings: [{ code: 'was_exempt' }] },
    });
    const user = await Api.signIn(world, of.user);
    expect(await user.seal('invoices', id, { confirm: ['was_exempt'] })).toMatchObject({
      status: 403,
      body: { code: 'not_allowed' },
    });
    expect(judged(number)).toEqual([]);
    const row = await until(
      () => rowOf(admin, id),
      (each) => each?.problem?.code === 'was_exempt',
    );
    expect(row).toMatchObject({ standing: 'to_seal', may_be_elsewhere: true });
    expect((await admin.seal('invoices', id, { confirm: ['was_exempt'] })).body).toMatchObject({
      state: 'signed',
      environment: 'production',
    });
    expect(judged(number)).toHaveLength(1);
  });

  test('is left to a person as well where nobody had looked at it before the exemption was taken back', async () => {
    const from = { customer_id: '4600000009900000001', location_id: '' };
    const elsewhere = world.zoho.document('invoices', invoice(of).id).location_id as string;
    const before = {
      customer_ids: [from.customer_id],
      location_ids: [elsewhere],
      number_prefixes: ['TILL-', 'KIOSK-1', 'BAR-1'],
    };
    await configure(admin, { settings: { auto_seal: 'sent', exempt: before } });
    await look(admin);
    ahead += minuteMs;
    const left = {
      number: invoice(of, { invoice_number: 'TILL-4', location_id: '' }),
      customer: invoice(of, from),
      place: invoice(of, { location_id: elsewhere }),
      // Known by its id until it can be read.
      unknown: invoice(of, { ...from, total: 'much' }),
    };
    const still = invoice(of, { invoice_number: 'KIOSK-11', location_id: '' });
    const wider = invoice(of, { invoice_number: 'BAR-11', location_id: '' });
    const plain = invoice(of, { location_id: '' });
    // Never exempt, and known by its id as well when the exemption of others is taken back.
    const unread = invoice(of, { location_id: '', total: 'much' });
    const all = [...Object.values(left), still, wider, plain, unread].map((each) => each.id);
    world.zoho.faults(
      Array.from({ length: 500 }, () => 'error'),
      of.organizationId,
      '/invoices/',
    );
    await admin.post('/zoho/poll');
    await until(
      () =>
        world.sql(
          'select 1 from document where document_id = any($1) and tries > 0 and leased_until is null',
          [all],
          of.businessId,
        ),
      (rows) => rows.length === all.length,
    );
    const exempted = async () =>
      (
        await world.sql(
          'select document_id from document where document_id = any($1) and was_exempt',
          [all],
          of.businessId,
        )
      ).map((row) => row.document_id);
    // In another order, with more beside them, and a beginning that takes in the one that was
    // there: nothing is taken back.
    const more = {
      customer_ids: [...before.customer_ids, '4600000009900000002'],
      number_prefixes: ['BAR-', 'KIOSK-1', 'TILL-'],
    };
    await configure(admin, { settings: { exempt: { ...before, ...more } } });
    expect(await exempted()).toEqual([]);
    await configure(admin, {
      settings: {
        exempt: { customer_ids: [], location_ids: [], number_prefixes: ['BAR-', 'KIOSK-1'] },
      },
    });
    expect((await exempted()).toSorted()).toEqual(
      Object.values(left)
        .map((each) => each.id)
        // Whose it is that is known by its id, nobody knows before it is read.
        .filter((id) => id !== left.unknown.id)
        .toSorted(),
    );
    for (const { id } of [left.unknown, unread])
      world.zoho.change('invoices', id, { total: world.zoho.document('invoices', plain.id).total });
    world.zoho.faults([], of.organizationId);
    ahead += 60 * minuteMs;
    for (const { id } of [plain, unread]) expect(await becomes(admin, id, 'sealed')).toBeDefined();
    for (const [what, { id, number }] of Object.entries(left)) {
      const row = await until(
        () => rowOf(admin, id),
        (each) => each?.problem?.code === 'was_exempt',
      );
      expect(row, what).toMatchObject({ standing: 'to_seal', may_be_elsewhere: true });
      expect(judged(number), what).toEqual([]);
    }
    for (const { id } of [still, wider])
      await until(
        async () =>
          (await admin.get(`/documents?document_ids=${id}&standing=exempt`)).body
            .documents as Row[],
        (rows) => rows.length === 1,
      );
    // Taken back, and exempt once more: by hand it is sealed as whatever is exempt.
    await configure(admin, {
      settings: {
        auto_seal: 'off',
        exempt: { customer_ids: [], location_ids: [], number_prefixes: ['TILL-'] },
      },
    });
    expect((await admin.seal('invoices', left.number.id)).body).toMatchObject({ state: 'signed' });
    await takeBack();
    expect(
      (await admin.seal('invoices', left.place.id, { confirm: ['was_exempt'] })).body,
    ).toMatchObject({ state: 'signed' });
  });

  test('is asked about as well where it was heard of only after the exemption was taken back', async () => {
    await configure(admin, {
      settings: {
        auto_seal: 'sent',
        exempt: { customer_ids: [], location_ids: [], number_prefixes: ['LATE-'] },
      },
    });
    const { id, number } = invoice(of, { invoice_number: 'LATE-1', location_id: '' });
    ahead += minuteMs;
    await takeBack();
    ahead += minuteMs;
    const next = invoice(of, { invoice_number: 'LATE-2', location_id: '' });
    await isSealedByItself(admin, next);
    await until(
      () => rowOf(admin, id),
      (each) => each?.problem?.code === 'was_exempt',
    );
    expect(await rowOf(admin, id)).toMatchObject({ standing: 'to_seal', may_be_elsewhere: true });
    expect(judged(number)).toEqual([]);
    expect((await admin.seal('invoices', id, { confirm: ['was_exempt'] })).body).toMatchObject({
      state: 'signed',
    });
    expect((await preflight(admin, id)).findings ?? []).toEqual([]);
    await configure(admin, { settings: { auto_seal: 'off' } });
  });

  test('is sealed by hand as it always was while it is exempt: by itself alone it never is', async () => {
    await configure(admin, exempt('TILL-'));
    const { id } = invoice(of, { invoice_number: 'TILL-2' });
    await look(admin);
    expect(await preflight(admin, id)).toMatchObject({ findings: [], ready: true });
    expect((await admin.seal('invoices', id)).body).toMatchObject({ state: 'signed' });
    await takeBack();
  });

  test('and waits at its device is not asked about once more where a person or another program has asked for it; where it was opened by itself it is', async () => {
    const branch = `/branches/${of.branchIds[0]}`;
    expect((await admin.post(`${branch}/pause`)).status).toBe(200);
    await configure(admin, { settings: { auto_seal: 'sent' } });
    const byItself = invoice(of, { invoice_number: 'TILL-5' });
    await look(admin);
    expect(await becomes(admin, byItself.id, 'waiting')).toBeDefined();
    await configure(admin, exempt('TILL-'));
    const byHand = invoice(of, { invoice_number: 'TILL-6' });
    await look(admin);
    expect((await admin.seal('invoices', byHand.id)).body).toMatchObject({ state: 'queued' });
    const { key } = (await admin.post('/api-keys', { name: 'till', scopes: ['read', 'seal'] }))
      .body as { key: string };
    const program = new Api(world.app.url, key);
    const ofProgram = { 'x-organization-id': of.organizationId };
    const byProgram = invoice(of, { invoice_number: 'TILL-P1' });
    await look(admin);
    expect((await program.seal('invoices', byProgram.id, {}, ofProgram)).body).toMatchObject({
      state: 'queued',
    });
    await takeBack();
    // What it comes with only now is asked about like everybody's.
    const late = invoice(of, {
      invoice_number: 'TILL-P2',
      created_time: timeAt(Date.now() + ahead - minuteMs),
    });
    expect(await program.seal('invoices', late.id, {}, ofProgram)).toMatchObject({
      status: 422,
      body: { code: 'was_exempt' },
    });
    ahead += 2 * minuteMs;
    expect((await admin.post(`${branch}/resume`)).status).toBe(200);
    expect(await becomes(admin, byHand.id, 'sealed')).toBeDefined();
    expect(await becomes(admin, byProgram.id, 'sealed')).toBeDefined();
    expect(await becomes(admin, byItself.id, 'refused')).toMatchObject({
      problem: { code: 'was_exempt' },
    });
    expect([byHand, byProgram, byItself, late].map(({ number }) => judged(number).length)).toEqual([
      1, 1, 0, 0,
    ]);
    await configure(admin, { settings: { auto_seal: 'off' } });
    expect(
      (await admin.seal('invoices', byItself.id, { confirm: ['was_exempt'] })).body,
    ).toMatchObject({ state: 'signed' });
  });

  test('is not sealed by itself where it is exempted while it waits at its device, nor what waits when nothing is to be sealed by itself any more', async () => {
    const branch = `/branches/${of.branchIds[0]}`;
    const waiting = async (number: string) => {
      const made = invoice(of, { invoice_number: number, location_id: '' });
      await look(admin);
      await becomes(admin, made.id, 'waiting');
      return made;
    };
    const stands = (id: string, standing: string) =>
      until(
        async () =>
          (await admin.get(`/documents?document_ids=${id}&standing=${standing}`)).body
            .documents as Row[],
        (rows) => rows.length === 1,
      );
    const shop = new Api(
      world.app.url,
      (await admin.post('/api-keys', { name: 'shop', scopes: ['read', 'seal'] })).body
        .key as string,
    );
    // Exempted a moment after it was read, or long after.
    for (const [number, ms] of [
      ['WAIT-1', 0],
      ['WAIT-2', 10 * minuteMs],
    ] as const) {
      expect((await admin.post(`${branch}/pause`)).status).toBe(200);
      await configure(admin, { settings: { auto_seal: 'sent' } });
      const left = await waiting(number);
      const plain = await waiting(`PLAIN-${number}`);
      // As servers of before wrote it down: nobody can tell whether a program has asked for it, and
      // a press brings it back.
      const unmarked = await waiting(`${number}-OLD`);
      await world.sql(
        "update receipt set signing_input = signing_input #- '{terms,openedByItself}' where document_id = $1",
        [unmarked.id],
        of.businessId,
      );
      await configure(admin, exempt('WAIT-'));
      // What somebody asks for is sealed although it is exempt; by another program as by a person.
      const asked = invoice(of, { invoice_number: `${number}-ASKED`, location_id: '' });
      await look(admin);
      expect((await (ms === 0 ? shop : admin).seal('invoices', asked.id)).body).toMatchObject({
        state: 'queued',
      });
      ahead += ms;
      expect((await admin.post(`${branch}/resume`)).status).toBe(200);
      await becomes(admin, plain.id, 'sealed');
      await becomes(admin, asked.id, 'sealed');
      for (const { id } of [left, unmarked]) {
        const [row] = await stands(id, 'exempt');
        expect(row).toMatchObject({
          problem: { code: 'exempted_in_queue' },
          may_be_elsewhere: true,
        });
      }
      expect([left, unmarked, plain, asked].map((each) => judged(each.number).length)).toEqual([
        0, 0, 1, 1,
      ]);
      await takeBack();
      await stands(left.id, 'to_seal');
      expect(await admin.seal('invoices', left.id)).toMatchObject({
        status: 422,
        body: { code: 'was_exempt' },
      });
      expect(
        (await admin.seal('invoices', left.id, { confirm: ['was_exempt'] })).body,
      ).toMatchObject({ state: 'signed' });
    }
    expect((await admin.post(`${branch}/pause`)).status).toBe(200);
    const due = await waiting('PLAIN-1');
    await configure(admin, { settings: { auto_seal: 'off' } });
    const byHand = invoice(of, { invoice_number: 'PLAIN-2', location_id: '' });
    await look(admin);
    expect((await admin.seal('invoices', byHand.id)).body).toMatchObject({ state: 'queued' });
    // As servers of before wrote it down, who did not say that a program has asked.
    const byProgram = invoice(of, { invoice_number: 'PLAIN-3', location_id: '' });
    await look(admin);
    const { body: before } = await shop.seal('invoices', byProgram.id);
    expect(before).toMatchObject({ state: 'queued' });
    await world.sql(
      "update receipt set signing_input = signing_input #- '{terms,askedByProgram}' where id = $1",
      [before.id],
      of.businessId,
    );
    expect((await admin.post(`${branch}/resume`)).status).toBe(200);
    await becomes(admin, byHand.id, 'sealed');
    await becomes(admin, byProgram.id, 'sealed');
    expect(await becomes(admin, due.id, 'to_seal')).toMatchObject({
      problem: { code: 'auto_seal_ended' },
      may_be_elsewhere: false,
    });
    expect(judged(due.number)).toEqual([]);
    expect((await admin.seal('invoices', due.id)).body).toMatchObject({ state: 'signed' });
  });

  test('is asked about anew where what was confirmed was said before somebody marked it as sealed by another system', async () => {
    const { id, number } = await wasExempt('TILL-3');
    world.vsdc.faults(['refuse:884']);
    expect((await admin.seal('invoices', id, { confirm: ['was_exempt'] })).body).toMatchObject({
      state: 'refused',
    });
    const key = { documents: [{ module: 'invoices', document_id: id }] };
    expect(
      (await admin.post('/documents/sealed-elsewhere', { ...key, reason: 'till receipt 77' }))
        .status,
    ).toBe(200);
    expect(await admin.seal('invoices', id)).toMatchObject({
      status: 422,
      body: { code: 'sealed_elsewhere' },
    });
    expect((await admin.post('/documents/sealed-elsewhere/taken-back', key)).status).toBe(200);
    expect(await admin.seal('invoices', id)).toMatchObject({
      status: 422,
      body: { code: 'was_exempt' },
    });
    expect((await admin.seal('invoices', id, { confirm: ['was_exempt'] })).body).toMatchObject({
      state: 'signed',
    });
    expect(judged(number)).toHaveLength(1);
  });

  test('is asked about anew where what was confirmed was said before it was exempt once more, by the settings or by a change in Zoho', async () => {
    const confirmedAndRefused = async (number: string) => {
      const { id } = await wasExempt(number);
      world.vsdc.faults(['refuse:884']);
      expect((await admin.seal('invoices', id, { confirm: ['was_exempt'] })).body).toMatchObject({
        state: 'refused',
      });
      // The device said no and nothing else has changed: it is not asked about twice.
      expect(await preflight(admin, id)).toMatchObject({ findings: [], ready: true });
      return id;
    };
    const isAskedAnew = async (id: string, number: string) => {
      expect(await preflight(admin, id)).toMatchObject({
        findings: [{ code: 'was_exempt' }],
        ready: false,
      });
      expect(await admin.seal('invoices', id)).toMatchObject({
        status: 422,
        body: { code: 'was_exempt' },
      });
      expect(judged(number)).toEqual([]);
      expect((await admin.seal('invoices', id, { confirm: ['was_exempt'] })).body).toMatchObject({
        state: 'signed',
      });
    };
    const bySettings = await confirmedAndRefused('TILL-7');
    await configure(admin, exempt('TILL-'));
    await takeBack();
    await isAskedAnew(bySettings, 'TILL-7');

    const inZoho = await confirmedAndRefused('TILL-8');
    for (const [number, isExempt] of [
      ['KIOSK-8', true],
      ['TILL-8', false],
    ] as const) {
      ahead += minuteMs;
      world.zoho.change('invoices', inZoho, { invoice_number: number });
      await configure(admin, exempt('KIOSK-'));
      await world.sql(
        "update document set due_at = '-infinity' where document_id = $1 returning 1",
        [inZoho],
        of.businessId,
      );
      await look(admin);
      await until(
        () =>
          world.sql(
            'select 1 from document where document_id = $1 and number = $2 and exempt = $3',
            [inZoho, number, isExempt],
            of.businessId,
          ),
        (rows) => rows.length === 1,
      );
    }
    await isAskedAnew(inZoho, 'TILL-8');
    await takeBack();
  });
});

describe('a document from before the business began with Muhuri', () => {
  test('is not ours because the day to begin on is moved to an earlier one', async () => {
    const of = world.businesses[1];
    const admin = await Api.signIn(world, of.admin);
    const day = (await admin.get('/businesses/me/config')).body.go_live_date as string;
    const later = new Date(Date.now() + 10 * 24 * 60 * minuteMs).toISOString().slice(0, 10);
    await configure(admin, { go_live_date: later, settings: { auto_seal: 'sent' } });
    const early = invoice(of);
    await look(admin);
    expect(judged(early.number)).toEqual([]);
    ahead += minuteMs;
    await configure(admin, { go_live_date: day });
    ahead += minuteMs;
    await isSealedByItself(admin, invoice(of));
    await standsAside(admin, early);
  });

  test('is not ours because its books are connected now', async () => {
    const of = world.businesses[0];
    const admin = await Api.signIn(world, of.admin);
    await configure(admin, { settings: { auto_seal: 'sent' } });
    const consent = async () => {
      const begun = await admin.post('/oauth/connect', {});
      return (
        await admin.post(
          '/oauth/callback',
          Object.fromEntries(
            new URL(world.zoho.accept(begun.body.consent_url as string, '1')).searchParams,
          ),
        )
      ).body;
    };
    // The same books by another consent are the same books: nothing that is due is left aside.
    const due = invoice(of);
    ahead += minuteMs;
    await consent();
    await isSealedByItself(admin, due);
    const [connection] = await world.sql(
      "select id from connection where status <> 'ended'",
      [],
      of.businessId,
    );
    expect((await admin.post(`/oauth/disconnect/${connection?.id}`)).status).toBe(200);
    ahead += minuteMs;
    const meanwhile = invoice(of);
    ahead += minuteMs;
    const seen = await consent();
    const bound = await admin.post(`/oauth/consents/${seen.id}/connections`, {
      business_id: of.businessId,
      organization_id: of.organizationId,
    });
    expect(bound.status, JSON.stringify(bound.body)).toBe(200);
    ahead += minuteMs;
    await isSealedByItself(admin, invoice(of));
    await standsAside(admin, meanwhile);
  });
});
