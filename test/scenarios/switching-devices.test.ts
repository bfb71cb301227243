import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, confirmShown, operatorOf, until } from '../api.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { type RwVsdc, startRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';
import { approvedFor, type DemoBusiness, startWorld, today, type World } from '../world.ts';

let world: World;
let following: RwVsdc;
beforeAll(async () => {
  world = await startWorld({
    businesses: 4,
    rehearsing: [1],
    instead: {
      vsdc: { answerTimeoutMs: 4_000, lateTimeoutMs: 5_000, connectTimeoutMs: 4_000 },
      timing: {
        retryFirstMs: 100,
        retryMaxMs: 200,
        settleQuietMs: 100,
        settleMaxMs: 200,
        doubtWaitMs: 100,
        leaseMs: 8_000,
        switchPatienceMs: 1_500,
      },
      sweepMs: 200,
      waitMs: 10_000,
    },
  });
  following = await startRwVsdc({ approved: [] });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await following?.close();
});

let made = 0;
/** An invoice or credit note of a business; its own time of creation where it matters. */
function add(
  of: DemoBusiness,
  what: string,
  more: object = {},
  module: 'invoices' | 'creditnotes' = 'invoices',
): { id: string; number: string } {
  made += 1;
  const own = module === 'invoices' ? 'invoice' : 'creditnote';
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === of.organizationId &&
        each.module === module &&
        each.what.startsWith(what),
    );
  const id = `46000000008${String(made).padStart(8, '0')}`;
  const number = `${module === 'invoices' ? 'S' : 'C'}-${made}`;
  world.zoho.add(module, of.organizationId, {
    ...structuredClone(world.zoho.document(module, source?.id ?? '')),
    [`${own}_id`]: id,
    [`${own}_number`]: number,
    ...more,
  });
  return { id, number };
}
const invoice = (of: DemoBusiness, more: object = {}) => add(of, 'simple sale', more);
const at = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, '+0000');
/** Created after whatever happens in this test. */
const later = () => ({ created_time: at(Date.now() + 60_000), last_modified_time: at(Date.now()) });
/** The note over the whole of an invoice. */
function creditNote(
  of: DemoBusiness,
  invoiceId: string,
  more: object = {},
): { id: string; number: string } {
  const sold = world.zoho.document('invoices', invoiceId);
  const source = world.zoho
    .documents()
    .find((each) => each.organization_id === of.organizationId && each.module === 'creditnotes');
  return add(
    of,
    source?.what ?? '',
    {
      ...Object.fromEntries(
        [
          'customer_id',
          'customer_name',
          'line_items',
          'sub_total',
          'tax_total',
          'total',
          'taxes',
          'discount',
          'discount_total',
          'shipping_charge',
        ].map((key) => [key, structuredClone(sold[key])]),
      ),
      invoice_id: invoiceId,
      status: 'open',
      ...more,
    },
    'creditnotes',
  );
}

const judged = (at: RwVsdc, number: string) =>
  at.receipts().filter((each) => each.request.remark === number);
const branchOf = async (api: Api, id: string) =>
  (await api.get('/branches')).body.branches.find((each: { id: string }) => each.id === id);
const present = async (api: Api, id: string) => (await api.get(`/receipts/${id}`)).body;
const becomes = (api: Api, id: string, state: string) =>
  until(
    () => present(api, id),
    (each) => each.state === state,
  );
const moveDevice = (of: DemoBusiness, address: string) =>
  world.sql(
    "update device set address = $1 where branch_id = $2 and state <> 'retired'",
    [address, of.branchIds[0]],
    of.businessId,
  );
const receiptsOf = (of: DemoBusiness, documentId: string) =>
  world.sql(
    'select id, environment, state, device_id, moved_to, invoice_number::text as number from receipt where document_id = $1 order by opened_at',
    [documentId],
    of.businessId,
  );
const socketsClosed = (of: DemoBusiness, receiptId: string) =>
  until(
    () =>
      world.sql(
        'select 1 as open from attempt where receipt_id = $1 and (ended_at is null or socket_closed_at is null and socket_until > now())',
        [receiptId],
        of.businessId,
      ),
    (open) => open.length === 0,
  );
/** The simulated successor of a business's device, and all steps up to the switch. */
async function prepare(
  of: DemoBusiness,
  api: Api,
  ask: { for: 'production' | 'replacement'; before?: { lastInvoiceNumber: number } },
): Promise<string> {
  const serial = `${of.taxpayerId}-next-${made}`;
  const { sales } = world.vsdc.device(of.taxpayerId, '00');
  const number = of.taxpayerId.slice(-6);
  following.approve({
    tin: of.taxpayerId,
    bhfId: '00',
    serial,
    name: approvedFor(4).find((each) => each.tin === of.taxpayerId)?.name ?? '',
    sdcId: `SDC0200${number}`,
    ...(ask.before ? { before: { ...ask.before, sales: [...sales] } } : {}),
  });
  const id = of.branchIds[0] as string;
  expect(
    await api.put(`/branches/${id}/next-device`, { for: ask.for, address: following.url, serial }),
  ).toMatchObject({
    status: 200,
    body: { next_device: { serial, ready: false } },
  });
  expect(await api.post(`/branches/${id}/switch`, { reason: 'too early' })).toMatchObject({
    status: 409,
    body: { code: 'next_device_unready' },
  });
  expect(await api.post(`/branches/${id}/initialise`)).toMatchObject({
    status: 200,
    body: { next_device: { ready: true } },
  });
  return id;
}

describe('going to production after a rehearsal', () => {
  let of: DemoBusiness;
  let admin: Api;
  let user: Api;
  let branchId: string;
  let rehearsed: { id: string; number: string };
  let waiting: { id: string; number: string };
  /** Created after the switch by Zoho's clock, and rehearsed all the same. */
  let ahead: { id: string; number: string };
  beforeAll(async () => {
    of = world.businesses[1];
    admin = await Api.signIn(world, of.admin);
    user = await Api.signIn(world, of.user);
  });

  test('needs a receipt that the sandbox device has signed', async () => {
    branchId = await prepare(of, admin, { for: 'production' });
    expect(await admin.post(`/branches/${branchId}/switch`)).toMatchObject({
      status: 409,
      body: { code: 'rehearsal_missing' },
    });
    expect(await user.post(`/branches/${branchId}/switch`)).toMatchObject({ status: 403 });
  });

  test('what was rehearsed is a test receipt on paper and in every list, and seals nothing', async () => {
    rehearsed = invoice(of);
    const test = await user.seal('invoices', rehearsed.id);
    expect(test.body).toMatchObject({ state: 'signed', environment: 'sandbox' });
    await admin.post('/zoho/poll');
    const listed = await until(
      async () =>
        (await admin.get(`/documents?document_ids=${rehearsed.id}`)).body.documents as {
          standing: string;
          receipt_label: string | null;
        }[],
      (rows) => rows.length === 1,
    );
    expect(listed).toMatchObject([
      {
        standing: 'rehearsed',
        receipt_label: null,
        problem: { code: 'test_receipt_only' },
        receipt_id: test.body.id,
      },
    ]);
    // Signed when its document was known already, and found neither among what is sealed nor by the
    // number of its receipt.
    const source = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === of.organizationId &&
          each.what.startsWith('paid in mobile money'),
      );
    const known = (await user.seal('invoices', source?.id ?? '')).body;
    expect(known).toMatchObject({ state: 'signed', environment: 'sandbox' });
    const sums = (
      await admin.get(`/documents/month?month=${String(known.document_date).slice(0, 7)}`)
    ).body;
    expect(sums).toMatchObject({ complete: false });
    expect(
      (sums.sums as { standing: string }[]).filter((each) => each.standing === 'sealed'),
    ).toEqual([]);
    expect((await admin.get(`/documents?document_ids=${source?.id}`)).body.documents).toMatchObject(
      [{ standing: 'rehearsed' }],
    );
    const byNumber = encodeURIComponent(`${known.receipt_number}/${known.total_receipt_number}`);
    expect((await admin.get(`/documents?search=${byNumber}`)).body.documents).toEqual([]);
    ahead = invoice(of, later());
    expect((await user.seal('invoices', ahead.id)).body).toMatchObject({
      state: 'signed',
      environment: 'sandbox',
    });
    const paper = await admin.file(`/receipts/${test.body.id}/pdf?paper=a4`);
    expect(
      execFileSync('pdftotext', ['-layout', '-', '-'], { input: paper.bytes, encoding: 'utf8' }),
    ).toContain('TEST: not a fiscal receipt');
    await world.app.settle();
    expect((await admin.get('/businesses/me/stats')).body).toMatchObject({
      signed: 0,
      total: '0',
      test_receipts: 3,
    });
  });

  test('closes what waited for the sandbox device, and seals nothing of it by itself', async () => {
    waiting = invoice(of);
    await moveDevice(of, 'http://127.0.0.1:9');
    const queued = await user.seal('invoices', waiting.id);
    expect(queued.body).toMatchObject({ state: 'queued', invoice_number: expect.any(String) });
    // Neither the business nor the operator counts what is only tried out.
    await world.app.settle();
    expect((await admin.get('/businesses/me/stats')).body).toMatchObject({
      queued: 0,
      in_doubt: 0,
    });
    const all = (await (await operatorOf(world)).get('/businesses')).body.businesses as {
      id: string;
      totals: object;
    }[];
    expect(all.find((each) => each.id === of.businessId)?.totals).toMatchObject({
      signed: 0,
      signed_today: 0,
      queued: 0,
      oldest_unsigned_at: null,
    });
    // The address of the device that is prepared was moved along.
    await world.sql(
      "update device set address = $1 where state = 'new'",
      [following.url],
      of.businessId,
    );
    const before = Date.now();
    const switched = await admin.post(`/branches/${branchId}/switch`);
    expect(switched).toMatchObject({
      status: 200,
      body: {
        device: { environment: 'production', state: 'active', next_invoice_number: '1' },
        next_device: null,
        retired_devices: [
          { environment: 'sandbox', state: 'retired', burnt_numbers: [queued.body.invoice_number] },
        ],
      },
    });
    expect(Date.parse(switched.body.production_since)).toBeGreaterThanOrEqual(before - 1_000);
    expect(await present(user, queued.body.id)).toMatchObject({
      state: 'withdrawn',
      invoice_number: null,
      problem: { code: 'device_retired' },
    });
    expect(await receiptsOf(of, waiting.id)).toHaveLength(1);
  });

  test('leaves everything from before to a person who says that no other system sealed it', async () => {
    const config = (await admin.get('/businesses/me/config')).body;
    await admin.put('/businesses/me/config', {
      settings: { auto_seal: 'sent' },
      version: config.version,
    });
    const fresh = invoice(of, later());
    for (const { id } of [rehearsed, waiting, ahead])
      world.zoho.change('invoices', id, { terms: 'touched' });
    await admin.post('/zoho/poll');
    // The new one is sealed by itself; those from before were looked at in the same round, and
    // wait.
    await until(
      async () => judged(following, fresh.number).length,
      (count) => count === 1,
    );
    const looked = await until(
      async () =>
        (await admin.get(`/documents?document_ids=${rehearsed.id},${waiting.id}`)).body
          .documents as { standing: string }[],
      (rows) => rows.length === 2 && rows.every((each) => each.standing === 'before_production'),
    );
    expect(looked).toMatchObject([
      {
        standing: 'before_production',
        problem: { code: 'before_production' },
        who: 'person',
        receipt_label: null,
      },
      {
        standing: 'before_production',
        problem: { code: 'before_production' },
        who: 'person',
        receipt_label: null,
      },
    ]);
    expect(following.receipts().map((each) => each.request.remark)).toEqual([fresh.number]);
    const month = (await admin.get(`/documents/month?month=${today().slice(0, 7)}`)).body;
    expect(month.complete).toBe(false);
    expect(
      (await user.get(`/receipts/preflight?module=invoices&document_id=${rehearsed.id}`)).body,
    ).toMatchObject({
      ready: false,
      environment: 'production',
      receipt: null,
      findings: [{ code: 'before_production' }],
    });
    for (const { id } of [rehearsed, ahead])
      expect(await user.seal('invoices', id)).toMatchObject({
        status: 422,
        body: { code: 'before_production' },
      });
    expect(
      await user.seal('invoices', rehearsed.id, { confirm: ['before_production'] }),
    ).toMatchObject({ status: 403 });
  });

  test('a credit note never finds the test receipt of its sale', async () => {
    const note = creditNote(of, rehearsed.id, later());
    expect(await admin.seal('creditnotes', note.id, { reason_code: '06' })).toMatchObject({
      status: 422,
      body: { code: 'refund_sale_unsigned' },
    });
    const [test] = await receiptsOf(of, rehearsed.id);
    expect(
      (await admin.seal('creditnotes', note.id, { reason_code: '06', sale_receipt_id: test?.id }))
        .status,
    ).toBe(422);
    expect(following.receipts().filter((each) => each.request.rcptTyCd === 'R')).toEqual([]);
  });

  test('confirmed, the document gets its real receipt beside its test receipt, from the device in production', async () => {
    const real = await admin.seal('invoices', rehearsed.id, { confirm: ['before_production'] });
    expect(real.body).toMatchObject({
      state: 'signed',
      environment: 'production',
      sdc_id: following.device(of.taxpayerId, '00').sdcId,
    });
    expect(await receiptsOf(of, rehearsed.id)).toMatchObject([
      { environment: 'sandbox', state: 'signed' },
      { environment: 'production', state: 'signed' },
    ]);
    const [line] =
      (judged(following, rehearsed.number)[0]?.request.itemList as { itemCd: string }[]) ?? [];
    expect(following.device(of.taxpayerId, '00').itemCodes).toContain(line?.itemCd);
    expect(
      (await admin.get(`/documents?document_ids=${rehearsed.id}&standing=sealed`)).body.documents,
    ).toHaveLength(1);
    const listed = async (query: string) =>
      (
        (await admin.get(`/businesses/me/recent-invoices?limit=50${query}`)).body.receipts as {
          environment: string;
        }[]
      ).map((each) => each.environment);
    expect(new Set(await listed(''))).toEqual(new Set(['production']));
    expect(new Set(await listed('&environment=sandbox'))).toEqual(new Set(['sandbox']));
    await world.app.settle();
    expect((await admin.get('/businesses/me/stats')).body).toMatchObject({
      signed: 2,
      test_receipts: 3,
    });
    expect(
      await admin.put(`/branches/${branchId}/next-device`, {
        for: 'production',
        address: following.url,
        serial: 'x',
      }),
    ).toMatchObject({
      status: 409,
      body: { code: 'production_already' },
    });
  });
});

describe('what another system has sealed before the switch', () => {
  let of: DemoBusiness;
  let admin: Api;
  let user: Api;
  let fresh: { id: string; number: string };
  type Row = {
    module: string;
    document_id: string;
    document_number: string;
    document_date: string;
    standing: string;
    who: string;
    problem: { code: string } | null;
    may_be_elsewhere: boolean;
    sealed_elsewhere: { reason: string; by: string; at: string } | null;
  };
  const list = async (query: string) =>
    (await admin.get(`/documents?limit=200&${query}`)).body.documents as Row[];
  const rowOf = async (id: string) =>
    (
      await list(
        `document_ids=${id}&standing=before_production,refused,sealed,sealed_elsewhere,to_seal,waiting`,
      )
    )[0];
  const keys = (rows: Row[]) => rows.map(({ module, document_id }) => ({ module, document_id }));
  const mark = (
    documents: object[],
    reason = 'Sealed with the old EBM until Friday, see its Z reports',
    api = admin,
  ) => api.post('/documents/sealed-elsewhere', { documents, reason });
  const takeBack = (documents: object[]) =>
    admin.post('/documents/sealed-elsewhere/taken-back', { documents });
  /** The months in which they are: the demo's documents are of the last three weeks. */
  const month = async () => {
    await admin.post('/zoho/poll');
    await world.app.settle();
    const months = [...new Set(before.map((row) => row.document_date.slice(0, 7)))];
    const all = await Promise.all(
      months.map(async (each) => (await admin.get(`/documents/month?month=${each}`)).body),
    );
    const sum = (name: string) => all.reduce((total, each) => total + (each[name] as number), 0);
    return {
      complete: all.every((each) => each.complete),
      missing: sum('missing'),
      sealed_elsewhere: sum('sealed_elsewhere'),
      sums: all.flatMap((each) => each.sums as { standing: string; count: number }[]),
    };
  };
  let before: Row[];
  beforeAll(async () => {
    of = world.businesses[1];
    admin = await Api.signIn(world, of.admin);
    user = await Api.signIn(world, of.user);
    fresh = invoice(of, { ...later(), status: 'approved' });
    await admin.post('/zoho/poll');
    await world.app.settle();
    before = await list('standing=before_production');
  });

  test('is said by whoever may settle, with a reason, and of nothing else: all of them or none', async () => {
    expect(before.length).toBeGreaterThan(3);
    expect(before.every((row) => row.may_be_elsewhere)).toBe(true);
    expect(await mark(keys(before), 'the old system', user)).toMatchObject({ status: 403 });
    expect(await mark(keys(before), '  ')).toMatchObject({
      status: 400,
      body: { field: 'reason' },
    });
    const [sealed] = await list('standing=sealed');
    for (const id of [fresh.id, String(sealed?.document_id), '4600000000000000404'])
      expect(await mark([...keys(before), { module: 'invoices', document_id: id }])).toMatchObject({
        status: 422,
        body: { code: 'not_before_production' },
      });
    expect((await list('standing=sealed_elsewhere')).length).toBe(0);
    expect((await list('standing=before_production')).length).toBe(before.length);
  });

  test('leaves what is due, is counted by itself, and its month can be complete', async () => {
    // Of what came after the switch nothing is left: it is void, or sealed.
    for (const row of await list('standing=to_seal,refused,drifted'))
      world.zoho.change(row.module as 'invoices', row.document_id, { status: 'void' });
    // What changed in the second in which it was read before is seen two seconds later.
    const incomplete = await until(month, (is) => is.missing === before.length);
    expect(incomplete).toMatchObject({
      complete: false,
      missing: before.length,
      sealed_elsewhere: 0,
    });
    const due = (await admin.get('/businesses/me/stats')).body.due as number;
    expect(await mark(keys(before))).toMatchObject({
      status: 200,
      body: { marked: before.length },
    });
    expect(await mark(keys(before), 'said once more'), 'what was said first stands').toMatchObject({
      body: { marked: 0 },
    });
    expect(await list('')).toEqual([]);
    expect(await month()).toMatchObject({
      complete: true,
      missing: 0,
      sealed_elsewhere: before.length,
    });
    const lines = (await month()).sums.filter((each) => each.standing === 'sealed_elsewhere');
    expect(lines.reduce((sum, each) => sum + each.count, 0)).toBe(before.length);
    expect((await admin.get('/businesses/me/stats')).body).toMatchObject({
      due: due - before.length,
      sealed_elsewhere: before.length,
    });
    // It is found, with who said so and why, in the list, the table and the activity.
    const [one] = before;
    expect(await list(`standing=sealed_elsewhere&search=${one?.document_number}`)).toMatchObject([
      {
        document_id: one?.document_id,
        who: 'nobody',
        problem: null,
        sealed_elsewhere: { reason: expect.stringContaining('old EBM'), by: expect.any(String) },
      },
    ]);
    const table = (await admin.file('/documents.csv?standing=sealed_elsewhere')).bytes
      .toString('utf8')
      .trim()
      .split('\n');
    expect(table[0]).toContain('"sealed_elsewhere","sealed_elsewhere_by","sealed_elsewhere_at"');
    expect(table.filter((line) => line.includes('old EBM'))).toHaveLength(before.length);
    expect(
      (await admin.get(`/trail?subject=${one?.document_id}&action=document.sealed_elsewhere`)).body
        .trail,
    ).toMatchObject([
      {
        actor_type: 'person',
        after: {
          reason: expect.stringContaining('old EBM'),
          document_number: one?.document_number,
        },
      },
    ]);
  });

  test('is never sealed by itself nor in bulk, and by hand only by whoever says that it was not', async () => {
    for (const row of before)
      world.zoho.change(row.module as 'invoices', row.document_id, { terms: 'touched again' });
    await month();
    expect((await list('standing=sealed_elsewhere')).length).toBe(before.length);
    const one = before.find((row) => row.module === 'invoices') as Row;
    expect(
      (await user.get(`/receipts/preflight?module=invoices&document_id=${one.document_id}`)).body,
    ).toMatchObject({
      ready: false,
      findings: expect.arrayContaining([
        expect.objectContaining({
          code: 'sealed_elsewhere',
          title: expect.stringContaining('old EBM'),
        }),
      ]),
    });
    for (const confirm of [undefined, ['before_production']])
      expect(await admin.seal('invoices', one.document_id, { confirm })).toMatchObject({
        status: 422,
        body: { code: 'sealed_elsewhere' },
      });
    expect(
      await user.seal('invoices', one.document_id, { confirm: ['sealed_elsewhere'] }),
    ).toMatchObject({ status: 403 });
  });

  test('is refunded there: its credit note says so, and may be marked as well', async () => {
    const sold = before.find((row) => row.module === 'invoices') as Row;
    const note = creditNote(of, sold.document_id, later());
    await month();
    const waits = await rowOf(note.id);
    expect(waits).toMatchObject({
      standing: 'to_seal',
      who: 'person',
      may_be_elsewhere: true,
      problem: { code: 'refund_sale_elsewhere' },
    });
    expect(await admin.seal('creditnotes', note.id, { reason_code: '06' })).toMatchObject({
      status: 422,
      body: { code: 'refund_sale_elsewhere' },
    });
    // Once its sale is due here it is so, too, and nobody may say that it is settled.
    await takeBack(keys([sold]));
    expect(
      await until(
        () => rowOf(note.id),
        (row) => row?.problem?.code === 'refund_sale_unsigned',
      ),
    ).toMatchObject({ may_be_elsewhere: false });
    await mark(keys([sold]));
    await until(
      () => rowOf(note.id),
      (row) => row?.problem?.code === 'refund_sale_elsewhere',
    );
    expect(await mark(keys([waits as Row]))).toMatchObject({ body: { marked: 1 } });
    world.zoho.change('creditnotes', note.id, { status: 'void' });
    await until(month, (is) => is.sealed_elsewhere === before.length);
  });

  test('can be taken back, and is due then as it was', async () => {
    const [one, ...others] = before as [Row, ...Row[]];
    expect(await takeBack(keys([one]))).toMatchObject({ status: 200, body: { taken_back: 1 } });
    expect(await takeBack(keys([one]))).toMatchObject({ status: 200, body: { taken_back: 0 } });
    expect(await rowOf(one.document_id)).toMatchObject({
      standing: 'before_production',
      problem: { code: 'before_production' },
      sealed_elsewhere: null,
    });
    expect(await month()).toMatchObject({
      complete: false,
      missing: 1,
      sealed_elsewhere: others.length,
    });
    expect(await mark(keys([one]))).toMatchObject({ body: { marked: 1 } });
  });

  test('sealed here after all it is no longer said to be of another system, and its evidence tells what was said', async () => {
    const sealable = world.zoho.documents().filter((each) => each.canSeal);
    const [refused, sold] = before.filter((row) =>
      sealable.some((each) => each.id === row.document_id && each.module === 'invoices'),
    ) as [Row, Row];
    // Refused by the device it stands as that, may be marked again, and what was confirmed at the
    // first try confirms nothing any more.
    following.faults(['refuse:910']);
    expect(
      (await admin.seal('invoices', refused.document_id, { confirm: ['sealed_elsewhere'] })).body,
    ).toMatchObject({ state: 'refused' });
    expect(await rowOf(refused.document_id)).toMatchObject({
      standing: 'refused',
      sealed_elsewhere: null,
      may_be_elsewhere: true,
    });
    expect(await mark(keys([refused]))).toMatchObject({ body: { marked: 1 } });
    expect(await rowOf(refused.document_id)).toMatchObject({ standing: 'sealed_elsewhere' });
    expect(await admin.seal('invoices', refused.document_id)).toMatchObject({
      status: 422,
      body: { code: 'sealed_elsewhere' },
    });
    world.zoho.change('invoices', refused.document_id, { terms: 'changed since it was refused' });
    await month();
    expect(await rowOf(refused.document_id), 'and it is not sealed by itself either').toMatchObject(
      { standing: 'sealed_elsewhere' },
    );

    const { body } = await admin.seal('invoices', sold.document_id, {
      confirm: ['sealed_elsewhere'],
    });
    expect(body).toMatchObject({ state: 'signed', environment: 'production' });
    expect(await rowOf(sold.document_id)).toMatchObject({
      standing: 'sealed',
      sealed_elsewhere: null,
    });
    expect(await mark(keys([sold]))).toMatchObject({
      status: 422,
      body: { code: 'not_before_production' },
    });
    await world.app.settle();
    const { pack } = JSON.parse(
      (await admin.file(`/receipts/${body.id}/evidence-pack`)).bytes.toString('utf8'),
    ) as { pack: string };
    expect(JSON.parse(pack).document_trail.map((each: { action: string }) => each.action)).toEqual([
      'document.sealed_elsewhere',
      'document.sealed_elsewhere_taken_back',
    ]);
  });
});

describe('a device that is replaced', () => {
  let of: DemoBusiness;
  let admin: Api;
  let second: Api;
  let sold: { id: string; number: string };
  let sale: { id: string; invoice_number: string; sdc_id: string };
  let waiting: { id: string; number: string };
  let doubtful: { id: string; number: string };
  let doubt: { id: string; invoice_number: string };
  const heard: string[] = [];
  // It takes what it is sent and never says a word.
  const dead = createServer((asked) => {
    heard.push(asked.url ?? '');
    asked.socket.destroy();
  });
  beforeAll(async () => {
    of = world.businesses[0];
    await new Promise<void>((resolve) => dead.listen(0, '127.0.0.1', resolve));
    const colleague = {
      username: 'second@inzozi',
      name: 'Second',
      email: 'second@inzozi.example',
      password: 'second-demo-only',
      role: 'business_admin' as const,
    };
    await world.app.addPerson(of.businessId, colleague);
    admin = await Api.signIn(world, of.admin);
    second = await Api.signIn(world, {
      ...of.admin,
      username: colleague.username,
      password: colleague.password,
    });
    await admin.seal('invoices', invoice(of).id);
    sold = invoice(of);
    sale = (await admin.seal('invoices', sold.id)).body as typeof sale;
    doubtful = invoice(of);
    await moveDevice(of, `http://127.0.0.1:${(dead.address() as AddressInfo).port}`);
    doubt = (await admin.seal('invoices', doubtful.id)).body as typeof doubt;
  });
  afterAll(() => dead.close());

  test('is not switched while a send is on its way, nor without a word about the old one', async () => {
    const id = await prepare(of, admin, {
      for: 'replacement',
      before: { lastInvoiceNumber: 0 + Number(sale.invoice_number) },
    });
    expect(await admin.post(`/branches/${id}/switch`)).toMatchObject({
      status: 400,
      body: { code: 'malformed', field: 'reason' },
    });
    // Its lane is held by a process that is at work.
    await world.sql(
      "update device set lane_holder = 'wrk_other', lane_until = now() + interval '1 minute' where branch_id = $1",
      [id],
      of.businessId,
    );
    expect(
      await admin.post(`/branches/${id}/switch`, { reason: 'the computer is dead' }),
    ).toMatchObject({ status: 409, body: { code: 'device_at_work' } });
    await world.sql(
      'update device set lane_holder = null, lane_until = null where branch_id = $1',
      [id],
      of.businessId,
    );
    expect((await branchOf(admin, id)).device).toMatchObject({
      serial: 'inzozi-kigali-1',
      state: 'paused',
    });
  });

  test('closes what waits there and opens it anew at the successor, whose run begins behind everything ever frozen', async () => {
    const [id] = of.branchIds as [string];
    const [old] = await world.sql(
      "select id from device where branch_id = $1 and serial = 'inzozi-kigali-1'",
      [id],
      of.businessId,
    );
    const ofOld = [
      ['lists_stale', old?.id],
      ['rate_changed', `${old?.id}:B`],
    ];
    for (const [code, subject] of ofOld)
      await world.sql(
        `insert into alert (business_id, id, code, subject, problem, opened_at) values ($1, $2, $3, $4, jsonb_build_object('code', $3::text), now())`,
        [of.businessId, `alt_${code}`, code, subject],
        of.businessId,
      );
    waiting = invoice(of);
    const queued = (await admin.seal('invoices', waiting.id)).body as { id: string };
    await socketsClosed(of, doubt.id);
    const { next_invoice_number: frozen } = (await branchOf(admin, id)).device;
    // Somebody who has looked at the old device already opens a receipt only after the switch.
    const owner = new pg.Client({
      connectionString: world.postgres.urlFor(
        'admin',
        new URL(world.databaseUrls.owner).pathname.slice(1),
      ),
    });
    await owner.connect();
    await owner.query('begin; lock table code_list in access exclusive mode');
    const between = invoice(of, later());
    const opening = admin.seal('invoices', between.id);
    await until(
      () =>
        owner.query(
          'select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
        ),
      ({ rows }) => rows.length > 0,
    );
    const switching = admin.post(`/branches/${id}/switch`, { reason: 'the computer is dead' });
    await until(
      () =>
        world.sql(
          "select 1 from device where branch_id = $1 and state = 'retired'",
          [id],
          of.businessId,
        ),
      (rows) => rows.length === 1,
    );
    await owner.query('commit');
    await owner.end();
    const switched = await switching;
    expect(switched).toMatchObject({
      status: 200,
      body: {
        device: { state: 'active', environment: 'production' },
        retired_devices: [{ in_doubt: 1, queued: 0 }],
      },
    });
    const open = (await admin.get('/alerts')).body.alerts as {
      subject: string;
      problem: { code: string };
    }[];
    expect(
      open
        .filter((each) => each.subject.startsWith(old?.id as string))
        .map((each) => each.problem.code),
      'nothing of the old device stands any more that only its work could end',
    ).toEqual([]);
    const { body: here } = await opening;
    await becomes(admin, here.id as string, 'signed');
    expect(await receiptsOf(of, between.id)).toHaveLength(1);
    expect([
      judged(following, between.number).length,
      judged(world.vsdc, between.number).length,
    ]).toEqual([1, 0]);
    const opened = await until(
      () => receiptsOf(of, waiting.id),
      (rows) => rows.some((row) => row.state === 'signed'),
    );
    expect(opened).toHaveLength(2);
    expect(opened.find((row) => row.id === queued.id)).toMatchObject({
      state: 'withdrawn',
      number: null,
      moved_to: expect.any(String),
    });
    const moved = opened.find((row) => row.id !== queued.id);
    expect(Number(moved?.number)).toBe(Number(frozen));
    expect(judged(following, waiting.number)).toHaveLength(1);
    expect(judged(world.vsdc, waiting.number)).toHaveLength(0);
    expect((await admin.seal('invoices', waiting.id)).body).toMatchObject({
      id: moved?.id,
      state: 'signed',
    });
  });

  test('gets nothing any more, not even a resend; its doubts wait for evidence', async () => {
    heard.length = 0;
    const old = (await receiptsOf(of, doubtful.id))[0];
    await world.sql(
      'update device set lane_next_at = null where id = $1',
      [old?.device_id],
      of.businessId,
    );
    await world.app.sweep();
    const after = invoice(of, later());
    await becomes(admin, (await admin.seal('invoices', after.id)).body.id as string, 'signed');
    await world.app.sweep();
    expect(heard).toEqual([]);
    expect(await present(admin, doubt.id)).toMatchObject({
      state: 'in_doubt',
      problem: { code: 'maybe_signed' },
    });
    expect((await admin.seal('invoices', doubtful.id)).body).toMatchObject({
      id: doubt.id,
      state: 'in_doubt',
    });
  });

  test('has not signed where two persons say so, by a list taken 48 hours after the last send', async () => {
    const evidence = { found: false, source: 'the portal of the authority' };
    const ask = (more: object) =>
      admin.post(`/receipts/${doubt.id}/evidence`, { ...evidence, ...more });
    expect(await ask({ listed_at: new Date().toISOString() })).toMatchObject({
      status: 400,
      body: { field: 'cannot_upload' },
    });
    expect(await ask({ cannot_upload: true })).toMatchObject({
      status: 400,
      body: { field: 'listed_at' },
    });
    const word = { cannot_upload: true, listed_at: new Date().toISOString() };
    expect(await ask(word)).toMatchObject({ status: 422, body: { code: 'evidence_too_early' } });
    await world.sql(
      "update attempt set started_at = started_at - interval '49 hours' where receipt_id = $1",
      [doubt.id],
      of.businessId,
    );
    // That another program's receipt stands under its number is said in the same way: the device is
    // not asked any more.
    const others = { ...evidence, found: 'other' };
    expect(await admin.post(`/receipts/${doubt.id}/evidence`, others)).toMatchObject({
      status: 400,
      body: { field: 'cannot_upload' },
    });
    expect(
      (await admin.post(`/receipts/${doubt.id}/evidence`, { ...others, ...word })).body,
    ).toMatchObject({ settlement: { evidence: { found: 'other' } } });
    expect((await admin.post(`/receipts/${doubt.id}/evidence/drop`)).status).toBe(200);
    expect((await ask(word)).body).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: false } },
    });
    expect(await confirmShown(admin, doubt.id, 'evidence')).toMatchObject({
      status: 409,
      body: { code: 'second_person_required' },
    });
    expect((await confirmShown(second, doubt.id, 'evidence')).body).toMatchObject({
      state: 'refused',
      problem: { code: 'device_retired' },
    });
    const [branchId] = of.branchIds as [string];
    expect((await branchOf(admin, branchId)).retired_devices[0].burnt_numbers).toContain(
      doubt.invoice_number,
    );
    const again = await admin.seal('invoices', doubtful.id);
    expect(again.body.state).toBe('signed');
    expect(again.body.id).not.toBe(doubt.id);
    expect(await receiptsOf(of, doubtful.id)).toMatchObject([
      { state: 'withdrawn', moved_to: again.body.id },
      { state: 'signed', moved_to: null },
    ]);
    expect(judged(following, doubtful.number)).toHaveLength(1);
    expect(heard).toEqual([]);
  });

  test('has its sales refunded by the successor only on an administrator’s word with the authority’s answer, under its own number', async () => {
    const note = creditNote(of, sold.id, later());
    const refund = () => admin.seal('creditnotes', note.id, { reason_code: '06' });
    expect(await refund()).toMatchObject({
      status: 422,
      body: { code: 'refund_needs_takeover', sale_receipt_id: sale.id },
    });
    const user = await Api.signIn(world, of.user);
    const word = {
      source: 'the portal of the authority',
      answer: 'Invoice uploaded, total agrees',
    };
    expect((await user.post(`/receipts/${sale.id}/takeover`, word)).status).toBe(403);
    expect((await admin.post(`/receipts/${sale.id}/takeover`, word)).status).toBe(200);
    const refunded = await refund();
    expect(refunded.body).toMatchObject({ state: 'signed', sale_receipt_id: sale.id });
    expect(judged(following, note.number)[0]?.request).toMatchObject({
      rcptTyCd: 'R',
      orgInvcNo: Number(sale.invoice_number),
    });
    const paper = await admin.file(`/receipts/${refunded.body.id}/pdf?paper=a4`);
    expect(
      execFileSync('pdftotext', ['-layout', '-', '-'], { input: paper.bytes, encoding: 'utf8' }),
    ).toContain(`OF ${sale.sdc_id}`);
    // The word holds for the device it was said of: the one after it is spoken of anew.
    const owner = new pg.Client({
      connectionString: world.postgres.urlFor(
        'admin',
        new URL(world.databaseUrls.owner).pathname.slice(1),
      ),
    });
    await owner.connect();
    const saidOf = (device: string) =>
      owner.query('update takeover set device_id = $1 where receipt_id = $2', [device, sale.id]);
    const [said] = await world.sql(
      'select device_id from takeover where receipt_id = $1',
      [sale.id],
      of.businessId,
    );
    const [first] = await world.sql(
      'select device_id from receipt where id = $1',
      [sale.id],
      of.businessId,
    );
    await saidOf(first?.device_id as string);
    const further = creditNote(of, sold.id, later());
    expect((await admin.seal('creditnotes', further.id, { reason_code: '06' })).body).toMatchObject(
      { code: 'refund_needs_takeover' },
    );
    await saidOf(said?.device_id as string);
    await owner.end();
    expect(
      await world.sql(
        "select signing_input->'terms'->>'originalSdcId' as sdc from receipt where id = $1",
        [refunded.body.id],
        of.businessId,
      ),
    ).toEqual([{ sdc: sale.sdc_id }]);
  });

  test('keeps its refunds to itself where the successor began a run of its own: they are settled outside, as a person says, and the month is complete', async () => {
    const other = world.businesses[2] as DemoBusiness;
    const api = await Api.signIn(world, other.admin);
    const document = invoice(other);
    const signed = (await api.seal('invoices', document.id)).body;
    // Known before the switch, when nothing stood in its way; another one was begun and waited for
    // the device that was replaced.
    const note = creditNote(other, document.id, later());
    const another = invoice(other);
    expect((await api.seal('invoices', another.id)).body.state).toBe('signed');
    const begun = creditNote(other, another.id, later());
    await api.post(`/branches/${other.branchIds[0]}/pause`);
    expect((await api.seal('creditnotes', begun.id, { reason_code: '06' })).body.state).toBe(
      'queued',
    );
    const month = async () => {
      await api.post('/zoho/poll');
      await world.app.settle();
      return (await api.get(`/documents/month?month=${today().slice(0, 7)}`)).body;
    };
    await month();
    const id = await prepare(other, api, { for: 'replacement' });
    expect((await api.post(`/branches/${id}/switch`, { reason: 'a new VSDC' })).status).toBe(200);
    expect(await api.seal('creditnotes', note.id, { reason_code: '06' })).toMatchObject({
      status: 422,
      body: { code: 'refund_run_broken' },
    });
    expect(
      await api.post(`/receipts/${signed.id}/takeover`, { source: 'portal', answer: 'uploaded' }),
    ).toMatchObject({
      status: 422,
      body: { code: 'refund_run_broken' },
    });
    const everywhere = 'standing=to_seal,refused,drifted,before_production,sealed_elsewhere';
    const rows = async (query: string) =>
      (await api.get(`/documents?limit=200&${query}`)).body.documents as {
        module: string;
        document_id: string;
      }[];
    const stands = await until(
      async () =>
        (await rows(`document_ids=${note.id}&${everywhere}`))[0] as
          | { problem?: { code: string; detail: string } }
          | undefined,
      (row) => row?.problem?.code === 'refund_run_broken',
    );
    expect(stands).toMatchObject({
      standing: 'to_seal',
      who: 'person',
      may_be_elsewhere: true,
      problem: { detail: expect.stringContaining('mark this note') },
    });
    expect(
      await until(
        async () =>
          (await rows(`document_ids=${begun.id}&${everywhere}`))[0] as
            | { problem?: { code: string } }
            | undefined,
        (row) => row?.problem?.code === 'refund_run_broken',
      ),
    ).toMatchObject({ standing: 'refused', who: 'person', may_be_elsewhere: true });
    // Nothing else of this month is left.
    const notes = [note.id, begun.id];
    for (const row of await rows(everywhere))
      if (!notes.includes(row.document_id))
        world.zoho.change(row.module as 'invoices', row.document_id, { status: 'void' });
    expect(await until(month, (is) => is.missing === 2)).toMatchObject({
      complete: false,
      sealed_elsewhere: 0,
    });
    const documents = notes.map((document_id) => ({ module: 'creditnotes', document_id }));
    const user = await Api.signIn(world, other.user);
    const said = { documents, reason: 'The authority has taken it in writing, letter 12/2026' };
    expect((await user.post('/documents/sealed-elsewhere', said)).status).toBe(403);
    expect(await api.post('/documents/sealed-elsewhere', said)).toMatchObject({
      status: 200,
      body: { marked: 2 },
    });
    expect(await month()).toMatchObject({ complete: true, missing: 0, sealed_elsewhere: 2 });
    // Looked at once more it stays so, and nothing of it was ever sent.
    world.zoho.change('creditnotes', note.id, { terms: 'touched' });
    await month();
    expect(await rows(`document_ids=${note.id}&${everywhere}`)).toMatchObject([
      { standing: 'sealed_elsewhere' },
    ]);
    for (const confirm of [undefined, ['sealed_elsewhere'] as const])
      expect((await api.seal('creditnotes', note.id, { reason_code: '06', confirm })).status).toBe(
        422,
      );
    expect(following.receipts().filter((each) => each.request.tin === other.taxpayerId)).toEqual(
      [],
    );
    // Taken back it is missing again, and may be said again.
    expect(await api.post('/documents/sealed-elsewhere/taken-back', { documents })).toMatchObject({
      body: { taken_back: 2 },
    });
    expect(await month()).toMatchObject({ complete: false, missing: 2 });
    expect(await api.post('/documents/sealed-elsewhere', said)).toMatchObject({
      body: { marked: 2 },
    });
  });

  test('keeps them where the authority’s last number is below sales that it must have had by then', async () => {
    const of = world.businesses[0];
    const [id] = of.branchIds as [string];
    const further = creditNote(of, sold.id, later());
    const code = async () =>
      (await admin.get(`/receipts/preflight?module=creditnotes&document_id=${further.id}`)).body
        .findings?.[0]?.code as string;
    expect(await code()).not.toBe('refund_run_broken');
    const lastOf = (number: number) =>
      world.sql(
        "update device set authority_last = $1 where branch_id = $2 and state = 'active'",
        [number, id],
        of.businessId,
      );
    const entered = (days: number) =>
      world.sql(
        `update device set created_at = created_at + interval '${days} days' where branch_id = $1 and state = 'active'`,
        [id],
        of.businessId,
      );
    const last = Number(sale.invoice_number);
    // What the dead computer signed in its last hours it may not have uploaded; of what is older
    // than a day the authority knows.
    await lastOf(last - 1);
    expect(await code()).not.toBe('refund_run_broken');
    await entered(2);
    expect(await code()).toBe('refund_run_broken');
    await lastOf(last);
    expect(await code()).not.toBe('refund_run_broken');
    await entered(-2);
  });
});

describe('a total that jumps', () => {
  test('by more than our own doubts explain is recorded, and nothing more is sent until a person has said whose the others are', async () => {
    const of = world.businesses[3] as DemoBusiness;
    const admin = await Api.signIn(world, of.admin);
    const [id] = of.branchIds as [string];
    await admin.seal('invoices', invoice(of).id);
    world.vsdc.signElsewhere(of.taxpayerId, '00', '900');
    const jumped = await admin.seal('invoices', invoice(of).id);
    expect(jumped.body).toMatchObject({ state: 'signed' });
    const next = invoice(of);
    const waits = await admin.seal('invoices', next.id);
    expect(waits.body).toMatchObject({
      state: 'queued',
      problem: { code: 'total_jumped', missing: 1 },
    });
    expect((await branchOf(admin, id)).device).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped' },
    });
    expect((await admin.get('/alerts')).body.alerts).toMatchObject([
      { problem: { code: 'total_jumped' } },
    ]);
    expect(judged(world.vsdc, next.number)).toHaveLength(0);
    expect(await admin.post(`/branches/${id}/resume`)).toMatchObject({
      status: 400,
      body: { field: 'evidence' },
    });
    expect(
      (
        await admin.post(`/branches/${id}/resume`, {
          evidence: 'the old till signed number 900, page 3 of its log',
        })
      ).status,
    ).toBe(200);
    await becomes(admin, waits.body.id as string, 'signed');
    expect((await admin.get('/alerts')).body.alerts).toEqual([]);
    expect((await branchOf(admin, id)).device.state).toBe('active');
  });

  test('by what an open doubt of ours has used goes on', async () => {
    const of = world.businesses[3] as DemoBusiness;
    const admin = await Api.signIn(world, of.admin);
    world.vsdc.faults(['drop_after_signing'], { tin: of.taxpayerId, bhfId: '00' });
    const lost = invoice(of);
    const doubt = await admin.seal('invoices', lost.id);
    await until(
      () => present(admin, doubt.body.id as string),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    for (let n = 0; n < 2; n++)
      expect((await admin.seal('invoices', invoice(of).id)).body.state).toBe('signed');
    await socketsClosed(of, doubt.body.id as string);
    const [held] = judged(world.vsdc, lost.number);
    expect(
      (await admin.post(`/receipts/${doubt.body.id}/evidence`, evidenceOf(held))).body.state,
    ).toBe('signed');
    world.vsdc.signElsewhere(of.taxpayerId, '00', '901');
    await admin.seal('invoices', invoice(of).id);
    expect((await branchOf(admin, of.branchIds[0] as string)).device).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1 },
    });
  });
});
