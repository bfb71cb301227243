import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { version } from '@muhuri/server/platform/version';
import { loadDialects } from '@muhuri/server/dialects/index';
import { verifyEvidence } from '@muhuri/server/receipts/evidence/verify-evidence';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, confirmShown, enrol, operatorOf, until } from '../api.ts';
import { type Rewrite, rewritingProxy } from '../rewriting-proxy.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startWorld, type World } from '../world.ts';

/*
 * What a device says is evidence and decides what becomes of a receipt, whatever it is dressed in. That it cannot be stored as text, or stands in
 * other clothes than the documents show, must never be the reason that the outcome of a send is lost, or that a signed sale is in doubt.
 * What is listed comes in row by row: one row that cannot be read or written is a finding of its own, and never the reason that its neighbours stay
 * away. What fails again and again stands somewhere, says why, tells somebody, and is over by itself.
 */

const dialects = await loadDialects();
/** What the operator is told. */
const told: { event: string; job?: string }[] = [];
const hook = createServer((request, response) => {
  let text = '';
  request.on('data', (part: Buffer) => {
    text += String(part);
  });
  request.on('end', () => {
    told.push(JSON.parse(text));
    response.end();
  });
});
let world: World;
let api: Api;
let device: Awaited<ReturnType<typeof rewritingProxy>>;
const business = () => world.businesses[0];

beforeAll(async () => {
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', () => resolve()));
  world = await startWorld({
    told: { config: { alertHookUrl: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/` } },
    instead: {
      intakeMs: 30,
      deadlinesMs: 300,
      vsdc: { answerTimeoutMs: 1_500, lateTimeoutMs: 6_000 },
      timing: {
        retryFirstMs: 100,
        retryMaxMs: 200,
        settleQuietMs: 150,
        settleMaxMs: 300,
        doubtWaitMs: 300,
        leaseMs: 8_000,
      },
      sweepMs: 200,
      waitMs: 5_000,
    },
  });
  device = await rewritingProxy(world.vsdc.url);
  await world.sql('update device set address = $1', [device.url], business().businessId);
  api = await Api.signIn(world, business().admin);
  await enrol(api, business().admin.password);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await device?.close();
  hook.close();
});
beforeEach(() => device.rewrite(null));

const envelope = (resultCd: unknown, resultMsg: string, data: unknown = null) =>
  Buffer.from(JSON.stringify({ resultCd, resultMsg, resultDt: '', data }));
const answer = (body: Buffer, type = 'application/json', status = 200) => ({ status, type, body });
/** Changes what is said of sales, once; later ones pass as they are. */
function once(how: Rewrite): void {
  let isDone = false;
  device.rewrite((said, path) => {
    if (isDone || !path.endsWith('/saveSales')) return said;
    isDone = true;
    return how(said, path);
  });
}
const saidIn = (said: { body: Buffer }) =>
  JSON.parse(said.body.toString()) as { resultCd: string; data: Record<string, unknown> };
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
const sends = async (receiptId: string) =>
  world.sql(
    'select outcome, device_text, response, response_raw from attempt where receipt_id = $1 order by started_at',
    [receiptId],
    business().businessId,
  );

describe('what a device says is written down whatever it is made of', () => {
  const oddWords = {
    'U+0000': 'no\u0000 such buyer',
    'half an emoji': 'no \ud83d such buyer',
    'controls and directions': '\u0007no\u202e\u009f\r\nbuyer\u000b',
  };

  test.each(Object.entries(oddWords))(
    'a refusal with %s in its sentence is a refusal',
    async (_name, words) => {
      const document = newInvoice();
      world.vsdc.faults(['refuse:884']);
      once(() => answer(envelope('884', words)));
      const reply = await api.seal('invoices', document.id);
      expect(reply.body).toMatchObject({
        state: 'refused',
        problem: { code: 'refused_buyer_tin', device_code: '884' },
      });
      const [send] = await sends(reply.body.id);
      expect(send).toMatchObject({ outcome: 'refused' });
      // As it came, so that nobody can say it was something else.
      expect(JSON.parse(String(send?.response)).resultMsg).toBe(words);
    },
  );

  test.each(Object.entries(oddWords))(
    'a signature with %s in its sentence and around its data is a signature',
    async (_name, words) => {
      const document = newInvoice();
      once((said) => {
        const { data } = saidIn(said);
        return answer(
          envelope('000', words, {
            ...data,
            mrcNo: `${String(data.mrcNo)}\u0000\u0000`,
            intrlData: `\t${String(data.intrlData)}\r\n`,
            extra: words,
          }),
        );
      });
      const reply = await api.seal('invoices', document.id);
      expect(reply.body).toMatchObject({
        state: 'signed',
        receipt_signature: judged(document.number)[0]?.reply.rcptSign,
      });
      expect(judged(document.number)).toHaveLength(1);
    },
  );

  test.each([
    [
      'bytes of no encoding with U+0000 among them',
      Buffer.from([0x00, 0xff, 0xfe, 0x7b, 0x00, 0xd8, 0x22, 0x80]),
    ],
    [
      'half a character at the end',
      Buffer.concat([Buffer.from('{"resultCd":"000","resultMsg":"'), Buffer.from([0xf0, 0x9f])]),
    ],
    ['more than is shown, cut within an emoji', Buffer.from(`x${'😀'.repeat(15_000)}`)],
  ])(
    'an answer of %s is a doubt at once, kept byte for byte, and the receipt is one',
    async (_name, bytes) => {
      const document = newInvoice();
      once(() => answer(bytes, 'application/json'));
      const reply = await api.seal('invoices', document.id);
      expect(reply.body).toMatchObject({ state: 'in_doubt', problem: { code: 'maybe_signed' } });
      const lost = await until(
        async () => (await api.get(`/receipts/${reply.body.id}`)).body,
        (each) => each.problem?.code === 'signed_answer_lost',
      );
      const [send] = await sends(lost.id);
      expect(send).toMatchObject({ outcome: 'in_doubt' });
      expect((send?.response_raw as Buffer | null) ?? Buffer.from(String(send?.response))).toEqual(
        bytes,
      );
      expect(judged(document.number)).toHaveLength(1);
      // Whoever looks at the doubt, and whoever takes its evidence away, gets it too.
      expect((await api.get(`/receipts/${lost.id}/doubt`)).body.sends[0].outcome).toBe('in_doubt');
      await world.app.settle();
      const file = (await api.get(`/receipts/${lost.id}/evidence-pack`)).body;
      const pack = JSON.parse(file.pack) as {
        sends: { response: string; response_base64?: string }[];
      };
      const [taken] = pack.sends;
      expect(
        taken?.response_base64
          ? Buffer.from(taken.response_base64, 'base64')
          : Buffer.from(taken?.response ?? ''),
      ).toEqual(bytes);
      const checks = verifyEvidence(file, { dialects, version });
      expect(
        checks.find((each) => each.what === 'every request and answer is whole'),
      ).toMatchObject({ holds: true });
    },
  );

  test.each([
    [65_535, false],
    [65_537, true],
    [200_000, true],
  ])(
    'an answer of %i bytes is kept as far as 64 KiB, and its evidence says whether there was more: %s',
    async (length, isCut) => {
      const document = newInvoice();
      const bytes = Buffer.alloc(length, 'long ');
      once(() => answer(bytes, 'text/plain'));
      const { id } = (await api.seal('invoices', document.id)).body as { id: string };
      await until(
        async () => (await api.get(`/receipts/${id}`)).body,
        (each) => each.problem?.code === 'signed_answer_lost',
      );
      await world.app.settle();
      const file = (await api.get(`/receipts/${id}/evidence-pack`)).body;
      const [taken] = (
        JSON.parse(file.pack) as { sends: { response_base64: string; response_cut?: true }[] }
      ).sends;
      expect(taken?.response_cut ?? false).toBe(isCut);
      const kept = Buffer.from(taken?.response_base64 ?? '', 'base64');
      expect(kept.equals(bytes.subarray(0, 65_537))).toBe(true);
      const checks = verifyEvidence(file, { dialects, version });
      expect(
        checks.find((each) => each.what === 'every request and answer is whole'),
      ).toMatchObject({ holds: true });
      expect(checks.some((each) => each.what.includes('only the beginning was kept'))).toBe(isCut);
    },
  );

  test('an answer in a sentence that cannot be stored, too late to be waited for, is the receipt', async () => {
    const document = newInvoice();
    world.vsdc.faults(['stall:2200']);
    once((said) => answer(envelope('000', 'late \u0000 \udc00', saidIn(said).data)));
    const reply = await api.seal('invoices', document.id);
    const settled = await until(
      async () => (await api.get(`/receipts/${reply.body.id}`)).body,
      (each) => each.state === 'signed',
    );
    expect(settled.receipt_signature).toBe(judged(document.number)[0]?.reply.rcptSign);
    expect(judged(document.number)).toHaveLength(1);
  });
});

describe('a success is a success in every dress', () => {
  const dressed: [
    string,
    (said: { resultCd: string; data: Record<string, unknown> }) => Buffer,
    type?: string,
  ][] = [
    ['its code as "0000"', ({ data }) => envelope('0000', 'ok', data)],
    ['its code as the number 0', ({ data }) => envelope(0, 'ok', data)],
    ['its code between blanks', ({ data }) => envelope(' 000\u00a0', 'ok', data)],
    [
      'its counters as text padded with zeros',
      ({ data }) =>
        envelope('000', 'ok', {
          ...data,
          rcptNo: `000${String(data.rcptNo)}`,
          totRcptNo: ` 00${String(data.totRcptNo)} `,
        }),
    ],
    [
      'its counters with a fraction of nothing',
      ({ data }) =>
        envelope('000', 'ok', {
          ...data,
          rcptNo: `${String(data.rcptNo)}.0`,
          totRcptNo: `${String(data.totRcptNo)}.00`,
        }),
    ],
    [
      'a byte order mark',
      ({ data }) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), envelope('000', 'ok', data)]),
    ],
    [
      'UTF-16 with its mark',
      ({ data }) => Buffer.from(`\ufeff${envelope('000', 'ok', data).toString()}`, 'utf16le'),
    ],
    [
      'UTF-16 without a mark',
      ({ data }) => Buffer.from(envelope('000', 'ok', data).toString(), 'utf16le'),
    ],
    [
      'the zeros of a C string behind it',
      ({ data }) => Buffer.concat([envelope('000', 'ok', data), Buffer.alloc(3)]),
    ],
    [
      'the type of a page',
      ({ data }) => envelope('000', 'ok', data),
      'text/html; charset=iso-8859-1',
    ],
    [
      'its time with marks between its digits',
      ({ data }) =>
        envelope('000', 'ok', {
          ...data,
          vsdcRcptPbctDate: String(data.vsdcRcptPbctDate).replace(
            /^(....)(..)(..)(..)(..)/,
            '$1-$2-$3 $4:$5:',
          ),
        }),
    ],
  ];
  test.each(dressed)('%s', async (_name, dress, type) => {
    const document = newInvoice();
    once((said) => answer(dress(saidIn(said)), type ?? 'application/json'));
    const reply = await api.seal('invoices', document.id);
    expect(reply.body).toMatchObject({
      state: 'signed',
      receipt_signature: judged(document.number)[0]?.reply.rcptSign,
    });
    expect(reply.body.receipt_number).toBe(String(judged(document.number)[0]?.reply.rcptNo));
  });
});

describe('documents as Zoho really sends them', () => {
  const sealed = async (what: string, answers: object = {}) => {
    const found = world.zoho
      .documents()
      .find((each) => each.organization_id === business().organizationId && each.what === what);
    const reply = await api.seal('invoices', found?.id ?? '', answers);
    expect(reply.body, what).toMatchObject({ state: 'signed' });
    const request = judged(found?.number ?? '')[0]?.request as {
      custTin: string;
      prcOrdCd: string;
      custNm: string;
      itemList: { itemNm: string }[];
    };
    return { reply, request, names: request.itemList.map((each) => each.itemNm) };
  };

  test('a TIN in a field of decimals goes out as its digits, a purchase code without its blanks', async () => {
    const { request } = await sealed('TIN in a field of decimals, purchase code with blanks');
    expect(request).toMatchObject({ custTin: '101234567', prcOrdCd: 'M4R7T1' });
  });

  test('half an emoji, controls and marks in names are blanks or signs of their own on the wire, and on paper', async () => {
    const half = await sealed('half an emoji in the buyer’s name', {
      confirm: ['buyer_name_damaged'],
    });
    expect([half.request.custNm, ...half.names]).toEqual([
      'Hotel \ufffd',
      'Ikawa y’u Rwanda, roasted, 1 kg',
      'Bread \ufffd',
    ]);
    const odd = await sealed('control characters and marks in names');
    expect(odd.names.slice(0, 3)).toEqual(['Bread whole', 'line one line two tab', 'Bread']);
    for (const text of [odd.request.custNm, ...odd.names])
      expect(text).not.toMatch(/[\p{Cc}\ud800-\udfff\u202a-\u202e\u2066-\u2069]/u);
    expect(odd.names.at(-1)).toMatch(/Amazi 500 ml$/);
    expect(await api.post(`/receipts/${odd.reply.body.id}/prints`, { paper: 'a4' })).toMatchObject({
      status: 200,
    });
  });
});

test('a body in another form is said to be that, and an id that is none with its field', async () => {
  const post = (body: string) =>
    api.call('POST', '/receipts', body, { 'content-type': 'application/json' });
  const multipart =
    '--x\r\nContent-Disposition: form-data; name="document_id"\r\n\r\n5\r\n--x--\r\n';
  for (const [body, said] of [
    ['[{"module":"invoices","document_id":"5"}]', 'a list'],
    ['null', 'not an object'],
    [multipart, 'multipart'],
    ['document_id=5&module=invoices', 'a form'],
  ] as const)
    expect(await post(body), body).toMatchObject({
      status: 400,
      body: { code: 'malformed', field: 'body', reason: expect.stringContaining(said) },
    });
  for (const id of ['"INV-7"', '5', 'null', '"5 or 6"', '["5"]']) {
    const { status, body } = await post(`{"module":"invoices","document_id":${id}}`);
    expect({ status, field: body.field, title: body.title }, id).toEqual({
      status: 400,
      field: 'document_id',
      title: expect.stringContaining('document_id'),
    });
  }
});

describe('a buyer’s name that did not come whole', () => {
  test('is asked about with what would stand there, by nobody but a person, and stands in the list with its reason', async () => {
    made += 1;
    const row = {
      ...simple(),
      invoice_id: `46000000013${String(made).padStart(8, '0')}`,
      invoice_number: `HALF-${made}`,
      customer_name: 'Hotel \ud83d',
    };
    world.zoho.add('invoices', business().organizationId, row);
    const { findings } = (
      await api.get(`/receipts/preflight?module=invoices&document_id=${row.invoice_id}`)
    ).body;
    expect(findings).toMatchObject([
      {
        code: 'buyer_name_damaged',
        field: 'customer_name',
        title: expect.stringContaining('Hotel \ufffd'),
      },
    ]);
    expect(await api.seal('invoices', row.invoice_id)).toMatchObject({
      status: 422,
      body: { code: 'buyer_name_damaged' },
    });
    expect(
      (await api.seal('invoices', row.invoice_id, { confirm: ['buyer_name_damaged'] })).body,
    ).toMatchObject({ state: 'signed' });
  });
});

test('a buyer’s name of which nothing can be seen is said beside the check and the receipt: it is sealed without a name', async () => {
  made += 1;
  const row = {
    ...simple(),
    invoice_id: `46000000013${String(made).padStart(8, '0')}`,
    invoice_number: `NONE-${made}`,
    customer_name: '\u200b\u3164',
  };
  world.zoho.add('invoices', business().organizationId, row);
  const said = [{ code: 'buyer_name_unseen', field: 'customer_name' }];
  expect(
    (await api.get(`/receipts/preflight?module=invoices&document_id=${row.invoice_id}`)).body,
  ).toMatchObject({ findings: [], remarks: said });
  expect((await api.seal('invoices', row.invoice_id)).body).toMatchObject({
    state: 'signed',
    remarks: said,
  });
  expect(judged(String(row.invoice_number))[0]?.request.custNm).toBeNull();
});

test('a document that names no location, in a business of several branches, is said to be that: one that is not mapped is another thing', async () => {
  made += 1;
  const [absent, unmapped] = [
    `46000000013${String(made).padStart(8, '0')}`,
    `46000000014${String(made).padStart(8, '0')}`,
  ];
  const row = { ...simple(), branch_id: '', invoice_number: `PLACE-${made}` };
  const {
    location_id: _location,
    location_name: _name,
    ...withoutLocation
  } = row as { [key: string]: unknown };
  world.zoho.add('invoices', business().organizationId, { ...withoutLocation, invoice_id: absent });
  world.zoho.add('invoices', business().organizationId, {
    ...row,
    invoice_id: unmapped,
    location_id: '777001',
  });
  const said = async (id: string) =>
    (await api.get(`/receipts/preflight?module=invoices&document_id=${id}`)).body.findings;
  expect(await said(absent)).toMatchObject([
    {
      code: 'location_unmapped',
      key: 'none',
      title:
        'This document names no location in Zoho Books, and no branch is chosen for such documents.',
      detail: expect.stringContaining('without a location'),
    },
  ]);
  expect(await said(unmapped)).toMatchObject([
    {
      code: 'location_unmapped',
      key: '777001',
      title: 'This Zoho location is not mapped to a branch.',
    },
  ]);
});

test('tax that the buyer withholds is no part of the price that is taken off: the receipt, and its refund, are of all of it', async () => {
  const add = (module: 'invoices' | 'creditnotes', number: string, more: object) => {
    made += 1;
    const id = `46000000013${String(made).padStart(8, '0')}`;
    const own = module === 'invoices' ? 'invoice' : 'creditnote';
    world.zoho.add(module, business().organizationId, {
      ...simple(),
      [`${own}_id`]: id,
      [`${own}_number`]: number,
      ...more,
    });
    return id;
  };
  const full = Number(simple().total);
  const left = {
    tds_amount: 50,
    tax_amount_withheld: 50,
    total: full - 50,
    bcy_total: full - 50,
    balance: full - 50,
  };
  const id = add('invoices', 'HELD-1', left);
  const said = [
    { code: 'tax_withheld_beside', withheld: '50', title: expect.stringContaining(String(full)) },
  ];
  expect(
    (await api.get(`/receipts/preflight?module=invoices&document_id=${id}`)).body,
  ).toMatchObject({ findings: [], remarks: said });
  expect((await api.seal('invoices', id)).body).toMatchObject({ state: 'signed', remarks: said });
  expect(judged('HELD-1')[0]?.request.totAmt).toBe(full);
  const note = add('creditnotes', 'HELD-2', { ...left, invoice_id: id, status: 'open', type: '' });
  expect((await api.seal('creditnotes', note, { reason_code: '01' })).body).toMatchObject({
    state: 'signed',
  });
  expect(judged('HELD-2')[0]?.request.totAmt).toBe(full);
  // Where neither makes the total, nobody is told that only the lines are wrong.
  const odd = add('invoices', 'HELD-3', { ...left, total: full - 40 });
  expect(await api.seal('invoices', odd)).toMatchObject({
    status: 422,
    body: { code: 'tax_withheld', title: expect.stringContaining('50') },
  });
});

describe('a document with the number of one that was sealed', () => {
  const add = (number: string, more: object = {}) => {
    made += 1;
    const id = `46000000013${String(made).padStart(8, '0')}`;
    world.zoho.add('invoices', business().organizationId, {
      ...simple(),
      invoice_id: id,
      invoice_number: number,
      ...more,
    });
    return id;
  };
  const findingsOf = async (id: string) =>
    (await api.get(`/receipts/preflight?module=invoices&document_id=${id}`)).body.findings;

  test.each([
    ['deleted', (id: string) => world.zoho.change('invoices', id, null)],
    ['void', (id: string) => world.zoho.change('invoices', id, { status: 'void' })],
  ])(
    'that is %s in the books by now is asked about, and sealed by nobody but a person who says so',
    async (what, ends) => {
      const first = add(`AGAIN-${what}`);
      const { body: sealed } = await api.seal('invoices', first);
      expect(sealed.state).toBe('signed');
      ends(first);
      const second = add(`AGAIN-${what}`);
      expect(await findingsOf(second)).toMatchObject([
        {
          code: 'number_sealed_before',
          document_number: `AGAIN-${what}`,
          receipt: expect.stringMatching(/^\d+\/\d+$/),
          title: expect.stringContaining(`AGAIN-${what}`),
        },
      ]);
      expect(await api.seal('invoices', second)).toMatchObject({
        status: 422,
        body: { code: 'number_sealed_before' },
      });
      expect(
        (await api.seal('invoices', second, { confirm: ['number_sealed_before'] })).body,
      ).toMatchObject({ state: 'signed' });
    },
  );

  test('that stands in the books as it did is sealed like any other: there are books that number twice', async () => {
    expect((await api.seal('invoices', add('TWICE-1'))).body).toMatchObject({ state: 'signed' });
    const second = add('TWICE-1');
    expect(await findingsOf(second)).toEqual([]);
    expect((await api.seal('invoices', second)).body).toMatchObject({ state: 'signed' });
  });

  test('that is not the last of several is asked about all the same, with its own receipt', async () => {
    const first = add('THRICE-1');
    const { body: sealed } = await api.seal('invoices', first);
    expect((await api.seal('invoices', add('THRICE-1'))).body).toMatchObject({ state: 'signed' });
    world.zoho.change('invoices', first, null);
    const third = add('THRICE-1');
    expect(await findingsOf(third)).toMatchObject([
      {
        code: 'number_sealed_before',
        receipt: `${sealed.receipt_number}/${sealed.total_receipt_number}`,
      },
    ]);
    expect(await api.seal('invoices', third)).toMatchObject({
      status: 422,
      body: { code: 'number_sealed_before' },
    });
    expect(
      (await api.seal('invoices', third, { confirm: ['number_sealed_before'] })).body,
    ).toMatchObject({ state: 'signed' });
  });

  test('that cannot be read in the books is asked about, and keeps no other document from being read', async () => {
    const first = add('UNREAD-1');
    expect((await api.seal('invoices', first)).body).toMatchObject({ state: 'signed' });
    const second = add('UNREAD-1');
    const draft = add('UNREAD-1', { status: 'draft' });
    // What ends by itself is waited for, and nobody is asked.
    world.zoho.faults(
      Array.from({ length: 20 }, () => 'error'),
      business().organizationId,
      `/invoices/${first}`,
    );
    expect((await api.seal('invoices', second)).body).toMatchObject({ code: 'books_unavailable' });
    world.zoho.faults([], business().organizationId);
    world.zoho.change('invoices', first, { total: 'much' });
    const [found] = await findingsOf(second);
    expect(found).toMatchObject({
      code: 'number_sealed_before',
      document_number: 'UNREAD-1',
      title: expect.not.stringContaining('deleted'),
    });
    expect(await api.seal('invoices', second)).toMatchObject({
      status: 422,
      body: { code: 'number_sealed_before' },
    });
    // What is no reason to seal it is no reason to ask about the others.
    expect(await findingsOf(draft)).toMatchObject([{ code: 'document_draft' }]);
    expect(
      (await api.seal('invoices', second, { confirm: ['number_sealed_before'] })).body,
    ).toMatchObject({ state: 'signed' });
    world.zoho.change('invoices', first, { total: simple().total });
  });

  test('that Zoho never gives is waited for while it may end, and asked about then', async () => {
    const { organizationId, businessId } = business();
    const first = add('NEVER-1');
    const { body: sealed } = await api.seal('invoices', first);
    const second = add('NEVER-1');
    const preflight = async (id: string) =>
      (await api.get(`/receipts/preflight?module=invoices&document_id=${id}`)).body;
    const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    const asIf = (since: number, last: number, tries: number) =>
      world.sql(
        'update receipt set not_given = $2 where document_id = $1',
        [first, JSON.stringify({ since: minutesAgo(since), last: minutesAgo(last), tries })],
        businessId,
      );
    const errors = Array.from({ length: 1_000 }, () => 'error');
    // Where nothing is given it says nothing of the one.
    world.zoho.faults(errors, organizationId);
    expect(await preflight(second)).toMatchObject({ code: 'books_unavailable' });
    expect(
      await world.sql('select not_given from receipt where document_id = $1', [first], businessId),
    ).toEqual([{ not_given: null }]);
    world.zoho.faults(errors, organizationId, `/invoices/${first}`);
    expect(await preflight(second)).toMatchObject({ code: 'books_unavailable' });
    for (const [since, last, tries] of [
      [20, 2, 1],
      [5, 2, 7],
      [4_000, 3_000, 9],
    ] as const) {
      await asIf(since, last, tries);
      expect(await preflight(second)).toMatchObject({ code: 'books_unavailable' });
    }
    await asIf(20, 2, 2);
    expect((await preflight(second)).findings).toMatchObject([
      {
        code: 'number_sealed_before',
        unread: true,
        not_given_id: first,
        receipt: `${sealed.receipt_number}/${sealed.total_receipt_number}`,
        title: expect.stringContaining(
          `answers with an error whenever it is asked for it (id ${first} there)`,
        ),
      },
    ]);
    expect(await api.seal('invoices', second)).toMatchObject({
      status: 422,
      body: { code: 'number_sealed_before' },
    });
    const { body } = await api.seal('invoices', second, { confirm: ['number_sealed_before'] });
    expect(body).toMatchObject({ state: 'signed' });
    const trail = await world.sql(
      "select after from audit where subject = $1 and action = 'receipt.opened'",
      [body.id],
      businessId,
    );
    expect(trail).toMatchObject([{ after: { confirmed: ['number_sealed_before'] } }]);
    // One that is known to be gone is asked about before it.
    world.zoho.change('invoices', second, { status: 'void' });
    const third = add('NEVER-1');
    const [found] = (await preflight(third)).findings;
    expect(found).toMatchObject({
      code: 'number_sealed_before',
      receipt: `${body.receipt_number}/${body.total_receipt_number}`,
    });
    expect(found).not.toHaveProperty('not_given_id');
    // Given once, it is waited for again as at first.
    world.zoho.change('invoices', second, { status: 'sent' });
    world.zoho.faults([], organizationId);
    expect((await preflight(third)).findings).toEqual([]);
    world.zoho.faults(errors, organizationId, `/invoices/${first}`);
    expect(await preflight(third)).toMatchObject({ code: 'books_unavailable' });
    world.zoho.faults([], organizationId);
  });

  test('is asked about where there are too many of them to look at each in the books', async () => {
    for (let i = 0; i < 11; i++)
      expect(
        (await api.seal('invoices', add('MANY-1'), { confirm: ['number_sealed_before'] })).body
          .state,
      ).toBe('signed');
    expect(await findingsOf(add('MANY-1'))).toMatchObject([
      { code: 'number_sealed_before', title: expect.not.stringContaining('deleted') },
    ]);
  });

  test('is not asked about where it is sealed itself, or is none to seal', async () => {
    const first = add('OTHER-1');
    const second = add('OTHER-1');
    for (const id of [first, second])
      expect((await api.seal('invoices', id)).body).toMatchObject({ state: 'signed' });
    world.zoho.change('invoices', first, null);
    expect(await findingsOf(second)).toEqual([]);
    expect(await findingsOf(add('OTHER-1', { status: 'void' }))).toMatchObject([
      { code: 'document_void' },
    ]);
  });

  test('at another branch is asked about all the same', async () => {
    const first = add('ELSE-1');
    expect((await api.seal('invoices', first)).body).toMatchObject({ state: 'signed' });
    world.zoho.change('invoices', first, null);
    const mappings = [{ key: '777000', value: { branch_id: business().branchIds[1] } }];
    expect((await api.put('/mappings/location', { mappings })).status).toBe(200);
    const found = await findingsOf(add('ELSE-1', { location_id: '777000' }));
    // That its place was mapped a moment ago is asked about as well.
    expect(found.map((each: { code: string }) => each.code).toSorted()).toEqual([
      'before_production',
      'number_sealed_before',
    ]);
  });
});

describe('a doubt whose kept answer holds a whole signature', () => {
  const lostWith = async (how: Rewrite) => {
    const document = newInvoice();
    once(how);
    const { body } = await api.seal('invoices', document.id);
    expect(body.state).toBe('in_doubt');
    const lost = await until(
      async () => (await api.get(`/receipts/${body.id}`)).body,
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    return { id: lost.id as string, held: judged(document.number)[0] };
  };

  test.each<[string, Rewrite]>([
    ['under another status', (said) => answer(said.body, 'application/json', 201)],
    [
      'under a code nobody wrote down',
      (said) => answer(envelope('SUCCESS', 'ok', saidIn(said).data)),
    ],
    ['without its envelope', (said) => answer(Buffer.from(JSON.stringify(saidIn(said).data)))],
    [
      'in a page of a proxy',
      (said) => answer(Buffer.from(`<html><pre>${said.body.toString()}</pre></html>`), 'text/html'),
    ],
  ])('%s: it is offered, and one press takes it', async (_name, how) => {
    const { id, held } = await lostWith(how);
    const { offered } = (await api.get(`/receipts/${id}/doubt`)).body;
    expect(offered).toMatchObject({
      receipt_signature: held?.reply.rcptSign,
      total_receipt_number: String(held?.reply.totRcptNo),
    });
    const settled = await api.post(`/receipts/${id}/evidence`, { found: 'kept' });
    expect(settled.body).toMatchObject({
      state: 'signed',
      receipt_signature: held?.reply.rcptSign,
      invoice_number: String(held?.request.invcNo),
    });
    const [entry] = (await api.get(`/trail?subject=${id}&action=receipt.signed`)).body.trail as {
      actor_type: string;
      after: { source: string };
    }[];
    expect(entry).toMatchObject({ actor_type: 'person', after: { source: 'person' } });
    expect((await api.get(`/receipts/${id}/doubt`)).body.offered).toBeNull();
  });

  test('needs the second person where typing it would', async () => {
    const { id, held } = await lostWith((said) => answer(said.body, 'application/json', 201));
    const [member] = (
      (await api.get('/people')).body.people as { id: string; username: string; version: number }[]
    ).filter((each) => each.username === business().user.username);
    const granted = await api.put(`/people/${member?.id}`, {
      role: 'business_user',
      permissions: ['settle'],
      version: member?.version,
    });
    expect(granted.status, JSON.stringify(granted.body)).toBe(200);
    const settler = await Api.signIn(world, business().user);
    expect((await settler.post(`/receipts/${id}/evidence`, { found: 'kept' })).body).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: true, receipt_signature: held?.reply.rcptSign } },
    });
    expect(await confirmShown(settler, id, 'evidence')).toMatchObject({ status: 403 });
    expect((await confirmShown(api, id, 'evidence')).body).toMatchObject({
      state: 'signed',
      receipt_signature: held?.reply.rcptSign,
    });
  });

  test('is offered nothing that cannot be its own: of another device, known already, half', async () => {
    const known = world.vsdc.receipts()[0]?.reply;
    for (const how of [
      (said: { body: Buffer }) => ({ ...saidIn(said).data, sdcId: 'SDC019999999' }),
      (said: { body: Buffer }) => ({
        ...saidIn(said).data,
        rcptSign: known?.rcptSign,
        totRcptNo: known?.totRcptNo,
      }),
      (said: { body: Buffer }) => ({ ...saidIn(said).data, intrlData: '' }),
    ]) {
      const { id } = await lostWith((said) => answer(envelope('SUCCESS', 'ok', how(said))));
      expect((await api.get(`/receipts/${id}/doubt`)).body.offered).toBeNull();
      expect(await api.post(`/receipts/${id}/evidence`, { found: 'kept' })).toMatchObject({
        status: expect.toSatisfy((status: number) => status === 409 || status === 422),
      });
    }
  });
});

describe('a list', () => {
  const now = (later = 0) =>
    `${new Date(Date.now() + 7_200_000 + later).toISOString().slice(0, 19)}+0200`;
  const add = (patch: Record<string, unknown>) => {
    made += 1;
    const row = {
      ...simple(),
      invoice_id: `46000000012${String(made).padStart(8, '0')}`,
      invoice_number: `ROW-${made}`,
      last_modified_time: now(),
      ...patch,
    };
    world.zoho.add('invoices', business().organizationId, row);
    return row as Record<string, unknown> & { invoice_id: string };
  };
  const kept = (ids: string[]) =>
    world.sql(
      'select document_id, number, customer_name, problem, due_at from document where document_id = any($1)',
      [ids],
      business().businessId,
    );
  const failing = async () =>
    (await api.get('/zoho/health')).body.failing as {
      job: string;
      failures: number;
      problem: { code: string };
    }[];
  const alerts = async () =>
    (await api.get('/alerts')).body.alerts as {
      subject: string;
      problem: { code: string; because: string };
    }[];

  const asAdmin = async (text: string) => {
    const client = new pg.Client({
      connectionString: world.postgres.urlFor(
        'admin',
        new URL(world.databaseUrls.owner).pathname.slice(1),
      ),
    });
    await client.connect();
    return (await client.query(text).finally(() => client.end())).rows as Record<string, unknown>[];
  };

  test('comes in whole but for the rows that cannot be taken, and each of those has its finding', async () => {
    const before = add({});
    const odd = {
      emoji: add({ customer_name: 'Hotel \ud83d' }),
      nul: add({ invoice_number: 'INV\u0000-7' }),
      lines: add({ customer_name: 'line one\r\nline two\ttab' }),
      noDay: add({ date: '2026-13-45' }),
      farTime: add({ last_modified_time: '+123456-01-01T00:00:00+0000' }),
      noTotal: add({ total: 'a lot' }),
    };
    const nameless = [add({ invoice_id: null }), add({ invoice_id: 'abc' })];
    // And one that is read well, and the database will not have.
    const refused = add({});
    await asAdmin(
      `alter table document add constraint odd check (number <> '${String(refused.invoice_number)}')`,
    );
    // Moved on while its pages were read, it stands on two of them.
    const twice = add({});
    world.zoho.add('invoices', business().organizationId, { ...twice });
    const after = add({});
    const asked = await api.post('/zoho/poll');
    expect(asked.status).toBe(200);
    const ids = [before, twice, after, ...Object.values(odd)].map((each) => each.invoice_id);
    const found = await until(
      () => kept(ids),
      (rows) =>
        rows.length === ids.length &&
        rows.every((row) => row.problem !== null || row.due_at === null),
    );
    const of = (row: { invoice_id: string }) =>
      found.find((each) => each.document_id === row.invoice_id);
    for (const good of [before, twice, after])
      expect(of(good)).toMatchObject({ number: good.invoice_number, problem: null });
    expect(of(odd.emoji)).toMatchObject({
      customer_name: 'Hotel \ufffd',
      problem: { code: 'buyer_name_damaged' },
    });
    expect(of(odd.nul)).toMatchObject({ number: 'INV -7' });
    expect(of(odd.lines)).toMatchObject({ customer_name: 'line one line two tab' });
    for (const bad of [odd.noDay, odd.noTotal])
      expect(of(bad)?.problem, String(bad.date)).toMatchObject({ code: 'document_unreadable' });
    expect((await kept([refused.invoice_id]))[0]).toMatchObject({
      number: refused.invoice_id,
      problem: expect.anything(),
    });
    await asAdmin('alter table document drop constraint odd');
    const shown = (await api.get('/documents?limit=200')).body.documents as {
      document_id: string;
      problem: { code: string } | null;
    }[];
    expect(shown.find((each) => each.document_id === odd.noDay.invoice_id)?.problem).toMatchObject({
      code: 'document_unreadable',
    });
    // What has no id cannot be a row: it is counted, seen, and no reason to keep anything else out.
    expect((await api.get('/zoho/health')).body.polled.invoices).toMatchObject({
      at: expect.any(String),
      problem: { code: 'listed_unreadable', count: 2 },
    });
    expect(await failing()).toMatchObject([
      { job: 'poll.invoices', failures: 1, problem: { code: 'listed_unreadable' } },
    ]);
    expect(asked.body.modules, 'and whoever asked for the look is told').toMatchObject([
      {
        module: 'invoices',
        outcome: 'looked',
        problem: { code: 'listed_unreadable', count: 2, title: expect.stringContaining('2') },
      },
      { module: 'creditnotes', outcome: 'looked', problem: null },
    ]);
    expect(asked.body.modules[0].changed).toBeGreaterThan(0);
    for (const row of nameless) row.invoice_id = `46000000013${String(++made).padStart(8, '0')}`;
    for (const row of Object.values(odd))
      Object.assign(row, {
        date: before.date,
        last_modified_time: now(1_000),
        total: before.total,
        customer_name: before.customer_name,
      });
    await api.post('/zoho/poll');
    expect(await failing()).toEqual([]);
    await until(
      () => kept(ids),
      (rows) => rows.every((row) => row.problem === null && row.due_at === null),
    );
  });

  test('comes in and is written back under a server that runs while a later version has given the tables columns that may not be null', async () => {
    const tables = ['document', 'delivery', 'write_back', 'zoho_call'];
    const writeBack = async (isOn: boolean) =>
      api.put('/businesses/me/config', {
        settings: { write_back: isOn },
        version: (await api.get('/businesses/me/config')).body.version,
      });
    expect((await writeBack(true)).status).toBe(200);
    const calls = async () =>
      Number(
        (await world.sql('select count(*)::int as n from zoho_call', [], business().businessId))[0]
          ?.n,
      );
    const hook = (await api.post('/webhooks', { module: 'invoices' })).body as {
      url: string;
      secret: string;
    };
    for (const table of tables)
      await asAdmin(`alter table ${table} add later boolean not null default false`);
    const before = await calls();
    const listed = add({});
    await api.post('/zoho/poll');
    await until(
      () => kept([listed.invoice_id]),
      (rows) => rows[0]?.due_at === null && rows[0].problem === null,
    );
    const body = JSON.stringify({
      invoice: { invoice_id: listed.invoice_id, last_modified_time: now(2_000) },
    });
    const headers = {
      'content-type': 'application/json',
      'x-zoho-webhook-signature': signatureOf(hook.url, body, hook.secret),
    };
    expect((await fetch(hook.url, { method: 'POST', headers, body })).status).toBe(200);
    expect((await api.get('/webhooks/deliveries')).body.deliveries).toMatchObject([
      { verdict: 'accepted', document_id: listed.invoice_id },
    ]);
    const sealed = (await api.seal('invoices', listed.invoice_id)).body;
    expect(sealed).toMatchObject({ state: 'signed' });
    await until(
      () =>
        world.sql(
          'select state from write_back where receipt_id = $1',
          [sealed.id],
          business().businessId,
        ),
      (rows) =>
        rows.length > 0 && rows.every((row) => !['waiting', 'begun'].includes(String(row.state))),
    );
    expect((await writeBack(false)).status).toBe(200);
    await until(calls, (n) => n > before);
    expect(await failing()).toEqual([]);
    for (const table of tables) await asAdmin(`alter table ${table} drop column later`);
  });

  test('that cannot be had stands in health with its reason, alerts after its third time, and is over by itself', async () => {
    for (let i = 1; i <= 3; i++) {
      // A document that is looked at just now would meet the error in place of the list.
      await until(
        () =>
          world.sql(
            "select document_id from document where due_at < now() + interval '1 minute'",
            [],
            business().businessId,
          ),
        (rows) => rows.length === 0,
      );
      world.zoho.faults(['error'], business().organizationId, '/invoices');
      const asked = await api.post('/zoho/poll');
      expect(asked, 'whoever asked for it hears what came of each kind of document').toMatchObject({
        status: 200,
        body: {
          modules: [
            {
              module: 'invoices',
              outcome: 'failed',
              changed: 0,
              problem: { code: 'books_unavailable', detail: expect.any(String) },
            },
            { module: 'creditnotes', outcome: 'looked', problem: null },
          ],
        },
      });
      expect(await failing()).toMatchObject([
        { job: 'poll.invoices', failures: i, problem: { code: 'books_unavailable' } },
      ]);
      const raised = (await alerts()).filter((each) => each.problem.code === 'poll_failing');
      expect(raised).toHaveLength(i < 3 ? 0 : 1);
    }
    await api.post('/zoho/poll');
    expect(await failing()).toEqual([]);
    expect((await alerts()).filter((each) => each.problem.code === 'poll_failing')).toEqual([]);
  });

  test('of documents goes on where Zoho fails to give what stands beside one: its contact, its payments, the use of its credit', async () => {
    const { organizationId, businessId } = business();
    const fails = (path: string) =>
      world.zoho.faults(
        Array.from({ length: 1_000 }, () => 'error'),
        organizationId,
        path,
      );
    const preflight = async (module: string, id: string) =>
      (await api.get(`/receipts/preflight?module=${module}&document_id=${id}`)).body;
    const broken = `${String(simple().customer_id).slice(0, -4)}7777`;
    const nobody = {
      customer_id: broken,
      contact_persons_associated: [],
      contact_persons_details: [],
    };
    const lookAgain = async (id: string) => {
      await world.sql(
        'update document set due_at = now() where document_id = $1',
        [id],
        businessId,
      );
      await api.post('/zoho/poll');
    };
    const isOf = (id: string) =>
      world
        .sql('select problem, tries from document where document_id = $1', [id], businessId)
        .then(([row]) => row);
    const raised = async (id: string) =>
      (await alerts()).filter((each) => each.subject === id).map((each) => each.problem.code);

    fails(`/contacts/${broken}`);
    const [held, other] = [
      add({ ...nobody, last_modified_time: now(3_000) }),
      add({ last_modified_time: now(3_000) }),
    ];
    const withTin = add({
      ...nobody,
      custom_field_hash: { cf_custtin: '101234567', cf_purchase_code: 'K7W2P9' },
      custom_fields: [],
    });
    await api.post('/zoho/poll');
    await until(
      () => kept([other.invoice_id]),
      (rows) => rows[0]?.due_at === null && rows[0].problem === null,
    );
    // It stands with its own reason, and is looked at again; after its third time somebody is told.
    for (let tries = 1; tries <= 3; tries++) {
      await until(
        () => isOf(held.invoice_id),
        (row) => row?.tries === tries,
      );
      expect((await isOf(held.invoice_id))?.problem).toMatchObject({
        code: 'document_part_unread',
        part: 'contact',
      });
      expect(await raised(held.invoice_id)).toEqual(tries < 3 ? [] : ['document_part_unread']);
      if (tries < 3) await lookAgain(held.invoice_id);
    }
    // Whoever has the number types it; whoever has a TIN needs none.
    const [found] = (await preflight('invoices', held.invoice_id)).findings;
    expect(found).toMatchObject({
      code: 'buyer_mobile_missing',
      unread: true,
      title: expect.stringContaining('answers with an error'),
    });
    expect(await api.seal('invoices', held.invoice_id)).toMatchObject({
      status: 422,
      body: { code: 'buyer_mobile_missing' },
    });
    expect(
      (await api.seal('invoices', held.invoice_id, { buyer_mobile: '0788000006' })).body,
    ).toMatchObject({ state: 'signed' });
    expect((await api.seal('invoices', withTin.invoice_id)).body).toMatchObject({
      state: 'signed',
    });
    await lookAgain(held.invoice_id);
    await until(
      () => raised(held.invoice_id),
      (codes) => codes.length === 0,
    );

    const paid = add({ payment_made: simple().total, balance: 0 });
    fails(`/invoices/${paid.invoice_id}/payments`);
    expect((await preflight('invoices', paid.invoice_id)).findings).toMatchObject([
      { code: 'payment_method_missing', unread: true },
    ]);
    expect(
      (await api.seal('invoices', paid.invoice_id, { payment_method: '01' })).body,
    ).toMatchObject({ state: 'signed' });

    made += 1;
    const note = `46000000012${String(made).padStart(8, '0')}`;
    const {
      invoice_id: _id,
      invoice_number: _number,
      type: _type,
      ...fields
    } = simple() as Record<string, unknown>;
    const numbered = {
      creditnote_id: note,
      creditnote_number: `ROW-${made}`,
      reference_number: paid.invoice_number,
      status: 'open',
    };
    world.zoho.add('creditnotes', organizationId, {
      ...fields,
      ...numbered,
      last_modified_time: now(),
    });
    fails(`/creditnotes/${note}/invoices`);
    // Its reference may be less than what it is used for says: nobody but a person takes it for the
    // sale.
    const seen = await preflight('creditnotes', note);
    expect(seen.findings).toContainEqual(
      expect.objectContaining({ code: 'refund_sale_missing', unread: true }),
    );
    const sale = seen.sales.find(
      (each: { document_number: string }) => each.document_number === paid.invoice_number,
    );
    expect(
      (
        await api.seal('creditnotes', note, {
          reason_code: '01',
          sale_receipt_id: sale?.receipt_id,
        })
      ).body,
    ).toMatchObject({ state: 'signed' });
    world.zoho.faults([], organizationId);
  });

  test('or anything else that runs by itself and fails for one business is that business’s to see, and nobody else’s to wait for', async () => {
    const other = await Api.signIn(world, world.businesses[1].admin);
    const mine = business().businessId;
    await asAdmin(
      `alter table usage_day add constraint odd check (business_id <> '${mine}') not valid`,
    );
    for (let i = 1; i <= 3; i++) {
      await api.get('/branches');
      await world.app.settle();
    }
    const [usage, ...others] = await failing();
    expect([usage, others]).toMatchObject([{ job: 'usage', problem: { code: 'internal' } }, []]);
    // It runs by itself too, and may have done so meanwhile.
    expect(Number(usage?.failures)).toBeGreaterThanOrEqual(3);
    expect(await alerts()).toContainEqual(
      expect.objectContaining({
        subject: 'usage',
        problem: expect.objectContaining({ code: 'job_failing' }),
      }),
    );
    expect((await other.get('/zoho/health')).body.failing).toEqual([]);
    await asAdmin('alter table usage_day drop constraint odd');
    await world.app.settle();
    expect(await failing()).toEqual([]);
    expect((await alerts()).filter((each) => each.problem.code === 'job_failing')).toEqual([]);
  });

  test('of what waits at a device goes on behind one that fails on our own side, which goes as well once it works', async () => {
    const branch = `/branches/${business().branchIds[0]}`;
    const mine = business().businessId;
    expect((await api.post(`${branch}/pause`)).status).toBe(200);
    const [odd, behind] = [add({}), add({})];
    await api.post('/zoho/poll');
    await until(
      () => kept([odd.invoice_id, behind.invoice_id]),
      (rows) => rows.length === 2 && rows.every((row) => row.due_at === null),
    );
    const [first, second] = [
      (await api.seal('invoices', odd.invoice_id)).body,
      (await api.seal('invoices', behind.invoice_id)).body,
    ];
    expect([first, second]).toMatchObject([{ state: 'queued' }, { state: 'queued' }]);
    await world.sql(
      'update document set organization_id = null where document_id = $1',
      [odd.invoice_id],
      mine,
    );
    await asAdmin(
      `alter table document add constraint odd check (document_id <> '${odd.invoice_id}' or organization_id is null)`,
    );
    await world.sql('update receipt set read_at = null where id = $1', [first.id], mine);
    expect((await api.post(`${branch}/resume`)).status).toBe(200);
    const stands = (id: string, state: string) =>
      until(
        async () => (await api.get(`/receipts/${id}`)).body,
        (each) => each.state === state,
      );
    await stands(second.id, 'signed');
    expect((await api.get(`/receipts/${first.id}`)).body).toMatchObject({
      state: 'queued',
      problem: { code: 'internal' },
    });
    await asAdmin('alter table document drop constraint odd');
    expect((await api.post(`${branch}/pause`)).status).toBe(200);
    expect((await api.post(`${branch}/resume`)).status).toBe(200);
    await stands(first.id, 'signed');
    await until(failing, (jobs) => jobs.length === 0);
  });

  test('of addresses is gone through to its end: one that refuses its mail keeps nobody else from theirs', async () => {
    await world.app.addPerson(business().businessId, {
      username: 'second@inzozi',
      name: 'Second',
      email: 'second@inzozi.example',
      password: 'inzozi-demo-only',
      role: 'business_admin',
    });
    world.mail.refuse(true, 'admin@inzozi.example');
    await world.sql(
      "insert into alert (business_id, id, code, subject, problem, opened_at) values ($1, 'alr_odd', 'late_signature', 'x', $2, now())",
      [
        business().businessId,
        JSON.stringify({ code: 'late_signature', document_number: 'ODD-MAIL' }),
      ],
      business().businessId,
    );
    const got = () =>
      world.mail
        .mails()
        .filter((each) => each.text.includes('ODD-MAIL'))
        .map((each) => each.to[0]);
    await until(got, (to) => to.includes('second@inzozi.example'));
    world.mail.refuse(false);
    expect(got()).toEqual(['second@inzozi.example']);
  });

  test('of the platform’s own work is the operator’s to see: told after its third time, and gone once it works', async () => {
    const operator = await operatorOf(world);
    const failures = async () =>
      (
        await asAdmin("select failures, reason from reference.failing_job where job = 'idle_lanes'")
      )[0] as { failures: number; reason: string } | undefined;
    await asAdmin('revoke select on reference.business_directory from muhuri_platform');
    const stood = await until(failures, (row) => (row?.failures ?? 0) >= 3).finally(() =>
      asAdmin('grant select on reference.business_directory to muhuri_platform'),
    );
    // The kind of what failed, and nothing of what it was about.
    expect(stood?.reason).toMatch(/^\w+ 42501$/);
    await until(
      () => told,
      (all) => all.some((each) => each.event === 'job_failing' && each.job === 'idle_lanes'),
    );
    await until(failures, (row) => row === undefined);
    const health = await fetch(`${world.app.url}/health`, {
      headers: { authorization: `Bearer ${operator.token}` },
    });
    expect(
      ((await health.json()) as { failing_jobs: unknown[] }).failing_jobs.filter(
        (each) => (each as { job: string }).job === 'idle_lanes',
      ),
    ).toEqual([]);
  });
});

test('what the column says of every receipt so far is what its facts say', async () => {
  expect(disagreeing(await statesAndFacts(world))).toEqual([]);
});

let made = 0;
function simple() {
  const found = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
    );
  return structuredClone(world.zoho.document('invoices', found?.id ?? ''));
}
function newInvoice(): { id: string; number: string } {
  made += 1;
  const [id, number] = [`46000000011${String(made).padStart(8, '0')}`, `ODD-${made}`];
  world.zoho.add('invoices', business().organizationId, {
    ...simple(),
    invoice_id: id,
    invoice_number: number,
  });
  return { id, number };
}
