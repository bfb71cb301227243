import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { startWorld, type World } from '../world.ts';

/*
 * How strictly a real device checks is written down nowhere. Whatever it checks: a document is signed, at the amounts of the books, or what is wrong with it
 * is said in a sentence, with nothing signed and no number lost.
 */

let world: World;
let api: Api;
beforeAll(async () => {
  world = await startWorld();
  api = await Api.signIn(world, world.businesses[0].user);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const ours = () =>
  world.zoho
    .documents()
    .filter((each) => each.organization_id === world.businesses[0].organizationId);
const named = (what: string) =>
  ours().find((each) => each.what.startsWith(what)) as ReturnType<typeof ours>[number];
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
let made = 0;
function add(
  module: 'invoices' | 'creditnotes',
  what: string,
  patch: Record<string, unknown>,
): { id: string; number: string } {
  made += 1;
  const key = module === 'invoices' ? 'invoice' : 'creditnote';
  const [id, number] = [`46000000009${String(made).padStart(8, '0')}`, `SD-${made}`];
  world.zoho.add(module, world.businesses[0].organizationId, {
    ...structuredClone(world.zoho.document(module, named(what).id)),
    [`${key}_id`]: id,
    [`${key}_number`]: number,
    ...patch,
  });
  return { id, number };
}
type Line = {
  item_id: string;
  rate: number;
  quantity: number;
  item_total: number;
  line_item_taxes: { tax_amount: number }[];
};
const cents = (amount: number) => Math.round(amount * 100) / 100;
/** A document of one taxed line, as the books make it: the tax beside the price. */
function oneLine(what: string, rate: number, quantity: number) {
  const document = world.zoho.document(
    what.startsWith('credit') ? 'creditnotes' : 'invoices',
    named(what).id,
  ) as { line_items: Line[] };
  const [line] = structuredClone(document.line_items) as [Line];
  const item_total = cents(rate * quantity);
  const tax = cents(item_total * 0.18);
  const taxed = {
    ...line,
    rate,
    quantity,
    item_total,
    discount: 0,
    line_item_taxes: line.line_item_taxes.map((each) => ({ ...each, tax_amount: tax })),
  };
  return {
    line_items: [taxed],
    sub_total: item_total,
    tax_total: tax,
    total: cents(item_total + tax),
    bcy_total: cents(item_total + tax),
  };
}
const signed = (id: string) =>
  until(
    async () => (await api.get(`/receipts/${id}`)).body,
    (each) => each.state !== 'queued',
  );

test('a device that wants price times quantity to be a line’s amount to the cent gets every document of the demo, after refusing one', async () => {
  world.vsdc.set({ supply_tolerance: '0.01' });
  const odd = add(
    'invoices',
    'sale, refunded whole below',
    oneLine('sale, refunded whole below', 1234.57, 23),
  );
  const before = world.vsdc.receipts().length;
  const first = await api.seal('invoices', odd.id);
  const receipt = await signed(first.body.id);
  expect(receipt).toMatchObject({ state: 'signed', totals: { total: '33506.23' } });
  expect(judged(odd.number).map((each) => each.request.totAmt)).toEqual([33506.23]);
  const sends = await world.sql(
    'select outcome, device_text from attempt where receipt_id = $1 order by started_at, id',
    [receipt.id],
    world.businesses[0].businessId,
  );
  expect(sends).toMatchObject([
    { outcome: 'refused', device_text: expect.stringContaining('splyAmt') },
    { outcome: 'signed' },
  ]);
  const demo = ours().filter(
    (one) => one.module === 'invoices' && one.canSeal && one.number.startsWith('INZ-'),
  );
  const opened = await Promise.all(demo.map((each) => api.seal('invoices', each.id)));
  const states = await Promise.all(
    opened.map(async ({ body }, index) => `${demo[index]?.what}: ${(await signed(body.id)).state}`),
  );
  expect(states.length).toBeGreaterThan(25);
  expect(states.filter((each) => !each.endsWith(': signed'))).toEqual([]);
  // It is asked once what it wants: nothing else was refused, and no number is lost.
  const refused = await world.sql(
    "select 1 from attempt where outcome = 'refused'",
    [],
    world.businesses[0].businessId,
  );
  expect(refused).toHaveLength(1);
  expect(world.vsdc.receipts().length - before).toBe(states.length + 1);
});

test('a device that holds refunds against quantities takes every part of a sale, by quantity or by price, once it has refused one; what it cannot take is said before', async () => {
  const { businessId } = world.businesses[0];
  await world.sql(
    "update business set settings = jsonb_set(settings, '{partial_refunds}', 'true')",
    [],
    businessId,
  );
  world.vsdc.set({ supply_tolerance: 'grows', refund_checks: 'lines', partial_refunds: true });
  const sold = async (rate: number, quantity: number) => {
    const sale = add(
      'invoices',
      'sale, refunded whole below',
      oneLine('sale, refunded whole below', rate, quantity),
    );
    expect((await signed((await api.seal('invoices', sale.id)).body.id)).state).toBe('signed');
    return sale;
  };
  const noteOf = (sale: { id: string; number: string }, rate: number, quantity: number) =>
    add('creditnotes', 'credit note of the whole sale', {
      ...oneLine('credit note of the whole sale', rate, quantity),
      invoice_id: sale.id,
      invoice_number: sale.number,
      invoices: [{ invoice_id: sale.id, invoice_number: sale.number, amount: 1 }],
    });
  const refund = async (note: { id: string }): Promise<Record<string, any>> => {
    const { status, body } = await api.seal('creditnotes', note.id, { reason_code: '06' });
    return body.id ? signed(body.id) : { status, ...body };
  };
  const refunded = (notes: { number: string }[], of: string) =>
    notes
      .flatMap((note) => judged(note.number))
      .reduce(
        (sum, { request }) =>
          sum +
          Number(of === 'qty' ? (request.itemList as { qty: number }[])[0]?.qty : request[of]),
        0,
      );

  const first = await sold(1000, 3);
  expect((await refund(noteOf(first, 500, 3))).state).toBe('signed');
  const rest = noteOf(first, 500, 3);
  expect(await refund(rest)).toMatchObject({
    state: 'refused',
    problem: { code: 'refused_refund_quantity' },
  });
  expect(
    (await api.get(`/receipts/preflight?module=creditnotes&document_id=${rest.id}`)).body,
  ).toMatchObject({
    ready: false,
    findings: [{ code: 'refused_refund_quantity' }],
  });
  expect(judged(rest.number)).toEqual([]);

  for (const parts of [
    [
      [500, 3],
      [300, 3],
      [200, 3],
    ],
    [
      [1000, 1],
      [1000, 1],
      [1000, 1],
    ],
    [
      [1000, 0.833],
      [1000, 0.833],
      [1000, 1.334],
    ],
    [
      [333.33, 3],
      [1000, 1],
      [666.67, 1.5],
    ],
  ] as [number, number][][]) {
    const sale = await sold(1000, 3);
    const notes = parts.map(([rate, quantity]) => noteOf(sale, rate, quantity));
    const states = [];
    for (const note of notes) states.push((await refund(note)).state);
    expect(states, JSON.stringify(parts)).toEqual(parts.map(() => 'signed'));
    expect(refunded(notes, 'qty')).toBeLessThanOrEqual(3.000001);
  }
  const refused = await world.sql(
    "select device_text from attempt where outcome = 'refused' and device_code like '93%'",
    [],
    businessId,
  );
  expect(refused).toHaveLength(1);
});
