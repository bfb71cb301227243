import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let api: Api;
let admin: Api;
beforeAll(async () => {
  world = await startWorld({
    instead: {
      vsdc: { answerTimeoutMs: 1_500, lateTimeoutMs: 4_000 },
      timing: {
        retryFirstMs: 150,
        retryMaxMs: 400,
        settleQuietMs: 250,
        settleMaxMs: 500,
        doubtWaitMs: 500,
        leaseMs: 8_000,
      },
      sweepMs: 300,
      waitMs: 10_000,
    },
  });
  api = await Api.signIn(world, world.businesses[0].user);
  admin = await Api.signIn(world, world.businesses[0].admin);
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => {
  world.vsdc.faults([]);
  world.zoho.faults([]);
});

const ours = () =>
  world.zoho
    .documents()
    .filter((each) => each.organization_id === world.businesses[0].organizationId);
const named = (what: string) =>
  ours().find((each) => each.what.startsWith(what)) as ReturnType<typeof ours>[number];
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
let made = 0;
function clone(
  module: 'invoices' | 'creditnotes',
  what: string,
  patch: Record<string, unknown> = {},
): { id: string; number: string } {
  made += 1;
  const key = module === 'invoices' ? 'invoice' : 'creditnote';
  const id = `46000000008${String(made).padStart(8, '0')}`;
  const number = `R-${made}`;
  world.zoho.add(module, world.businesses[0].organizationId, {
    ...structuredClone(world.zoho.document(module, named(what).id)),
    [`${key}_id`]: id,
    [`${key}_number`]: number,
    ...patch,
  });
  return { id, number };
}
const creditNote = (invoice: { id: string; number: string }, patch: Record<string, unknown> = {}) =>
  clone('creditnotes', 'credit note of the whole sale', {
    invoice_id: invoice.id,
    invoice_number: invoice.number,
    invoices: [{ invoice_id: invoice.id, invoice_number: invoice.number, amount: 1 }],
    ...patch,
  });
const refund = (note: { id: string }, more: object = {}) =>
  api.seal('creditnotes', note.id, { reason_code: '06', ...more });
const partOf = (note: Record<string, unknown>, index: number) => {
  const line = (note.line_items as Record<string, unknown>[])[index] as {
    item_total: number;
    line_item_taxes: { tax_amount: number }[];
  };
  const tax = line.line_item_taxes.reduce((sum, each) => sum + each.tax_amount, 0);
  return {
    line_items: [line],
    sub_total: line.item_total,
    tax_total: tax,
    total: line.item_total + tax,
    bcy_total: line.item_total + tax,
  };
};

describe('a refund', () => {
  test('waits for its sale: before it is sealed the credit note says so, and nothing is written', async () => {
    const sale = clone('invoices', 'sale, refunded whole below');
    const note = creditNote(sale);
    expect(await refund(note)).toMatchObject({
      status: 422,
      body: { code: 'refund_sale_unsigned' },
    });
    expect(
      (await api.get(`/receipts?module=creditnotes&document_id=${note.id}`)).body.receipts,
    ).toEqual([]);
    await api.seal('invoices', sale.id);
    expect((await refund(note)).body.state).toBe('signed');
  });

  test('has no default reason, and one from the authority’s list', async () => {
    const sale = clone('invoices', 'sale, refunded whole below');
    await api.seal('invoices', sale.id);
    const note = creditNote(sale);
    expect(await api.seal('creditnotes', note.id)).toMatchObject({
      status: 422,
      body: { code: 'reason_missing', field: 'reason_code' },
    });
    expect(await refund(note, { reason_code: '99' })).toMatchObject({
      status: 422,
      body: { code: 'reason_unknown' },
    });
  });

  test('of a part is refused unless the business allows parts; then up to the sum, line by line', async () => {
    const sale = clone('invoices', 'sale, refunded whole below');
    await api.seal('invoices', sale.id);
    const whole = world.zoho.document('creditnotes', named('credit note of the whole sale').id);
    const [first, second] = [
      creditNote(sale, partOf(whole, 0)),
      creditNote(sale, partOf(whole, 1)),
    ];
    expect(await refund(first)).toMatchObject({ status: 422, body: { code: 'refund_partial' } });
    const setPartial = (on: boolean) =>
      world.sql(
        `update business set settings = jsonb_set(settings, '{partial_refunds}', '${on}')`,
        [],
        world.businesses[0].businessId,
      );
    await setPartial(true);
    world.vsdc.set({ partial_refunds: true });
    expect((await refund(first)).body.state).toBe('signed');
    expect(await refund(creditNote(sale))).toMatchObject({
      status: 422,
      body: { code: 'refund_too_large' },
    });
    expect((await refund(second)).body.state).toBe('signed');
    expect(await refund(creditNote(sale, partOf(whole, 1)))).toMatchObject({
      status: 422,
      body: { code: 'refund_too_large' },
    });
    await setPartial(false);
    world.vsdc.set({ partial_refunds: false });
  });

  test('read again with more than before counts what was opened meanwhile: the sale is never refunded beyond its sum', async () => {
    const [business] = world.businesses;
    const setPartial = async (on: boolean) => {
      await world.sql(
        `update business set settings = jsonb_set(settings, '{partial_refunds}', '${on}')`,
        [],
        business.businessId,
      );
      world.vsdc.set({ partial_refunds: on });
    };
    await setPartial(true);
    const sale = clone('invoices', 'sale, refunded whole below');
    const { body: sold } = await api.seal('invoices', sale.id);
    const whole = world.zoho.document('creditnotes', named('credit note of the whole sale').id);
    const { line_items, sub_total, tax_total, total, bcy_total } = whole;
    const [grows, other] = [creditNote(sale, partOf(whole, 0)), creditNote(sale, partOf(whole, 1))];
    await admin.post(`/branches/${business.branchIds[0]}/pause`);
    const { body: first } = await refund(grows);
    expect(first.state).toBe('queued');
    world.zoho.change('creditnotes', grows.id, {
      line_items,
      sub_total,
      tax_total,
      total,
      bcy_total,
    });
    // The lane reads it again, and comes to its device only after another one was opened.
    const holder = new pg.Client({ connectionString: world.databaseUrls.app });
    await holder.connect();
    const door = `begin; select set_config('role', 'muhuri_worker', true), set_config('app.business_id', '${business.businessId}', true);`;
    const waiting = () =>
      until(
        () =>
          holder.query(
            'select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
          ),
        ({ rows }) => rows.length > 0,
      );
    const atWork = `branch_id = '${business.branchIds[0]}' and state in ('active', 'paused')`;
    await holder.query(
      `${door} update receipt set read_at = null where id = '${first.id}'; update device set state = 'active', problem = null where ${atWork}; commit;
       ${door} select 1 from receipt where id = '${first.id}' for update`,
    );
    await waiting();
    await holder.query(`commit; ${door} select 1 from device where ${atWork} for no key update`);
    await waiting();
    const opened = refund(other);
    await until(
      () =>
        world.sql(
          "select 1 from receipt where document_id = $1 and state = 'queued'",
          [other.id],
          business.businessId,
        ),
      (rows) => rows.length === 1,
    );
    await holder.query('commit');
    await holder.end();
    expect((await opened).body.state).toBe('signed');
    expect((await api.get(`/receipts/${first.id}`)).body).toMatchObject({
      state: 'refused',
      problem: { code: 'refund_too_large' },
    });
    expect(
      await world.sql(
        'select 1 from attempt where receipt_id = $1',
        [first.id],
        business.businessId,
      ),
    ).toEqual([]);
    expect(sold.state).toBe('signed');
    await setPartial(false);
  });

  test('two credit notes of one sale at once: one is sealed', async () => {
    const sale = clone('invoices', 'sale, refunded whole below');
    await api.seal('invoices', sale.id);
    const notes = [creditNote(sale), creditNote(sale), creditNote(sale)];
    const replies = await Promise.all(notes.map((note) => refund(note)));
    expect(replies.filter((each) => each.body.state === 'signed')).toHaveLength(1);
    expect(replies.filter((each) => each.body.code === 'refund_second')).toHaveLength(2);
  });

  test('without a clear sale a person chooses among the sealed ones of that customer', async () => {
    const sale = clone('invoices', 'sale, refunded whole below');
    const receipt = await api.seal('invoices', sale.id);
    const note = clone('creditnotes', 'credit note of the whole sale', {
      invoice_id: '',
      invoice_number: '',
      invoices: [],
      reference_number: '',
    });
    const preflight = (
      await api.get(`/receipts/preflight?module=creditnotes&document_id=${note.id}`)
    ).body;
    expect(preflight.findings.map((each: { code: string }) => each.code)).toContain(
      'refund_sale_missing',
    );
    expect(preflight.sales.map((each: { receipt_id: string }) => each.receipt_id)).toContain(
      receipt.body.id,
    );
    expect((await refund(note, { sale_receipt_id: receipt.body.id })).body).toMatchObject({
      state: 'signed',
      sale_receipt_id: receipt.body.id,
    });
  });

  test('of a sale in doubt stands aside without blocking the lane', async () => {
    const sale = clone('invoices', 'sale, refunded whole below');
    world.vsdc.faults(['drop_after_signing']);
    const doubtful = await api.seal('invoices', sale.id);
    expect(doubtful.body.state).toBe('in_doubt');
    expect(await refund(creditNote(sale))).toMatchObject({
      status: 422,
      body: { code: 'refund_sale_unsigned' },
    });
    await until(
      async () => (await api.get(`/receipts/${doubtful.body.id}`)).body,
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect((await api.seal('invoices', clone('invoices', 'simple sale').id)).body.state).toBe(
      'signed',
    );
    const [held] = judged(sale.number);
    await admin.post(`/receipts/${doubtful.body.id}/evidence`, evidenceOf(held));
    expect((await refund(creditNote(sale))).body.state).toBe('signed');
  });

  test.each([
    'drop_before_signing',
    'stall:2000',
    'refuse:894',
    'html_404',
    'offline',
    'refuse:999',
  ])('with a fault (%s) on its way is sealed once', async (fault) => {
    const sale = clone('invoices', 'sale, refunded whole below');
    await api.seal('invoices', sale.id);
    const note = creditNote(sale);
    world.vsdc.faults([fault]);
    const reply = await refund(note);
    await until(
      async () => (await api.get(`/receipts/${reply.body.id}`)).body,
      (each) => each.state === 'signed',
    );
    expect(judged(note.number)).toHaveLength(1);
  });
});

describe('a refund whose answer is lost', () => {
  test.each(['drop_after_signing', 'garbage', 'empty_success'])(
    'after signing (%s) is never sent as another one',
    async (fault) => {
      const sale = clone('invoices', 'sale, refunded whole below');
      await api.seal('invoices', sale.id);
      const note = creditNote(sale);
      world.vsdc.faults([fault]);
      const reply = await refund(note);
      const lost = await until(
        async () => (await api.get(`/receipts/${reply.body.id}`)).body,
        (each) => each.problem?.code === 'signed_answer_lost',
      );
      expect(await refund(creditNote(sale))).toMatchObject({
        status: 422,
        body: { code: 'refund_second' },
      });
      const [held] = judged(note.number);
      const evidence = evidenceOf(held);
      expect((await admin.post(`/receipts/${lost.id}/evidence`, evidence)).body).toMatchObject({
        state: 'signed',
        label: 'NR',
      });
      expect(judged(note.number)).toHaveLength(1);
    },
  );
});

describe('a number that came back', () => {
  test('and was signed after all makes the earlier document doubtful; the next one takes the next number', async () => {
    const earlier = clone('invoices', 'simple sale');
    const next = clone('invoices', 'simple sale');
    world.vsdc.faults(['sign_then_refuse:910']);
    const refused = await api.seal('invoices', earlier.id);
    expect(refused.body.state).toBe('refused');
    const reply = await api.seal('invoices', next.id);
    const sealed = await until(
      async () => (await api.get(`/receipts/${reply.body.id}`)).body,
      (each) => each.state === 'signed',
    );
    const doubtful = (await api.get(`/receipts/${refused.body.id}`)).body;
    expect(doubtful).toMatchObject({ state: 'in_doubt', problem: { code: 'signed_answer_lost' } });
    expect(Number(sealed.invoice_number)).toBe(Number(doubtful.invoice_number) + 1);
    expect((await api.seal('invoices', earlier.id)).body.state).toBe('in_doubt');
    expect([judged(earlier.number).length, judged(next.number).length]).toEqual([1, 1]);
  });

  test('and was signed after all, of a document that another device has sealed since, stops its lane: a person says whose it is', async () => {
    const [business] = world.businesses;
    const [, huye] = world.zoho.organization(business.organizationId).locations;
    await admin.put('/mappings/location', {
      mappings: [{ key: huye?.location_id, value: { branch_id: business.branchIds[1] } }],
    });
    const earlier = clone('invoices', 'simple sale');
    world.vsdc.faults(['sign_then_refuse:910']);
    expect((await api.seal('invoices', earlier.id)).body.state).toBe('refused');
    world.zoho.change('invoices', earlier.id, { location_id: huye?.location_id });
    const moved = await admin.seal('invoices', earlier.id, { confirm: ['before_production'] });
    expect(moved.body).toMatchObject({ branch_code: '01', state: 'signed' });
    const next = clone('invoices', 'simple sale');
    const { body } = await api.seal('invoices', next.id);
    const met = await until(
      async () => (await api.get(`/receipts/${body.id}`)).body,
      (each) => each.state === 'in_doubt' || each.state === 'signed',
    );
    expect(met).toMatchObject({ state: 'in_doubt', problem: { code: 'number_collision' } });
    expect(
      (await admin.get('/alerts')).body.alerts.map(
        (each: { problem: { code: string } }) => each.problem.code,
      ),
    ).toContain('number_collision');
    const resumed = await admin.post(`/branches/${business.branchIds[0]}/resume`, {
      last_invoice_number: met.invoice_number,
      evidence: 'the log of the VSDC',
    });
    expect(resumed.status).toBe(200);
    const sealed = await until(
      async () => (await api.get(`/receipts/${body.id}`)).body,
      (each) => each.state === 'signed',
    );
    expect(BigInt(sealed.invoice_number)).toBeGreaterThan(BigInt(met.invoice_number));
    expect(judged(next.number)).toHaveLength(1);
  });
});

describe('items and branches', () => {
  test('an item is registered with each device before its first sale there, under one code, also when two lanes meet it at once', async () => {
    const [, huye] = world.zoho.organization(world.businesses[0].organizationId).locations;
    await admin.put('/mappings/location', {
      mappings: [
        { key: huye?.location_id, value: { branch_id: world.businesses[0].branchIds[1] } },
      ],
    });
    const fresh = (location: string | undefined) => {
      const source = structuredClone(world.zoho.document('invoices', named('simple sale').id));
      const lines = (source.line_items as Record<string, unknown>[]).map((line) => ({
        ...line,
        item_id: '460000000099999',
        name: 'A new thing',
      }));
      // Created after its location was mapped.
      const created_time = new Date(Date.now() + 60_000).toISOString().replace(/\.\d+Z$/, '+0000');
      return clone('invoices', 'simple sale', {
        line_items: lines,
        created_time,
        ...(location ? { location_id: location } : {}),
      });
    };
    const [a, b] = [fresh(undefined), fresh(huye?.location_id)];
    const replies = await Promise.all([api.seal('invoices', a.id), api.seal('invoices', b.id)]);
    for (const reply of replies)
      await until(
        async () => (await api.get(`/receipts/${reply.body.id}`)).body,
        (each) => each.state === 'signed',
      );
    expect(new Set(replies.map((each) => each.body.branch_code))).toEqual(new Set(['00', '01']));
    const items = await world.sql(
      `select i.item_code, count(g.content)::int as devices from item i left join item_registration g on g.business_id = i.business_id and g.item_id = i.id
        where i.source = 'item:460000000099999' group by 1`,
      [],
      world.businesses[0].businessId,
    );
    expect(items).toEqual([{ item_code: expect.any(String), devices: 2 }]);
  });

  test('a unit that is not in the authority’s list is found before anything is sent', async () => {
    expect(
      await admin.put('/mappings/item', {
        mappings: [
          {
            key: 'default',
            value: {
              item_class: '5020170600',
              item_type: '2',
              package_unit: 'NT',
              quantity_unit: 'XX',
              origin: 'RW',
            },
          },
        ],
      }),
    ).toMatchObject({
      status: 422,
      body: { code: 'code_unknown', field: 'mappings.0.value.quantity_unit' },
    });
  });

  test('the authority tells whose TIN it is', async () => {
    expect((await api.get('/taxpayers/101234567')).body).toEqual({
      tin_number: '101234567',
      name: 'KIVU LOGISTICS LTD',
    });
    expect((await api.get('/taxpayers/109999999')).body.name).toBeNull();
    expect(await api.get('/taxpayers/12')).toMatchObject({
      status: 422,
      body: { code: 'buyer_tin_malformed' },
    });
  });
});

describe('Zoho in trouble', () => {
  test.each([
    ['html', 502, 'books_unavailable'],
    ['error', 502, 'books_unavailable'],
    ['limit', 503, 'books_limit'],
    ['unauthorized', 502, 'books_forbidden'],
    ['wrong_document', 502, 'books_mismatch'],
  ])('%s is one problem, and nothing is written', async (fault, status, code) => {
    const document = clone('invoices', 'simple sale');
    // By its path: a document of an earlier test that waits for its next try may be read again just
    // now.
    world.zoho.faults([fault], undefined, document.id);
    expect(await api.seal('invoices', document.id)).toMatchObject({ status, body: { code } });
    expect(
      (await api.get(`/receipts?module=invoices&document_id=${document.id}`)).body.receipts,
    ).toEqual([]);
    expect((await api.seal('invoices', document.id)).body.state).toBe('signed');
  });
});

describe('the buyer’s mobile number', () => {
  const sealedMobile = async (document: { id: string; number: string }) => {
    expect((await api.seal('invoices', document.id)).body.state).toBe('signed');
    return (judged(document.number)[0]?.request.receipt as { custMblNo: string } | undefined)
      ?.custMblNo;
  };

  test('is that of the person on the document, whatever the contact’s is and whoever asked before', async () => {
    const contact = await sealedMobile(clone('invoices', 'simple sale'));
    expect(contact).toMatch(/^07\d{8}$/);
    const onPerson = clone('invoices', 'simple sale', {
      contact_persons_associated: [{ mobile: '', phone: 'n/a' }, { mobile: '(+250) 788 999 001' }],
    });
    expect(await sealedMobile(onPerson)).toBe('0788999001');
    expect(
      await sealedMobile(clone('invoices', 'simple sale')),
      'a person’s number is not taken for the contact’s',
    ).toBe(contact);
    const withoutNumber = clone('invoices', 'simple sale', {
      contact_persons_associated: [{ mobile: 'see office', phone: '' }],
    });
    expect(await sealedMobile(withoutNumber)).toBe(contact);
  });

  test.each([
    '(+250) 788 000 006',
    '0788.000.006',
    '0788\u00a0000\u00a0006',
    '0788‑000‑006',
    'Tel: 0788 000 006',
  ])('written %s on the document is sent and printed as its digits', async (mobile) =>
    expect(
      await sealedMobile(
        clone('invoices', 'simple sale', { contact_persons_details: [{ mobile }] }),
      ),
    ).toBe('0788000006'),
  );

  test('is asked for where too few digits stand there', async () => {
    const document = clone('invoices', 'buyer without TIN and mobile number', {
      contact_persons_associated: [{ mobile: '0788' }],
    });
    expect((await api.seal('invoices', document.id)).body.findings).toMatchObject([
      { code: 'buyer_mobile_missing' },
    ]);
    expect(
      (await api.seal('invoices', document.id, { buyer_mobile: 'ask her' })).body.findings,
    ).toMatchObject([{ code: 'buyer_mobile_malformed' }]);
    expect(
      (await api.seal('invoices', document.id, { buyer_mobile: '0788 000 006' })).body.state,
    ).toBe('signed');
  });
});

describe('a connection to Zoho that is lost', () => {
  test('once is asked again, twice is a problem that says so', async () => {
    const document = clone('invoices', 'simple sale');
    world.zoho.faults(['drop', 'drop'], undefined, document.id);
    expect(await api.seal('invoices', document.id)).toMatchObject({
      status: 502,
      body: { code: 'books_unavailable' },
    });
    world.zoho.faults(['drop'], undefined, document.id);
    expect((await api.seal('invoices', document.id)).body.state).toBe('signed');
  });
});

describe('a token that has expired', () => {
  test('is renewed once, and the document is sealed as if nothing had been', async () => {
    const document = clone('invoices', 'simple sale');
    world.zoho.faults(['expired_token']);
    expect((await api.seal('invoices', document.id)).body.state).toBe('signed');
  });
});

describe('sessions', () => {
  test('a wrong password and an unknown person are answered alike; after sign-out the token is dead', async () => {
    const anyone = new Api(world.app.url);
    const wrong = await anyone.post('/auth/login', {
      username: world.businesses[0].user.username,
      password: 'wrong',
    });
    const unknown = await anyone.post('/auth/login', {
      username: 'nobody@nowhere',
      password: 'wrong',
    });
    expect(wrong).toMatchObject({ status: 401, body: unknown.body });
    const someone = await Api.signIn(world, world.businesses[0].user);
    expect((await someone.get('/auth/me')).body).toMatchObject({
      person: { username: world.businesses[0].user.username },
      business: { role: 'business_user', tin_number: world.businesses[0].taxpayerId },
    });
    await someone.post('/auth/logout');
    expect((await someone.get('/auth/me')).status).toBe(401);
  });

  test('problems are told in the reader’s language', async () => {
    const reply = await api.get('/receipts/rcp_00000000000000000000000000000000', {
      'accept-language': 'fr-RW',
    });
    expect(reply.body).toMatchObject({
      code: 'not_found',
      title: "Il n'y a rien ici sous ce nom.",
    });
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    const arabic = await api.get('/receipts/rcp_00000000000000000000000000000000', {
      'accept-language': 'ar',
    });
    expect(arabic.body.title).toBe('لا يوجد شيء هنا بهذا الاسم.');
  });
});
