import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@muhuri/server/platform/db/database';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, type Reply, until } from '../api.ts';
import { findReaders } from '../e2e/chromium.ts';
import { checkout, startWorld, type World } from '../world.ts';

let world: World;
let api: Api;
let admin: Api;
beforeAll(async () => {
  expect(findReaders(), 'programs that read a receipt back are missing').toEqual([]);
  world = await startWorld({ rehearsing: [1], instead: { waitMs: 8_000, sweepMs: 300 } });
  api = await Api.signIn(world, world.businesses[0].user);
  admin = await Api.signIn(world, world.businesses[0].admin);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const sizes = ['a4', 'a5', '80mm', '58mm'] as const;
const ours = () =>
  world.zoho
    .documents()
    .filter((each) => each.organization_id === world.businesses[0].organizationId);
let made = 0;
function clone(what: string, change: (raw: Record<string, any>) => object = () => ({})): string {
  made += 1;
  const id = `46000000009${String(made).padStart(8, '0')}`;
  const of = ours().find((each) => each.what.startsWith(what)) as ReturnType<typeof ours>[number];
  const raw = structuredClone(world.zoho.document('invoices', of.id)) as Record<string, any>;
  world.zoho.add('invoices', world.businesses[0].organizationId, {
    ...raw,
    invoice_id: id,
    invoice_number: `P-${made}`,
    ...change(raw),
  });
  return id;
}
const seal = async (id: string): Promise<Reply['body']> => {
  const { body } = await api.seal('invoices', id);
  expect(body.state, JSON.stringify(body)).toBe('signed');
  return body;
};
const sealed = (what = 'simple sale') => seal(clone(what));

const folder = mkdtempSync(join(tmpdir(), 'muhuri-paper-'));
// Not the blocking form: it would stop the server of this process too, long enough for its idle
// connections to be closed.
const run = (program: string, args: string[]) =>
  new Promise<{ status: number; stdout: string }>((resolve) =>
    execFile(
      program,
      args,
      { encoding: 'utf8', cwd: folder, maxBuffer: 64_000_000 },
      (error, stdout) => resolve({ status: error ? 1 : 0, stdout }),
    ),
  );
let files = 0;
const saved = (bytes: Buffer): string => {
  const name = `${++files}.pdf`;
  writeFileSync(join(folder, name), bytes);
  return name;
};
const textOf = async (bytes: Buffer) =>
  (await run('pdftotext', ['-layout', saved(bytes), '-'])).stdout;
const plainTextOf = async (bytes: Buffer) =>
  (await run('pdftotext', ['-raw', saved(bytes), '-'])).stdout;
const pdfOf = async (receiptId: string, paper: string, by = api) =>
  (await by.file(`/receipts/${receiptId}/pdf?paper=${paper}`)).bytes;
const isCopy = async (bytes: Buffer) => (await textOf(bytes)).includes('COPY');

type Ask = { paper: string; original?: boolean };
const ask = (receiptId: string, given: Ask) => api.post(`/receipts/${receiptId}/prints`, given);
const open = (url: string, init: RequestInit = {}) => fetch(new URL(url, world.app.url), init);
/** Asks and opens: a print as a program takes it. */
async function print(receiptId: string, given: Ask): Promise<Buffer> {
  const { body, status } = await ask(receiptId, given);
  expect(status, JSON.stringify(body)).toBe(200);
  return Buffer.from(await (await open(`${body.url}?as=pdf`)).arrayBuffer());
}
const receiptOf = async (id: string) => (await api.get(`/receipts/${id}`)).body;
const choose = async (original_paper: string | null) => {
  const branch = (await admin.get('/branches')).body.branches[0];
  const { status, body } = await admin.put(`/branches/${branch.id}`, {
    name: branch.name,
    address: branch.address,
    original_paper,
  });
  expect({ status, chosen: body.original_paper }).toEqual({ status: 200, chosen: original_paper });
};

const writesBack = async (write_back: boolean) => {
  const { version } = (await admin.get('/businesses/me/config')).body;
  expect(
    (await admin.put('/businesses/me/config', { settings: { write_back }, version })).status,
  ).toBe(200);
};

describe('every paper', () => {
  test.each(['simple sale', 'Arabic text', '60 lines'])(
    'of “%s” is sound, of its size, and its code is read back by another program',
    async (what) => {
      const receipt = await sealed(what);
      const widths = { a4: 595.28, a5: 419.53, '80mm': 226.77, '58mm': 164.41 };
      await Promise.all(
        (what === 'Arabic text' ? (['a4', '58mm'] as const) : sizes).map(async (paper) => {
          const file = await api.file(`/receipts/${receipt.id}/pdf?paper=${paper}`);
          expect(file).toMatchObject({ status: 200, type: 'application/pdf' });
          const name = saved(file.bytes);
          expect((await run('qpdf', ['--check', name])).status).toBe(0);
          const info = (await run('pdfinfo', ['-f', '1', '-l', '99', name])).stdout;
          for (const [, width] of info.matchAll(/Page +\d+ size: +([\d.]+) x/g))
            expect(Math.abs(Number(width) - widths[paper])).toBeLessThan(0.1);
          await run('pdftoppm', ['-r', '150', '-png', name, `${name}-page`]);
          const read: string[] = [];
          for (const page of readdirSync(folder).filter((each) => each.startsWith(`${name}-page`)))
            read.push((await run('zbarimg', ['--raw', '-q', page])).stdout.trim());
          expect(read.filter(Boolean)).toEqual([receipt.verification_url]);
        }),
      );
    },
  );

  test('says TEST where a sandbox device signed; nothing is printed of what is not signed', async () => {
    const rehearsal = await Api.signIn(world, world.businesses[1].user);
    const document = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === world.businesses[1].organizationId &&
          each.what.startsWith('simple sale'),
      );
    const [tried, real] = [
      (await rehearsal.seal('invoices', String(document?.id))).body,
      await sealed(),
    ];
    for (const paper of sizes) {
      expect(await plainTextOf(await pdfOf(tried.id, paper, rehearsal)), paper).toContain(
        'TEST: not a fiscal receipt',
      );
      expect(await plainTextOf(await pdfOf(real.id, paper)), paper).not.toContain('TEST');
    }
    world.vsdc.faults(['refuse:884']);
    const refused = (await api.seal('invoices', clone('simple sale'))).body;
    expect(await ask(refused.id, { paper: 'a4' })).toMatchObject({
      status: 409,
      body: { code: 'not_signed' },
    });
    expect((await api.file(`/receipts/${refused.id}/pdf?paper=a4`)).status).toBe(409);
    expect((await api.file(`/receipts/${refused.id}/qr.svg`)).status).toBe(409);
  });

  test('says the time that the device was told of the bytes it signed, not of a send before that it refused', async () => {
    const id = clone('simple sale');
    world.vsdc.faults(['refuse:884']);
    const refused = (await api.seal('invoices', id)).body;
    expect(refused.state).toBe('refused');
    // As if the device had refused it earlier in the day.
    await world.sql(
      `update attempt set started_at = started_at - interval '5 hours', request = regexp_replace(request, '"cfmDt":"[0-9]+"', '"cfmDt":"20200101000000"')
        where receipt_id = $1`,
      [refused.id],
      world.businesses[0].businessId,
    );
    const receipt = await seal(id);
    const [, hour = '', rest = ''] =
      /^\d{8}(\d\d)(\d{4})$/.exec(world.vsdc.receipts().at(-1)?.request.cfmDt as string) ?? [];
    const times = [
      ...(await plainTextOf(await pdfOf(receipt.id, 'a4'))).matchAll(/Time: ([\d:]+)/g),
    ].map(([, time]) => time?.replaceAll(':', ''));
    expect(times).toHaveLength(2);
    expect(times.at(-1)).toBe(`${hour}${rest}`);
    expect(receipt.id).toBe(refused.id);
  });

  test('of 420 lines with a discount each ends within what readers show and printers take, with every line on it', async () => {
    const id = clone('simple sale', (raw) => {
      const lines = Array.from({ length: 420 }, (_, i) => ({
        ...raw.line_items[0],
        line_item_id: String(7_000_000 + i),
        name: `Line ${i + 1}.`,
        quantity: 1,
        rate: 100,
        discount: 10,
        discount_amount: 10,
        item_total: 90,
        tax_percentage: 18,
        line_item_taxes: [{ ...raw.line_items[0].line_item_taxes[0], tax_amount: 16.2 }],
      }));
      const total = 420 * 106.2;
      return {
        line_items: lines,
        sub_total: 420 * 90,
        tax_total: 420 * 16.2,
        total,
        bcy_total: total,
        balance: total,
        shipping_charge: 0,
        discount_type: 'item_level',
      };
    });
    const receipt = await seal(id);
    for (const paper of ['80mm', '58mm']) {
      const bytes = await pdfOf(receipt.id, paper);
      const lengths = [
        ...(await run('pdfinfo', ['-f', '1', '-l', '99', saved(bytes)])).stdout.matchAll(
          /Page +\d+ size: +[\d.]+ x ([\d.]+)/g,
        ),
      ].map((each) => Number(each[1]));
      expect(lengths.length).toBeGreaterThan(1);
      for (const length of lengths) expect(length).toBeLessThan(9_286);
      const text = await textOf(bytes);
      for (let i = 1; i <= 420; i++) expect(text).toContain(`Line ${i}.`);
      expect(text.match(/discount -10%/g)).toHaveLength(420);
    }
  });
});

describe('price and quantity', () => {
  test('of a document in another currency: its total is shown with every decimal it has', async () => {
    const id = clone('foreign currency', (raw) => ({
      currency_code: 'KWD',
      price_precision: 3,
      total: Number((raw.total + 0.005).toFixed(3)),
      roundoff_value: 0.005,
    }));
    const { total } = world.zoho.document('invoices', id);
    const { body } = await admin.seal('invoices', id, {
      confirm: ['exchange_rate_unlikely'],
      confirmed_rate: '1447.25',
    });
    expect(body.state, JSON.stringify(body)).toBe('signed');
    expect(body.foreign.total).toBe(String(total));
    expect(await textOf(await print(body.id, { paper: '80mm' }))).toMatch(
      new RegExp(`KWD\\s+${String(total)}\\s`),
    );
  });

  const line = (raw: Record<string, any>, rate: number, quantity: number, item_total: number) => {
    const tax = Math.round(item_total * 18) / 100;
    const total = Math.round((item_total + tax) * 100) / 100;
    const one = {
      ...raw.line_items[0],
      rate,
      quantity,
      item_total,
      discount: 0,
      discount_amount: 0,
    };
    const line_items = [
      { ...one, line_item_taxes: [{ ...raw.line_items[0].line_item_taxes[0], tax_amount: tax }] },
    ];
    return {
      line_items,
      sub_total: item_total,
      tax_total: tax,
      total,
      bcy_total: total,
      balance: total,
      shipping_charge: 0,
      adjustment: 0,
      discount: 0,
    };
  };
  test.each([
    [
      'a tiny price times a huge quantity',
      [0.0055, 1_951_593, 10_733.76],
      '0.00649 x 1951593',
      '12,665.84',
    ],
    ['a quantity of three decimals', [520, 15.619, 8_121.88], '613.60 x 15.619', '9,583.82'],
    ['hours of six decimals', [45_000, 2.166667, 97_500.02], '53,100.00 x 2.166667', '115,050.02'],
    ['a quantity below a hundredth', [45_000, 0.005, 225], '53,100.00 x 0.005', '265.50'],
  ] as const)(
    'of %s stand on paper as in the books, tax inside, and make the amount beside them',
    async (_what, [rate, quantity, net], detail, amount) => {
      const receipt = await seal(clone('simple sale', (raw) => line(raw, rate, quantity, net)));
      const text = await plainTextOf(await pdfOf(receipt.id, '80mm'));
      expect(text).toContain(`${detail} ${amount} B`);
    },
  );
});

describe('text of every script', () => {
  const names = [
    '咖啡豆 100g (特价)',
    'ቡና አረቢካ',
    '한국어 커피',
    'コーヒー豆',
    'หมูแดง',
    'हिन्दी',
    'Кофе Ελληνικός',
    'קפה ירושלים',
    'قهوة',
    'ქართული',
    'Bread 🍞 → ★ ≤ 5',
  ];

  test('is readable on paper, every letter from a font that stands in the file as the part of it that is used', async () => {
    const id = clone('60 lines', (raw) => ({
      customer_name: '北京大饭店 מלון',
      line_items: raw.line_items.map((line: object, i: number) => ({
        ...line,
        name: names[i % names.length],
      })),
    }));
    const receipt = await seal(id);
    const bytes = await pdfOf(receipt.id, 'a4');
    const text = (await textOf(bytes)).normalize('NFC');
    for (const piece of [
      '咖啡豆',
      '特价',
      'ቡና',
      '한국어',
      '커피',
      'コーヒー豆',
      'Кофе',
      'Ελληνικός',
      'ქართული',
      '🍞',
      '→',
      '★',
      '≤ 5',
      '北京大饭店',
    ])
      expect(text).toContain(piece);
    // Words from the right are read back turned round by some readers: their letters count.
    for (const word of ['מלון', 'ירושלים', 'หมูแดง'])
      for (const letter of word) expect(text).toContain(letter);
    const fonts = (await run('pdffonts', [saved(bytes)])).stdout.trim().split('\n').slice(2);
    expect(fonts.length).toBeGreaterThan(10);
    for (const font of fonts) expect(font).toMatch(/^[A-Z]{6}\+.* yes +yes +yes /);
    expect(bytes.length, 'no font stands whole in the file').toBeLessThan(250_000);
  });

  test('that no font has is said before anything is sealed, with the letter named; control characters are blanks', async () => {
    const withName = (name: string) =>
      clone('simple sale', (raw) => ({
        line_items: raw.line_items.map((line: object, i: number) =>
          i === 0 ? { ...line, name } : line,
        ),
      }));
    const id = withName('Tablet \u{1202A} of clay');
    expect(
      (await api.get(`/receipts/preflight?module=invoices&document_id=${id}`)).body,
    ).toMatchObject({
      ready: false,
      findings: [
        {
          code: 'text_unprintable',
          field: 'line_items[0].name',
          title: expect.stringContaining('U+1202A'),
        },
      ],
    });
    expect(await api.seal('invoices', id)).toMatchObject({
      status: 422,
      body: { findings: [{ code: 'text_unprintable' }] },
    });
    // What is remembered of a letter holds beside letters that are new.
    const again = (
      await api.get(
        `/receipts/preflight?module=invoices&document_id=${withName('\u{1202A} and \u{12031}')}`,
      )
    ).body.findings;
    expect(again).toMatchObject([{ characters: expect.stringMatching(/U\+1202A.*U\+12031/) }]);
    // Of a long text what is shown ends between two characters.
    const [long] = (
      await api.get(
        `/receipts/preflight?module=invoices&document_id=${withName(`${'a'.repeat(99)}😀\u{1202A}`)}`,
      )
    ).body.findings;
    expect(long.text).toBe(`${'a'.repeat(99)}😀`);
    const { version } = (await admin.get('/businesses/me/config')).body;
    const named = await admin.put('/businesses/me/config', {
      branding: { trade_name: 'Clay \u{1202A}' },
      version,
    });
    expect(named).toMatchObject({
      status: 422,
      body: { code: 'text_unprintable', field: 'branding.trade_name' },
    });
    // So is everything else that a business has printed: what a branch's address and a charge's
    // name are made of.
    const [branch] = (await admin.get('/branches')).body.branches;
    const moved = await admin.put(`/branches/${branch.id}`, {
      name: branch.name,
      address: 'Clay \u{1202A} Ave',
      original_paper: branch.original_paper,
    });
    expect(moved).toMatchObject({
      status: 422,
      body: { code: 'text_unprintable', field: 'address' },
    });
    const [, charge] = (await admin.get('/mappings/charge')).body.mappings as {
      key: string;
      value: object;
    }[];
    const mapped = await admin.put('/mappings/charge', {
      mappings: [{ key: 'shipping', value: { ...charge?.value, name: 'Delivery \u{1202A}' } }],
    });
    expect(mapped).toMatchObject({
      status: 422,
      body: { code: 'text_unprintable', field: 'mappings.0.value.name' },
    });
    const odd = await seal(withName('Bread\u000bwhole\r\nline two\ttab\u200b\u00ad end'));
    expect(await textOf(await pdfOf(odd.id, '80mm'))).toContain('Bread whole line two tab end');
  });
});

describe('the original', () => {
  test('is what is opened first, later prints are counted copies; nothing is counted before it is opened', async () => {
    const receipt = await sealed();
    const [first, second] = [
      await ask(receipt.id, { paper: 'a4' }),
      await ask(receipt.id, { paper: '80mm' }),
    ];
    expect([first.body, second.body], 'as things stand, either would be').toMatchObject([
      { copy: false },
      { copy: false },
    ]);
    expect(await receiptOf(receipt.id)).toMatchObject({ prints: 0, original: null });
    const slip = Buffer.from(await (await open(`${second.body.url}?as=pdf`)).arrayBuffer());
    const sheet = Buffer.from(await (await open(`${first.body.url}?as=pdf`)).arrayBuffer());
    expect([await isCopy(slip), await isCopy(sheet)]).toEqual([false, true]);
    const text = await textOf(sheet);
    expect(text).toContain('THIS IS NOT AN OFFICIAL RECEIPT');
    expect(text).toMatch(/RECEIPT NUMBER: \d+\/\d+ CS/);
    expect((await pdfOf(receipt.id, '80mm')).equals(slip), 'the same print repeats its bytes').toBe(
      true,
    );
    expect((await pdfOf(receipt.id, 'a4')).equals(sheet)).toBe(true);
    expect(await receiptOf(receipt.id)).toMatchObject({
      prints: 2,
      original: { paper: '80mm', went_with: null },
    });
    expect(await ask(receipt.id, { paper: 'a5', original: true })).toMatchObject({
      status: 409,
      body: { code: 'original_printed' },
    });
    expect(await isCopy(await print(receipt.id, { paper: '58mm', original: false }))).toBe(true);
    const trail = (await admin.get(`/trail?subject=${receipt.id}`)).body.trail.filter(
      (each: { action: string }) => /printed|copied/.test(each.action),
    );
    expect(trail.map((each: { action: string }) => each.action).toSorted()).toEqual([
      'receipt.copied',
      'receipt.copied',
      'receipt.printed',
    ]);
    for (const each of trail) expect(each.actor_type, 'whoever asked').toBe('person');
  });

  test('is opened once: looking at its head, fetching it ahead and asking it something else use nothing up', async () => {
    const receipt = await sealed();
    const { url } = (await ask(receipt.id, { paper: 'a4' })).body;
    expect((await open(url, { method: 'HEAD' })).status).toBe(405);
    expect((await open(url, { headers: { 'sec-purpose': 'prefetch;prerender' } })).status).toBe(
      404,
    );
    expect((await open(`${url}?as=png`)).status).toBe(400);
    expect((await receiptOf(receipt.id)).prints).toBe(0);
    const answers = await Promise.all(Array.from({ length: 6 }, () => open(url)));
    expect(answers.map((each) => each.status).toSorted()).toEqual([200, 404, 404, 404, 404, 404]);
    expect((await open(url)).status).toBe(404);
    expect((await receiptOf(receipt.id)).prints).toBe(1);
  });

  test('is one, however many are asked for and opened at once', async () => {
    const receipt = await sealed();
    const links = await Promise.all(
      sizes.map((paper) => ask(receipt.id, { paper, original: true })),
    );
    const prints = await Promise.all(
      links.map(async ({ body }) =>
        Buffer.from(await (await open(`${body.url}?as=pdf`)).arrayBuffer()),
      ),
    );
    const copies = await Promise.all(prints.map(isCopy));
    expect(copies.filter((each) => !each)).toHaveLength(1);
    const rows = await world.sql(
      'select number from print where receipt_id = $1 order by number',
      [receipt.id],
      world.businesses[0].businessId,
    );
    expect(rows.map((row) => row.number)).toEqual([0, 1, 2, 3]);
  });

  test('is never made by reading a file nobody chose; where the branch has chosen, by that paper alone', async () => {
    const receipt = await sealed();
    for (const paper of sizes)
      expect(await isCopy(await pdfOf(receipt.id, paper)), paper).toBe(true);
    expect((await receiptOf(receipt.id)).original).toBeNull();
    expect(
      await isCopy(await print(receipt.id, { paper: 'a4', original: true })),
      'it is still there to be had',
    ).toBe(false);

    await choose('80mm');
    const another = await sealed();
    expect(another.original_paper).toBe('80mm');
    expect((await ask(another.id, { paper: 'a4' })).body.copy).toBe(true);
    expect(await isCopy(await print(another.id, { paper: 'a4' }))).toBe(true);
    expect(await isCopy(await pdfOf(another.id, 'a5'))).toBe(true);
    const key = await admin.post('/api-keys', { name: 'reader', scopes: ['read'] });
    expect(
      await isCopy(
        await pdfOf(another.id, '58mm', new Api(world.app.url, key.body.key ?? key.body.secret)),
      ),
    ).toBe(true);
    expect(await isCopy(await pdfOf(another.id, '80mm'))).toBe(false);
    expect(await receiptOf(another.id)).toMatchObject({ original: { paper: '80mm' }, prints: 4 });
    await choose(null);
  });

  test('printed for many at once goes to those that have none yet', async () => {
    const [fresh, done] = [await sealed(), await sealed()];
    await print(done.id, { paper: '80mm' });
    const together = async (more: object) => {
      const answer = await fetch(`${world.app.url}/api/v1/receipts/prints`, {
        method: 'POST',
        headers: { authorization: `Bearer ${api.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ receipt_ids: [fresh.id, done.id], ...more }),
      });
      return textOf(Buffer.from(await answer.arrayBuffer()));
    };
    expect((await together({})).match(/\d+\/\d+ CS/g), 'unasked, copies').toHaveLength(2);
    const text = await together({ original: true, paper: 'a5' });
    expect([text.match(/\d+\/\d+ NS/g)?.length, text.match(/\d+\/\d+ CS/g)?.length]).toEqual([
      1, 1,
    ]);
    expect(await receiptOf(fresh.id)).toMatchObject({ original: { paper: 'a5' }, prints: 2 });
  });

  test('goes with the file in Zoho, or with the mail, only where the branch has chosen that', async () => {
    await writesBack(true);
    const attachedTo = async (id: string, count = 1) => {
      const seen = await until(
        () => world.zoho.seenOn(id),
        (found) => found.attachments.length >= count,
      );
      return seen.attachments.map((each) => ({
        name: each.file_name,
        bytes: Buffer.from(each.base64, 'base64'),
        goesWithMail: each.can_send_in_mail,
      }));
    };
    const ids = [clone('simple sale'), clone('simple sale'), clone('simple sale')] as const;
    const plain = await seal(ids[0]);
    const [copy] = await attachedTo(ids[0]);
    expect(copy?.name).toMatch(/-COPY\.pdf$/);
    expect(await isCopy(copy?.bytes as Buffer)).toBe(true);
    expect(await isCopy(await print(plain.id, { paper: '80mm' })), 'the counter still has it').toBe(
      false,
    );

    await choose('zoho');
    await seal(ids[1]);
    const [original] = await attachedTo(ids[1]);
    expect(original?.name).not.toMatch(/COPY/);
    expect(await isCopy(original?.bytes as Buffer)).toBe(false);

    await choose('mail');
    const mailed = await seal(ids[2]);
    const [before] = await attachedTo(ids[2]);
    expect(await isCopy(before?.bytes as Buffer)).toBe(true);
    await api.post(`/receipts/${mailed.id}/mail`);
    const [, second] = await attachedTo(ids[2], 2);
    expect(await isCopy(second?.bytes as Buffer)).toBe(false);
    const { mails } = await until(
      () => world.zoho.seenOn(ids[2]),
      (found) => found.mails.length > 0,
    );
    expect(mails[0]?.attachments).toEqual([second?.name]);
    expect((await receiptOf(mailed.id)).original).toMatchObject({ went_with: 'mail' });
    await choose(null);
    await writesBack(false);
  });

  test('was counted before links were kept apart, and stays counted; a link given out then opens that print', async () => {
    const receipt = await sealed();
    const original = await print(receipt.id, { paper: 'a4' });
    await print(receipt.id, { paper: '58mm' });
    const directory = join(checkout, 'server/src/migrations');
    const only = readdirSync(directory).find((name) => name.startsWith('0016-')) as string;
    const { url } = (await ask(receipt.id, { paper: '80mm' })).body;
    await migrate(world.databaseUrls.owner, directory, { down: true, only });
    // As the server wrote it then: the link stands in the print that was recorded when it was given
    // out.
    const { businessId } = world.businesses[0];
    const hash = (await import('node:crypto'))
      .createHash('sha256')
      .update(String(url).split('.').at(-1) as string)
      .digest('hex');
    await world.sql(
      `update print set link_hash = $1, link_until = now() + interval '5 minutes' where receipt_id = $2 and number = 0`,
      [hash, receipt.id],
      businessId,
    );
    await migrate(world.databaseUrls.owner, directory, { only });
    const rows = await world.sql(
      'select number, paper from print where receipt_id = $1 order by number',
      [receipt.id],
      businessId,
    );
    expect(rows).toMatchObject([{ number: 0, paper: 'a4' }, { number: 1 }]);
    expect(Buffer.from(await (await open(url)).arrayBuffer()).equals(original)).toBe(true);
    expect((await open(url)).status).toBe(404);
    expect((await receiptOf(receipt.id)).prints).toBe(2);
  });
});

describe('the page behind a link', () => {
  test('prints itself on its paper, says what it is, and holds the file of the print by its name', async () => {
    const receipt = await sealed();
    const { url } = (await ask(receipt.id, { paper: '80mm' })).body;
    const answer = await open(url, { headers: { 'accept-language': 'fr' } });
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(answer.headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'sha256-/,
    );
    expect(
      answer.headers.get('cross-origin-opener-policy'),
      'opened out of a sandboxed frame',
    ).toBe('unsafe-none');
    const page = await answer.text();
    expect(page).toContain(`${receipt.document_number} receipt 80mm`);
    expect(page).toMatch(/@page p0\{size:226\.\d+pt \d+pt/);
    expect(page).toContain('Original · 80 mm');
    expect(page).toContain('TOTAL RWF');
    const file = Buffer.from(
      /data:application\/pdf;base64,([^"]+)/.exec(page)?.[1] ?? '',
      'base64',
    );
    expect(file.equals(await pdfOf(receipt.id, '80mm'))).toBe(true);
    const copy = await open(`${(await ask(receipt.id, { paper: 'a4' })).body.url}?as=pdf`);
    expect(copy.headers.get('content-disposition')).toBe(
      `inline; filename="${receipt.document_number} receipt A4 COPY 1.pdf"`,
    );
  });

  test('holds nothing that a name could break out of', async () => {
    const id = clone('simple sale', (raw) => ({
      customer_name: `</svg></script><script>alert(1)</script>"'&`,
      line_items: raw.line_items.map((line: object) => ({
        ...line,
        name: `"><img src=x onerror=alert(1)>`,
      })),
    }));
    const page = await (
      await open((await ask((await seal(id)).id, { paper: 'a4' })).body.url)
    ).text();
    expect(page.match(/<script/g)).toHaveLength(1);
    expect(page).not.toContain('<img');
  });
});
