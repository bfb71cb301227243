import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

// What somebody answered, chose or confirmed holds for what they had before them, and for nothing
// that the document has become since.
let world: World;
let api: Api;
let admin: Api;
beforeAll(async () => {
  world = await startWorld({
    instead: {
      timing: {
        retryFirstMs: 100,
        retryMaxMs: 300,
        settleQuietMs: 200,
        settleMaxMs: 400,
        doubtWaitMs: 400,
        leaseMs: 8_000,
      },
      sweepMs: 200,
      intakeMs: 30,
    },
  });
  api = await Api.signIn(world, business().user);
  admin = await Api.signIn(world, business().admin);
  const ofAnother = world.zoho
    .documents()
    .filter(
      (each) => each.organization_id === business().organizationId && each.module === 'invoices',
    )
    .map(({ id }) => world.zoho.document('invoices', id) as Record<string, unknown>)
    .find((each) => each.customer_name === anotherName);
  another = { customer_id: String(ofAnother?.customer_id), customer_name: anotherName };
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => world.vsdc.faults([]));

const business = () => world.businesses[0];
const businessId = () => business().businessId;
const branch = () => `/branches/${business().branchIds[0]}`;
const filed = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
const receipt = async (id: string) => (await api.get(`/receipts/${id}`)).body;
const preflight = async (module: string, id: string, more = '') =>
  (await api.get(`/receipts/preflight?module=${module}&document_id=${id}${more}`)).body;
const codes = ({ findings }: Record<string, unknown>) =>
  (findings as { code: string }[]).map(({ code }) => code);

let made = 0;
type Document = { id: string; number: string };
function add(
  module: 'invoices' | 'creditnotes',
  what: string,
  patch: Record<string, unknown> = {},
): Document {
  made += 1;
  const key = module === 'invoices' ? 'invoice' : 'creditnote';
  const [id, number] = [
    `46000000009${String(made).padStart(8, '0')}`,
    String(patch[`${key}_number`] ?? `SAID-${made}`),
  ];
  const model = world.zoho
    .documents()
    .find(
      (each) => each.organization_id === business().organizationId && each.what.startsWith(what),
    );
  const document = structuredClone(world.zoho.document(module, model?.id as string));
  world.zoho.add(module, business().organizationId, {
    ...document,
    [`${key}_id`]: id,
    [`${key}_number`]: number,
    ...patch,
  });
  return { id, number };
}
const sale = (patch: Record<string, unknown> = {}) => add('invoices', 'simple sale', patch);
/** Another customer of the same books, without a TIN of its own. */
const anotherName = 'Ishuri ry’Ubumenyi Nyamirambo';
let another: { customer_id: string; customer_name: string };

/** Goes on with what waits at the device, which is read again before anything is sent. */
async function resume(id: string) {
  await world.sql('update receipt set read_at = null where id = $1', [id], businessId());
  await admin.post(`${branch()}/resume`, {});
  return until(
    () => receipt(id),
    (each) => each.state !== 'queued',
  );
}
/** Sealed while its device is paused, changed in the books, and gone on with. */
async function sealedMeanwhile(
  module: 'invoices' | 'creditnotes',
  id: string,
  answers: object,
  change: () => void,
) {
  await admin.post(`${branch()}/pause`);
  const { body } = await admin.seal(module, id, answers);
  expect(body).toMatchObject({ state: 'queued' });
  change();
  return resume(body.id);
}
async function refusedOnce(module: 'invoices' | 'creditnotes', id: string, answers: object) {
  world.vsdc.faults(['refuse:910']);
  const { body } = await admin.seal(module, id, answers);
  expect(body).toMatchObject({ state: 'refused' });
  return body;
}

describe('the sale that a credit note refunds', () => {
  const to = ({ id, number }: Document) => ({
    invoice_id: id,
    invoice_number: number,
    invoices: [{ invoice_id: id, invoice_number: number, amount: 1 }],
  });
  const none = { invoice_id: '', invoice_number: '', invoices: [], reference_number: '' };
  const noteOf = (corrects: object) =>
    add('creditnotes', 'credit note of the whole sale', { ...corrects });
  const because = { reason_code: '06' };
  async function sold(patch: Record<string, unknown> = {}) {
    const invoice = add('invoices', 'sale, refunded whole below', patch);
    const { body } = await api.seal('invoices', invoice.id);
    expect(body).toMatchObject({ state: 'signed' });
    return { ...invoice, receipt: body };
  }
  const undone = (note: Document) =>
    filed(note.number).map(({ request }) => String(request.orgInvcNo));

  test('is the one it names by now, whatever it named when it was refused', async () => {
    const [first, second] = [await sold(), await sold()];
    const note = noteOf(to(first));
    await refusedOnce('creditnotes', note.id, because);
    world.zoho.change('creditnotes', note.id, to(second));
    expect(await preflight('creditnotes', note.id)).toMatchObject({
      ready: true,
      sale_receipt_id: second.receipt.id,
    });
    expect((await api.seal('creditnotes', note.id, because)).body).toMatchObject({
      state: 'signed',
      sale_receipt_id: second.receipt.id,
    });
    expect(undone(note)).toEqual([second.receipt.invoice_number]);
  });

  test('is the one it names by now where it waited in the lane, and where it was withdrawn from there', async () => {
    const [first, second] = [await sold(), await sold()];
    const note = noteOf(to(first));
    const done = await sealedMeanwhile('creditnotes', note.id, because, () =>
      world.zoho.change('creditnotes', note.id, to(second)),
    );
    expect(done).toMatchObject({ state: 'signed', sale_receipt_id: second.receipt.id });
    expect(undone(note)).toEqual([second.receipt.invoice_number]);
    const other = noteOf(to(first));
    await admin.post(`${branch()}/pause`);
    const { body } = await api.seal('creditnotes', other.id, because);
    expect((await api.post(`/receipts/${body.id}/withdraw`)).body).toMatchObject({
      state: 'withdrawn',
    });
    const third = { ...add('invoices', 'sale, refunded whole below'), receipt: null };
    world.zoho.change('creditnotes', other.id, to(third));
    expect(codes(await preflight('creditnotes', other.id))).toContain('refund_sale_unsigned');
    await admin.post(`${branch()}/resume`, {});
    const { body: last } = await api.seal('invoices', third.id);
    expect((await api.seal('creditnotes', other.id, because)).body).toMatchObject({
      state: 'signed',
      sale_receipt_id: last.id,
    });
    expect(undone(other)).toEqual([last.invoice_number]);
  });

  test('may be another customer’s by now, where the credit note is as well', async () => {
    const [first, second] = [await sold(), await sold(another)];
    const note = noteOf(to(first));
    await refusedOnce('creditnotes', note.id, because);
    world.zoho.change('creditnotes', note.id, { ...to(second), ...another });
    expect((await api.seal('creditnotes', note.id, because)).body).toMatchObject({
      state: 'signed',
      sale_receipt_id: second.receipt.id,
    });
    expect(undone(note)).toEqual([second.receipt.invoice_number]);
  });

  test('that a person chose holds while the note says what it said then, and is asked about where it names another', async () => {
    const [first, second] = [await sold(), await sold()];
    const note = noteOf(none);
    const chosen = { ...because, sale_receipt_id: first.receipt.id };
    await refusedOnce('creditnotes', note.id, chosen);
    expect(await preflight('creditnotes', note.id)).toMatchObject({
      ready: true,
      sale_receipt_id: first.receipt.id,
    });
    world.zoho.change('creditnotes', note.id, to(second));
    const asked = await preflight('creditnotes', note.id);
    expect(codes(asked)).toEqual(['refund_sale_missing']);
    expect(asked.sales.map((each: { receipt_id: string }) => each.receipt_id).toSorted()).toEqual(
      [first.receipt.id, second.receipt.id].toSorted(),
    );
    expect((await api.seal('creditnotes', note.id, because)).body).toMatchObject({
      code: 'refund_sale_missing',
    });
    const { body } = await api.seal('creditnotes', note.id, {
      ...because,
      sale_receipt_id: second.receipt.id,
    });
    expect(body).toMatchObject({ state: 'signed', sale_receipt_id: second.receipt.id });
    // Kept before anybody kept what it was chosen for: nobody knows what the note said then.
    const older = noteOf(none);
    const before = await refusedOnce('creditnotes', older.id, chosen);
    await world.sql(
      "update receipt set answers = answers - 'about' where id = $1",
      [before.id],
      businessId(),
    );
    expect(codes(await preflight('creditnotes', older.id))).toEqual(['refund_sale_missing']);
    expect((await api.seal('creditnotes', older.id, chosen)).body).toMatchObject({
      state: 'signed',
      sale_receipt_id: first.receipt.id,
    });
  });

  test('is asked about where only its credit is used for another than it was opened for, or than its reference names', async () => {
    const [first, second] = [await sold(), await sold()];
    const both = [first.receipt.id, second.receipt.id].toSorted();
    const offered = ({ sales }: Record<string, unknown>) =>
      (sales as { receipt_id: string }[]).map((each) => each.receipt_id).toSorted();
    const usedFor = ({ id, number }: Document) => ({
      invoices: [{ invoice_id: id, invoice_number: number, amount: 1 }],
    });
    const named = ({ number }: Document) => ({ ...none, reference_number: number });
    const note = noteOf(named(first));
    const waiting = await sealedMeanwhile('creditnotes', note.id, because, () =>
      world.zoho.change('creditnotes', note.id, usedFor(second)),
    );
    expect([waiting.state, waiting.problem?.code, undone(note)]).toEqual([
      'refused',
      'refund_sale_missing',
      [],
    ]);
    const asked = await preflight('creditnotes', note.id);
    expect([codes(asked), offered(asked)]).toEqual([['refund_sale_missing'], both]);
    const fresh = noteOf({ ...named(first), ...usedFor(second) });
    const seen = await preflight('creditnotes', fresh.id);
    expect([codes(seen).toSorted(), offered(seen)]).toEqual([
      ['reason_missing', 'refund_sale_missing'],
      both,
    ]);
    const { body } = await api.seal('creditnotes', note.id, {
      ...because,
      sale_receipt_id: first.receipt.id,
    });
    expect(body).toMatchObject({ state: 'signed', sale_receipt_id: first.receipt.id });
    // Nothing but its credit has said what it was opened for.
    const third = await sold();
    const silent = noteOf({ ...none, ...usedFor(third) });
    await refusedOnce('creditnotes', silent.id, because);
    world.zoho.change('creditnotes', silent.id, usedFor(second));
    expect(codes(await preflight('creditnotes', silent.id))).toEqual(['refund_sale_missing']);
    // Its own reference has moved along: it is of that one now.
    world.zoho.change('creditnotes', silent.id, { ...named(second), ...usedFor(second) });
    expect((await api.seal('creditnotes', silent.id, because)).body).toMatchObject({
      state: 'signed',
      sale_receipt_id: second.receipt.id,
    });
  });

  test('is another one in the books after it was signed: the credit note has drifted', async () => {
    const [first, second] = [await sold(), await sold()];
    const note = noteOf(to(first));
    expect((await api.seal('creditnotes', note.id, because)).body).toMatchObject({
      state: 'signed',
    });
    expect((await preflight('creditnotes', note.id)).receipt.drift).toBeNull();
    world.zoho.change('creditnotes', note.id, to(second));
    const shown = await preflight('creditnotes', note.id);
    expect(shown).toMatchObject({
      sale_receipt_id: first.receipt.id,
      receipt: { drift: { code: 'drift_changed' } },
    });
    world.zoho.change('creditnotes', note.id, to(first));
    expect((await preflight('creditnotes', note.id)).receipt.drift).toBeNull();
    // Whose credit is used for another invoice afterwards is none that refunds it.
    const free = noteOf(none);
    expect(
      (await api.seal('creditnotes', free.id, { ...because, sale_receipt_id: second.receipt.id }))
        .body,
    ).toMatchObject({ state: 'signed' });
    world.zoho.change('creditnotes', free.id, to(first));
    expect((await preflight('creditnotes', free.id)).receipt.drift).toBeNull();
  });

  test('stays its own where both belong to another customer by now, as after two contacts were merged', async () => {
    const first = await sold();
    const note = noteOf({ ...to(first), ...another });
    expect((await api.seal('creditnotes', note.id, because)).body).toMatchObject({
      code: 'refund_buyer_differs',
    });
    world.zoho.change('invoices', first.id, another);
    // Nor is it said beside what keeps it from being priced.
    world.zoho.change('creditnotes', note.id, { currency_code: 'USD' });
    expect(codes(await preflight('creditnotes', note.id)).toSorted()).toEqual([
      'reason_missing',
      'refund_currency_differs',
    ]);
    world.zoho.change('creditnotes', note.id, { currency_code: 'RWF' });
    expect((await api.seal('creditnotes', note.id, because)).body).toMatchObject({
      state: 'signed',
      sale_receipt_id: first.receipt.id,
    });
    const [sent] = filed(first.number);
    expect(filed(note.number).map(({ request }) => [request.custNm, request.custTin])).toEqual([
      [sent?.request.custNm, sent?.request.custTin],
    ]);
  });
});

describe('what was typed for a buyer', () => {
  const typed = { buyer_tin: '100600570', purchase_code: '123456' };
  const buyer = ({ number }: Document) =>
    filed(number).map(({ request }) => [
      request.custTin ?? null,
      request.custNm,
      request.prcOrdCd ?? null,
    ]);

  test('goes with no other one, to whom the document was changed after it was refused', async () => {
    const document = sale();
    await refusedOnce('invoices', document.id, typed);
    expect((await preflight('invoices', document.id)).asks).toMatchObject(typed);
    world.zoho.change('invoices', document.id, another);
    expect((await preflight('invoices', document.id)).asks).toMatchObject({
      buyer_tin: null,
      purchase_code: null,
    });
    expect((await api.seal('invoices', document.id)).body).toMatchObject({ state: 'signed' });
    expect(buyer(document)).toEqual([[null, anotherName, null]]);
  });

  test.each(['what it was typed for is kept', 'it was kept before that was'])(
    'goes with no other one from the lane, where %s',
    async (how) => {
      const document = sale();
      const done = await sealedMeanwhile('invoices', document.id, typed, () =>
        world.zoho.change('invoices', document.id, another),
      );
      expect(done).toMatchObject({ state: 'signed' });
      expect(buyer(document)).toEqual([[null, anotherName, null]]);
      if (how.startsWith('what')) return;
      const older = sale();
      const { id } = await refusedOnce('invoices', older.id, typed);
      await world.sql(
        "update receipt set answers = answers - 'about' where id = $1",
        [id],
        businessId(),
      );
      world.zoho.change('invoices', older.id, another);
      expect((await api.seal('invoices', older.id)).body).toMatchObject({ state: 'signed' });
      expect(buyer(older)).toEqual([[null, anotherName, null]]);
    },
  );

  test('gives way to what is mended in the books, and how it was paid is shown as it will be filed', async () => {
    const document = sale();
    const given = { ...typed, payment_method: '03' };
    await refusedOnce('invoices', document.id, given);
    expect((await preflight('invoices', document.id)).asks).toMatchObject(given);
    world.zoho.change('invoices', document.id, {
      custom_field_hash: { cf_purchase_code: 'ZX98YW' },
      custom_fields: [],
    });
    expect((await preflight('invoices', document.id)).asks).toMatchObject({
      ...given,
      purchase_code: 'ZX98YW',
    });
    expect((await api.seal('invoices', document.id)).body).toMatchObject({ state: 'signed' });
    expect(
      filed(document.number).map(({ request }) => [
        request.custTin,
        request.prcOrdCd,
        request.pmtTyCd,
      ]),
    ).toEqual([[typed.buyer_tin, 'ZX98YW', '03']]);
  });

  test('stays where the document is changed and its buyer is not', async () => {
    const document = sale();
    const { id } = await refusedOnce('invoices', document.id, typed);
    world.zoho.change('invoices', document.id, {
      reference_number: 'changed',
      invoice_number: `${document.number}-B`,
    });
    expect((await api.seal('invoices', document.id)).body).toMatchObject({ id, state: 'signed' });
    expect(
      filed(`${document.number}-B`).map(({ request }) => [request.custTin, request.prcOrdCd]),
    ).toEqual([['100600570', '123456']]);
  });
});

describe('what was confirmed', () => {
  const confirm = (...what: string[]) => ({ confirm: what });
  async function gone() {
    const document = sale();
    expect((await api.seal('invoices', document.id)).body).toMatchObject({ state: 'signed' });
    world.zoho.change('invoices', document.id, null);
    return document;
  }

  test('of one number is asked anew of another, and where one more was sealed under the same', async () => {
    const [first, second] = [await gone(), await gone()];
    const again = sale({ invoice_number: first.number });
    await refusedOnce('invoices', again.id, confirm('number_sealed_before'));
    expect(codes(await preflight('invoices', again.id))).toEqual([]);
    world.zoho.change('invoices', again.id, { invoice_number: second.number });
    expect(codes(await preflight('invoices', again.id))).toEqual(['number_sealed_before']);
    expect(await api.seal('invoices', again.id)).toMatchObject({
      status: 422,
      body: { code: 'number_sealed_before' },
    });
    world.zoho.change('invoices', again.id, { invoice_number: first.number });
    const third = sale({ invoice_number: first.number });
    expect(
      (await admin.seal('invoices', third.id, confirm('number_sealed_before'))).body,
    ).toMatchObject({ state: 'signed' });
    world.zoho.change('invoices', third.id, null);
    expect(await api.seal('invoices', again.id)).toMatchObject({
      status: 422,
      body: { code: 'number_sealed_before' },
    });
    expect(
      (await admin.seal('invoices', again.id, confirm('number_sealed_before'))).body,
    ).toMatchObject({ state: 'signed' });
    expect(filed(second.number)).toHaveLength(1);
  });

  test('of one number is asked anew of another that a document waiting in the lane has by then, and of one of which nobody kept the number', async () => {
    const [first, second] = [await gone(), await gone()];
    const again = sale({ invoice_number: first.number });
    const renumbered = () =>
      world.zoho.change('invoices', again.id, { invoice_number: second.number });
    const done = await sealedMeanwhile(
      'invoices',
      again.id,
      confirm('number_sealed_before'),
      renumbered,
    );
    expect(done).toMatchObject({ state: 'refused', problem: { code: 'number_sealed_before' } });
    expect(filed(second.number)).toHaveLength(1);
    world.zoho.change('invoices', again.id, { invoice_number: first.number });
    await refusedOnce('invoices', again.id, confirm('number_sealed_before'));
    await world.sql(
      "update receipt set answers = answers - 'about' where id = $1",
      [done.id],
      businessId(),
    );
    expect(await api.seal('invoices', again.id)).toMatchObject({
      status: 422,
      body: { code: 'number_sealed_before' },
    });
  });

  test('of a name, a date or a rate is asked anew of another', async () => {
    const damaged = sale({ customer_name: 'Caf\ufffd Ltd' });
    await refusedOnce('invoices', damaged.id, confirm('buyer_name_damaged'));
    expect(codes(await preflight('invoices', damaged.id))).toEqual([]);
    world.zoho.change('invoices', damaged.id, { customer_name: 'H\ufffdtel Ltd' });
    expect(codes(await preflight('invoices', damaged.id))).toEqual(['buyer_name_damaged']);
    const old = sale({ date: '2020-02-03' });
    await refusedOnce('invoices', old.id, confirm('before_go_live', 'document_old'));
    expect(codes(await preflight('invoices', old.id))).toEqual([]);
    world.zoho.change('invoices', old.id, { date: '2020-02-02' });
    expect(codes(await preflight('invoices', old.id))).toEqual(['before_go_live']);
  });

  test('stays beside what is confirmed later', async () => {
    const document = sale({ date: '2020-02-03' });
    await refusedOnce('invoices', document.id, confirm('before_go_live', 'document_old'));
    world.zoho.change('invoices', document.id, { customer_name: 'Caf\ufffd Ltd' });
    expect(codes(await preflight('invoices', document.id))).toEqual(['buyer_name_damaged']);
    expect(
      (await admin.seal('invoices', document.id, confirm('buyer_name_damaged'))).body,
    ).toMatchObject({ state: 'signed' });
  });

  // The last: from here on what comes in is sealed by itself.
  test('of a buyer goes with no other one where the document is sealed by itself', async () => {
    const document = sale();
    const { id } = await refusedOnce('invoices', document.id, {
      buyer_tin: '100600570',
      purchase_code: '123456',
    });
    world.zoho.change('invoices', document.id, another);
    const { body } = await admin.get('/businesses/me/config');
    expect(
      (
        await admin.put('/businesses/me/config', {
          settings: { auto_seal: 'sent' },
          version: body.version,
        })
      ).status,
    ).toBe(200);
    await world.sql(
      `insert into document (business_id, module, document_id, seen_at, source, due_at) values ($1, 'invoices', $2, now(), 'webhook', now())
       on conflict (business_id, module, document_id) do update set due_at = now(), source = 'webhook'`,
      [businessId(), document.id],
      businessId(),
    );
    await until(
      () => receipt(id),
      (each) => each.state === 'signed',
    );
    expect(
      filed(document.number).map(({ request }) => [request.custTin ?? null, request.custNm]),
    ).toEqual([[null, anotherName]]);
  });
});
