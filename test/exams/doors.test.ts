import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import * as contract from '@muhuri/shared/contract/index';
import type { Endpoint } from '@muhuri/shared/contract/index';
import { byRole, type Permission } from '@muhuri/shared/permissions';
import { loadDialects } from '@muhuri/server/dialects/index';
import { AppError } from '@muhuri/server/platform/app-error';
import { storable } from '@muhuri/shared/text';
import { decodeText } from '@muhuri/server/platform/decode-text';
import { zohoAccounts } from '@muhuri/server/zoho/accounts';
import { zohoBooks } from '@muhuri/server/zoho/books';
import { booksPeople } from '@muhuri/server/zoho/books-people';
import { booksSetup } from '@muhuri/server/zoho/books-setup';
import { booksWriting } from '@muhuri/server/zoho/books-writing';
import type { ZohoAnswer, ZohoClient } from '@muhuri/server/zoho/client';
import { zohoHosts } from '@muhuri/server/zoho/data-centres';
import { parseJson } from '@muhuri/server/zoho/parse-json';
import { webhookReader } from '@muhuri/server/zoho/webhook-reader';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, enrol, operatorOf } from '../api.ts';
import { listen } from '../simulators/kit/server.ts';
import { startWorld, type World } from '../world.ts';
import { hostileBytes, hostileFrom, percent, textPlaces, unfit, withAt } from './hostile.ts';
import { samplesOf, type Schema } from './schema-doors.ts';
import { cases, examSeed, isWhole } from './size.ts';

/*
 * Every door through which text from outside comes in, and everything that should not come through one. The doors are found, never listed by hand:
 * the contract's endpoints with every text of their bodies, queries and paths; the readers of every dialect; every method of what speaks to Zoho;
 * every file that reads or parses. Whatever is given, nobody is answered with an error of ours, no neighbour is lost, and what is ours can be stored.
 */

const endpoints: [string, Endpoint][] = Object.values(contract).flatMap((feature) =>
  Object.entries(feature as Record<string, unknown>).filter(
    (entry): entry is [string, Endpoint] =>
      typeof entry[1] === 'object' &&
      entry[1] !== null &&
      'path' in entry[1] &&
      'guard' in entry[1],
  ),
);

/** `isDate`: a day or a moment stands there. */
type Door = {
  name: string;
  endpoint: Endpoint;
  isDate?: boolean;
  ask(text: string): { path: string; body?: string | Buffer; headers?: Record<string, string> };
};

let world: World;
const callers = {} as Record<'anyone' | 'admin' | 'operator', Api>;
let ids: Record<string, string>;
const unexpected: string[] = [];

beforeAll(async () => {
  const limits = {
    businessPerMinute: 1e9,
    personPerMinute: 1e9,
    addressPerMinute: 1e9,
    requestsPerDay: 1e9,
    changesPerMinute: 1e9,
    changesPerDay: 1e9,
    deliveriesPerMinute: 1e9,
    deliveriesPerDay: 1e9,
  };
  const log = {
    info() {},
    warn() {},
    error: (fields: object, message: string) =>
      void unexpected.push(`${message} ${JSON.stringify(fields).slice(0, 2_000)}`),
  };
  world = await startWorld({ instead: { limits, log } });
  const [first, second] = world.businesses;
  callers.anyone = new Api(world.app.url);
  callers.admin = await Api.signIn(world, first.admin);
  await enrol(callers.admin, first.admin.password);
  callers.operator = await operatorOf(world);
  const document = world.zoho
    .documents()
    .find((each) => each.organization_id === first.organizationId && each.canSeal);
  const sealed = await callers.admin.seal('invoices', document?.id ?? '');
  ids = {
    receipts: String(sealed.body.id),
    branches: first.branchIds[0] as string,
    businesses: second.businessId,
  };
});
afterAll(() => world?.[Symbol.asyncDispose]());

const never = (path: string) =>
  `${({ people: 'mem', invitations: 'inv', alerts: 'alr', webhooks: 'hok', subscribers: 'sub', notices: 'ntc' })[path] ?? 'key'}_${'0'.repeat(32)}`;

/** The parts of an address in braces, each with what stands there usually. */
const usual = (endpoint: Endpoint, name: string): string => {
  const [, start = ''] = endpoint.path.split('/');
  if (name === 'kind') return 'tax';
  if (name === 'tin') return '101234567';
  if (name === 'key' || name === 'link')
    return `${world.businesses[0].businessId}.${'A'.repeat(32)}`;
  return ids[start] ?? never(start);
};
const pathOf = (endpoint: Endpoint, put: Record<string, string> = {}) =>
  endpoint.path.replace(/\{(\w+)\}/g, (_, name: string) => put[name] ?? usual(endpoint, name));
const query = (value: unknown) =>
  Object.entries((value ?? {}) as Record<string, unknown>)
    .filter(([, each]) => each !== undefined)
    .map(([key, each]) => `${percent(key)}=${percent(String(each))}`)
    .join('&');

/** Addresses are cut by the HTTP parser; what is longer is refused by it and never comes here. */
const short = (text: string) => Array.from(text).slice(0, 1_500).join('');

const at = (value: unknown, place: (string | number)[]): unknown =>
  place.reduce((inner, part) => (inner as Record<string, unknown>)?.[part], value);
const isDate = (value: unknown) => /^\d{4}-\d\d-\d\d/.test(String(value));

function doorsOf(name: string, endpoint: Endpoint): Door[] {
  const bodies = endpoint.input ? samplesOf(endpoint.input as unknown as Schema) : [];
  const queries = endpoint.query ? samplesOf(endpoint.query as unknown as Schema) : [];
  const body = (value: unknown) => ({
    body: JSON.stringify(value),
    headers: { 'content-type': 'application/json' },
  });
  const plain = bodies[0] ? body(bodies[0].value) : {};
  const address = (put?: Record<string, string>) => pathOf(endpoint, put);
  const withQuery = (path: string, value: unknown) =>
    query(value) ? `${path}?${query(value)}` : path;
  return [
    ...bodies.flatMap(({ value, places }) =>
      places.map((place) => ({
        name: `${name} body ${place.join('.')}`,
        endpoint,
        isDate: isDate(at(value, place)),
        ask: (text: string) => ({
          path: withQuery(address(), queries[0]?.value),
          ...body(withAt(value, place, text)),
        }),
      })),
    ),
    ...queries.flatMap(({ value, places }) =>
      places.map((place) => ({
        name: `${name} query ${place.join('.')}`,
        endpoint,
        isDate: isDate(at(value, place)),
        ask: (text: string) => ({
          path: withQuery(address(), withAt(value, place, short(text))),
          ...plain,
        }),
      })),
    ),
    ...[...endpoint.path.matchAll(/\{(\w+)\}/g)].map(([, part = '']) => ({
      name: `${name} path ${part}`,
      endpoint,
      ask: (text: string) => ({
        path: withQuery(address({ [part]: percent(short(text)) || '%20' }), queries[0]?.value),
        ...plain,
      }),
    })),
    ...(endpoint.raw
      ? [
          {
            name: `${name} bytes`,
            endpoint,
            ask: (text: string) => ({ path: withQuery(address(), queries[0]?.value), body: text }),
          },
        ]
      : []),
  ];
}

const callerOf = ({ guard }: Endpoint): Api =>
  guard === 'anyone'
    ? callers.anyone
    : guard === 'signed_in' || byRole.business_admin.includes(guard as Permission)
      ? callers.admin
      : callers.operator;

async function tried(door: Door, text: string): Promise<void> {
  const { path, body, headers } = door.ask(text);
  const { token, url } = callerOf(door.endpoint);
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: door.endpoint.method,
    headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
    ...(body === undefined || door.endpoint.method === 'GET'
      ? {}
      : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  });
  const said = await answer.text();
  if (answer.status === 500 || said.includes('"code":"internal"'))
    throw new Error(
      `${door.name} answers ${answer.status} to ${JSON.stringify(text.slice(0, 60))}: ${said}`,
    );
  // Whoever is to read what came in must be able to.
  const isText = /json|text/.test(answer.headers.get('content-type') ?? '');
  if (isText && (!said.isWellFormed() || said.includes('\u0000')))
    throw new Error(`${door.name} answers with what is no text`);
}

describe('the doors of the contract', () => {
  test('take every hostile text in every place of every body, query and path, and nobody is answered with an error of ours', async () => {
    const doors = endpoints.flatMap(([name, endpoint]) => doorsOf(name, endpoint));
    expect(doors.length).toBeGreaterThan(250);
    const each = hostileFrom(examSeed, 90);
    const all = doors.flatMap((door) => each.map(({ text }) => ({ door, text })));
    const count = cases(`doors: ${doors.length} places of ${endpoints.length} endpoints`, {
      slice: 220,
      whole: all.length,
    });
    // In the slice every place has its turn over the seeds, and every kind of text.
    const chosen =
      count === all.length
        ? all
        : Array.from({ length: count }, (_, i) => ({
            door: doors[(i * 37 + examSeed) % doors.length] as Door,
            text: (each[i % each.length] as { text: string }).text,
          }));
    const failed = new Map<string, string>();
    for (let i = 0; i < chosen.length; i += 8)
      await Promise.all(
        chosen
          .slice(i, i + 8)
          .map(({ door, text }) =>
            tried(door, text).catch((error: Error) => void failed.set(door.name, error.message)),
          ),
      );
    expect([...failed.values()]).toEqual([]);
    expect(unexpected).toEqual([]);
  });

  test('take days and moments of no usual calendar, in every place where one stands', async () => {
    const doors = endpoints
      .flatMap(([name, endpoint]) => doorsOf(name, endpoint))
      .filter((door) => door.isDate);
    expect(doors.length).toBeGreaterThan(8);
    const odd = [
      '0000-01-01',
      '0001-01-01',
      '9999-12-31',
      '0000-01-01T00:00:00Z',
      '0001-01-01T00:00:00+14:00',
      '9999-12-31T23:59:59.999999999-14:00',
    ];
    const failed: string[] = [];
    for (const door of doors)
      await Promise.all(
        odd.map((text) =>
          tried(door, text).catch(
            (error: Error) => void failed.push(`${door.name} ${text}: ${error.message}`),
          ),
        ),
      );
    expect(failed).toEqual([]);
    expect(unexpected).toEqual([]);
  });

  test('take a place in a list that nobody was given, of no usual calendar or of none at all', async () => {
    const lists = endpoints.filter(
      ([, { query: asks }]) => asks && 'cursor' in (asks as unknown as { shape: object }).shape,
    );
    expect(lists.length).toBeGreaterThan(8);
    const [id, key] = [`rcp_${'0'.repeat(32)}`, 'invoices/'];
    const moments = [
      '+275760-09-13T00:00:00.000Z',
      '-271821-04-20T00:00:00.000Z',
      '-000001-01-01T00:00:00.000Z',
      '0000-01-01T00:00:00.000Z',
    ];
    const odd = [
      ...[...moments, '9999-12-31T23:59:59.999Z', 8.64e15, null, {}].map((at) => [at, id]),
      ...['0000-00-00', '0000-01-01', '2026-02-31', '9999-99-99', '9999-12-31'].map((at) => [
        at,
        '1'.repeat(25),
        key,
      ]),
      null,
      [],
      { length: 2 },
      ['2026-11-20T10:00:00.000Z', `${id}\u0000`],
      ['2026-11-20', '1', key, 'more'],
    ];
    const failed: string[] = [];
    for (const [name, endpoint] of lists) {
      const ask = (text: string) => ({
        path: `${pathOf(endpoint)}?cursor=${Buffer.from(text).toString('base64url')}`,
      });
      for (const each of odd)
        await tried({ name, endpoint, ask }, JSON.stringify(each)).catch(
          (error: Error) => void failed.push(`${name} ${JSON.stringify(each)}: ${error.message}`),
        );
    }
    expect(failed).toEqual([]);
    expect(unexpected).toEqual([]);
  });

  test('take an address longer than any of ours as one where nothing is, with a key to repeat it by or without', async () => {
    const changing = endpoints.filter(
      ([, { method, path, guard, raw }]) =>
        method !== 'GET' && path.includes('{') && guard !== 'anyone' && !raw,
    );
    expect(changing.length).toBeGreaterThan(20);
    // What repeats itself is stored smaller than it is; this does not.
    const unlike = (length: number) =>
      Array.from({ length: Math.ceil(length / 128) }, (_, i) =>
        createHash('sha512').update(`${examSeed} ${i}`).digest('hex'),
      )
        .join('')
        .slice(0, length);
    const failed: string[] = [];
    for (const [name, endpoint] of changing)
      for (const length of [490, 1_000, 4_000]) {
        const place = unlike(length);
        const [sample] = endpoint.input ? samplesOf(endpoint.input as unknown as Schema) : [];
        const headers = {
          'content-type': 'application/json',
          'idempotency-key': `\u00ff${place}`.slice(0, 200),
        };
        const ask = () => ({
          path: endpoint.path.replace(/\{(\w+)\}/g, place),
          body: JSON.stringify(sample?.value ?? {}),
          headers,
        });
        await tried({ name, endpoint, ask }, place).catch(
          (error: Error) => void failed.push(`${name} ${length}: ${error.message}`),
        );
      }
    expect(failed).toEqual([]);
    expect(unexpected).toEqual([]);
  });

  test('take bytes that are no UTF-8 in a body, and odd headers', async () => {
    const bodies = endpoints.filter(([, each]) => each.input);
    for (const [i, [name, endpoint]] of bodies.entries()) {
      if (i % 9 !== 0) continue;
      const [sample] = samplesOf(endpoint.input as unknown as Schema);
      const place = sample?.places[i % (sample.places.length || 1)] ?? [];
      const [before = '', after = ''] = JSON.stringify(withAt(sample?.value, place, 'PLACE')).split(
        'PLACE',
      );
      const [kind, bytes] = hostileBytes[i % hostileBytes.length] as [string, Buffer];
      const ask = () => ({
        path: pathOf(endpoint),
        body: Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]),
        headers: { 'content-type': 'application/json' },
      });
      await tried({ name: `${name} ${kind}`, endpoint, ask }, kind);
    }
    for (const odd of ['caf\u00e9', '\u0085\u009f', 'a\tb', 'x'.repeat(3_000), '"', '%00', '../'])
      for (const header of [
        'idempotency-key',
        'x-organization-id',
        'accept-language',
        'user-agent',
        'x-forwarded-for',
      ]) {
        const ask = () => ({
          path: '/mappings/tax',
          body: '{"mappings":[]}',
          headers: { 'content-type': 'application/json', [header]: odd },
        });
        await tried({ name: header, endpoint: contract.mappings.putMappings, ask }, odd);
      }
    expect(unexpected).toEqual([]);
  });

  test('refuse U+0000 with the field it stands in, in body, query and path', async () => {
    const { admin, anyone } = callers;
    expect(await anyone.post('/auth/login', { username: 'a\u0000', password: 'b' })).toMatchObject({
      status: 400,
      body: { code: 'malformed', field: 'username' },
    });
    expect(
      await admin.put('/mappings/tax', { mappings: [{ key: 'x', value: { 'a\u0000': 1 } }] }),
    ).toMatchObject({
      status: 400,
      body: { code: 'malformed', field: expect.stringContaining('mappings.0.value') },
    });
    expect(await admin.get('/documents?search=a%00b')).toMatchObject({
      status: 400,
      body: { code: 'malformed', field: 'search' },
    });
    expect(await admin.get('/receipts/%00')).toMatchObject({
      status: 400,
      body: { code: 'malformed', field: 'id' },
    });
  });

  test('name a field that is wrong, and say no more of it however long a name it was given', async () => {
    const { admin, anyone } = callers;
    const long = 'k'.repeat(3_000);
    const deep = (levels: number, inner: unknown): unknown =>
      levels === 0 ? inner : { [long]: deep(levels - 1, inner) };
    const replies = [
      await anyone.post('/auth/login', { username: 'a', password: 'b', [long]: 1 }),
      await anyone.post('/auth/login', {
        username: 'a',
        password: 'b',
        ...Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`unknown${i}`, 1])),
      }),
      await admin.put('/mappings/tax', { mappings: [{ key: 'x', value: deep(50, '\u0000') }] }),
      await admin.put('/mappings/tax', { mappings: [{ key: 'x', value: deep(50, '\u0001') }] }),
      await admin.get(`/documents?${long}=1`),
    ];
    for (const { status, body } of replies) {
      expect([status, body.code]).toEqual([400, 'malformed']);
      expect(JSON.stringify(body).length).toBeLessThan(2_000);
    }
  });

  test('and what came in by them keeps no list from being read', async () => {
    for (const [name, endpoint] of endpoints.filter(
      ([, each]) => each.method === 'GET' && !each.path.includes('{') && each.guard !== 'anyone',
    )) {
      const [sample] = endpoint.query ? samplesOf(endpoint.query as unknown as Schema) : [];
      const wanted = Object.fromEntries(
        Object.entries((sample?.value ?? {}) as object).filter(([key]) =>
          ['month', 'module', 'document_id', 'kind', 'paper'].includes(key),
        ),
      );
      const answer = await callerOf(endpoint).get(
        query(wanted) ? `${endpoint.path}?${query(wanted)}` : endpoint.path,
      );
      expect(answer.status, `${name} ${JSON.stringify(answer.body).slice(0, 200)}`).toBeLessThan(
        500,
      );
    }
  });
});

const dialects = await loadDialects();
/**
 * What a device of each dialect answers usually, by the reader it is for; a reader without its
 * answer there fails the exam.
 */
type Usual = { data: unknown; rows?: (read: unknown) => number };
const said: Record<string, Record<string, Usual>> = Object.fromEntries(
  await Promise.all(
    dialects.all().map(async ({ identity: { key } }) => {
      const path = new URL(`../authorities/${key}/usual-answers.ts`, import.meta.url);
      const { usualAnswers } = (await import(path.href)) as { usualAnswers: Record<string, Usual> };
      return [key, usualAnswers] as const;
    }),
  ),
);

type Reader = (answer: { status: number; body: string }) => unknown;

/** What reads an answer, wherever in a capability it stands: under the names that lead to it. */
function readersIn(part: object, path: string[] = []): [name: string, read: Reader][] {
  const { read, judge } = part as { read?: (...args: unknown[]) => unknown; judge?: Reader };
  const own: Reader | undefined = read ? (answer) => read(answer, false) : judge;
  return [
    ...(own ? [[path.join('.'), own] as [string, Reader]] : []),
    ...Object.entries(part).flatMap(([name, within]) =>
      typeof within === 'object' && within !== null && !Array.isArray(within)
        ? readersIn(within, [...path, name])
        : [],
    ),
  ];
}

describe('the readers of every dialect', () => {
  const readers = dialects
    .all()
    .flatMap((dialect) =>
      readersIn(dialect).map(([name, read]): [string, string, Reader] => [
        dialect.identity.key,
        name,
        read,
      ]),
    );

  test('have a usual answer here', () => {
    expect(readers.length).toBeGreaterThan(5);
    expect(
      readers.filter(([key, name]) => !said[key]?.[name]).map(([key, name]) => `${key} ${name}`),
    ).toEqual([]);
  });

  test('take every hostile text in every place of an answer, and make something of it that can be kept', () => {
    let count = 0;
    for (const [key, name, read] of readers) {
      const usually = said[key]?.[name] as (typeof said)[string][string];
      const answer = {
        resultCd: '000',
        resultMsg: 'It is succeeded',
        resultDt: '20260115101532',
        data: usually.data,
      };
      for (const place of textPlaces(answer)) {
        for (const { text } of [...hostileFrom(examSeed, isWhole ? 100 : 30), { text: '' }]) {
          count += 1;
          const body = decodeText(Buffer.from(JSON.stringify(withAt(answer, place, text))));
          const is = read({ status: 200, body });
          expect(
            unfit(is),
            `${key} ${name} ${place.join('.')} ${JSON.stringify(text.slice(0, 40))}`,
          ).toBeNull();
        }
        for (const odd of [null, 5, true, [], {}, [[]]])
          expect(
            unfit(read({ status: 200, body: JSON.stringify(withAt(answer, place, odd)) })),
          ).toBeNull();
      }
      for (const [, bytes] of hostileBytes)
        expect(unfit(read({ status: 200, body: decodeText(bytes) }))).toBeNull();
      for (const encoding of ['utf8', 'utf16le', 'latin1'] as const)
        expect(
          unfit(
            read({ status: 200, body: decodeText(Buffer.from(JSON.stringify(answer), encoding)) }),
          ),
          encoding,
        ).toBeNull();
      // One row of a list that is none takes no other along.
      const list = textPlaces(usually.data).find((place) => place.includes(1));
      if (!usually.rows || !list) continue;
      const at = ['data', ...list.slice(0, list.indexOf(1) + 1)];
      for (const odd of [null, 5, 'x', [], true, { cd: { deep: 1 }, itemClsCd: [] }])
        expect(
          usually.rows(read({ status: 200, body: JSON.stringify(withAt(answer, at, odd)) })),
          `${key} ${name} beside ${JSON.stringify(odd)}`,
        ).toBeGreaterThanOrEqual(2);
    }
    console.info(
      `doors: ${count.toLocaleString('en')} answers of devices with a hostile text in one place`,
    );
  });
});

const access = {
  businessId: 'biz',
  organizationId: '46000000101',
  grantId: 'grt',
  purpose: 'sync' as const,
};
const source = {
  ...access,
  customFields: { buyer_tin: 'cf_custtin', purchase_code: 'cf_purchase_code' },
};
const organization = {
  organization: { organization_id: '46000000101', currency_code: 'RWF', name: 'Inzozi' },
};
const contact = {
  contact: { contact_id: '1', mobile: '0788000001', contact_persons: [{ mobile: '0788000002' }] },
};
const fieldOf = { field_id: '7', api_name: 'cf_x', label: 'X', data_type: 'string' };
const note = {
  creditnote: {
    creditnote_id: '5',
    creditnote_number: 'CN-5',
    customer_id: '1',
    date: '2026-11-20',
    line_items: [{ line_item_id: '1', name: 'Bread', rate: 1, quantity: 2, item_total: 2 }],
    total: 2,
  },
};

/**
 * Every method of what speaks to Zoho: what Zoho says to it usually, and how it is asked; one
 * without its line here fails the exam.
 */
const methods: Record<
  string,
  Record<string, { body: () => object; ask(of: never): Promise<unknown> }>
> = {
  books: {
    readDocument: {
      body: () => ({
        invoice: invoice(),
        ...organization,
        ...contact,
        payments: [{ payment_mode: 'Cash' }],
      }),
      ask: (of: ReturnType<typeof zohoBooks>) =>
        of.readDocument(source, 'invoices', String(invoice().invoice_id)),
    },
    listModified: {
      body: () => ({ invoices: [listRow(1), listRow(2), listRow(3)] }),
      ask: (of: ReturnType<typeof zohoBooks>) => of.listModified(access, 'invoices', null, 100),
    },
    readRecent: {
      body: () => ({ invoices: [listRow(1), listRow(2), listRow(3)] }),
      ask: (of: ReturnType<typeof zohoBooks>) => of.readRecent(source, 5),
    },
    readNames: {
      body: () => ({ taxes: [1, 2, 3].map((n) => ({ tax_id: `${n}`, tax_name: `Tax ${n}` })) }),
      ask: (of: ReturnType<typeof zohoBooks>) => of.readNames(source, 'tax'),
    },
  },
  people: {
    whoIs: {
      body: () => ({ user: zohoUser }),
      ask: (of: ReturnType<typeof booksPeople>) => of.whoIs(access, { token: 't', apiDomain: 'x' }),
    },
    organizationName: {
      body: () => organization,
      ask: (of: ReturnType<typeof booksPeople>) =>
        of.organizationName(access, { token: 't', apiDomain: 'x' }),
    },
    find: {
      body: () => ({ user: zohoUser }),
      ask: (of: ReturnType<typeof booksPeople>) => of.find(access, '1'),
    },
  },
  setup: {
    listFields: {
      body: () => ({ fields: [fieldOf, fieldOf, fieldOf] }),
      ask: (of: ReturnType<typeof booksSetup>) => of.listFields(access, 'invoice'),
    },
    createField: {
      body: () => ({ field: fieldOf }),
      ask: (of: ReturnType<typeof booksSetup>) =>
        of.createField(access, { entity: 'invoice', label: 'X', type: 'string' }),
    },
    listWebhooks: {
      body: () => ({ webhooks: [{ webhook_id: '1', webhook_name: 'x' }] }),
      ask: (of: ReturnType<typeof booksSetup>) => of.listWebhooks(access),
    },
    createWebhook: {
      body: () => ({ webhook: { webhook_id: '1' } }),
      ask: (of: ReturnType<typeof booksSetup>) =>
        of.createWebhook(access, { name: 'x', entity: 'invoice', url: 'x', secret: 'x' }),
    },
    deleteWebhook: {
      body: () => ({ message: 'done' }),
      ask: (of: ReturnType<typeof booksSetup>) => of.deleteWebhook(access, '1'),
    },
    createWorkflow: {
      body: () => ({ workflow: { workflow_id: '1' } }),
      ask: (of: ReturnType<typeof booksSetup>) =>
        of.createWorkflow(access, { name: 'x', entity: 'invoice', webhookId: '1' }),
    },
    deleteWorkflow: {
      body: () => ({ message: 'done' }),
      ask: (of: ReturnType<typeof booksSetup>) => of.deleteWorkflow(access, '1'),
    },
  },
  writing: {
    readWritten: {
      body: () => ({
        invoice: { ...invoice(), documents: [{ file_name: 'x.pdf', can_send_in_mail: true }] },
      }),
      ask: (of: ReturnType<typeof booksWriting>) => of.readWritten(access, 'invoices', '1'),
    },
    writeFields: {
      body: () => ({ message: 'done' }),
      ask: (of: ReturnType<typeof booksWriting>) => of.writeFields(access, '1', { cf_x: 'x' }),
    },
    listNoteFields: {
      body: () => ({ fields: [fieldOf] }),
      ask: (of: ReturnType<typeof booksWriting>) => of.listNoteFields(access),
    },
    writeNoteFields: {
      body: () => note,
      ask: (of: ReturnType<typeof booksWriting>) => of.writeNoteFields(access, '5', { cf_x: 'x' }),
    },
    attach: {
      body: () => ({ message: 'done' }),
      ask: (of: ReturnType<typeof booksWriting>) =>
        of.attach(access, '1', { name: 'x', bytes: Buffer.from('x'), goesWithMail: true }),
    },
    listComments: {
      body: () => ({ comments: [{ description: 'x' }] }),
      ask: (of: ReturnType<typeof booksWriting>) => of.listComments(access, 'invoices', '1'),
    },
    comment: {
      body: () => ({ message: 'done' }),
      ask: (of: ReturnType<typeof booksWriting>) => of.comment(access, 'invoices', '1', 'x'),
    },
    mail: {
      body: () => ({
        data: { to_contacts: [{ email: 'x@x.example', selected: true }], subject: 's', body: 'b' },
      }),
      ask: (of: ReturnType<typeof booksWriting>) => of.mail(access, '1'),
    },
  },
};
const zohoUser = {
  user_id: '1',
  name: 'Keza',
  email: 'keza@zoho.example',
  user_role: 'admin',
  status: 'active',
  email_ids: [{ email: 'k@x.example', is_selected: true }],
};
let oneInvoice: Record<string, unknown> | null = null;
const invoice = (): Record<string, unknown> => {
  const id =
    world.zoho.documents().find((each) => each.module === 'invoices' && each.canSeal)?.id ?? '';
  oneInvoice ??= {
    ...structuredClone(world.zoho.document('invoices', id)),
    custom_fields: [{ api_name: 'cf_custtin', value: '101234567' }],
    custom_field_hash: { cf_purchase_code: 'K7T2Q9' },
  };
  return oneInvoice;
};
const listRow = (n: number) => ({
  invoice_id: `46000000000000${n}`,
  invoice_number: `INV-${n}`,
  date: '2026-11-20',
  status: 'sent',
  customer_id: '1',
  customer_name: 'Hotel',
  currency_code: 'RWF',
  total: 100,
  location_id: '',
  last_modified_time: '2026-11-20T09:30:00+0200',
});

describe('what speaks to Zoho', () => {
  const clock = { now: () => new Date('2026-11-20T10:00:00Z') };
  const adapters = (body: () => object) => {
    const answer = (): Promise<ZohoAnswer> =>
      Promise.resolve({ is: 'found', body: parseJson(JSON.stringify(body())) ?? {} });
    const client: ZohoClient = { call: answer, get: answer };
    return {
      books: zohoBooks(client, clock, ['RW']),
      people: booksPeople(client),
      setup: booksSetup(client),
      writing: booksWriting(client),
    };
  };

  test('has every method here', () => {
    for (const [name, adapter] of Object.entries(adapters(() => ({}))))
      expect(Object.keys(adapter).toSorted(), name).toEqual(
        Object.keys(methods[name] ?? {}).toSorted(),
      );
  });

  test('takes every hostile text in every place of every answer: what becomes of it can be kept, or is a sentence, and no row is lost beside it', async () => {
    let count = 0;
    const texts = hostileFrom(
      examSeed + 1,
      cases('doors: hostile texts in each place of an answer of Zoho', { slice: 5, whole: 120 }),
    );
    for (const [name, all] of Object.entries(methods))
      for (const [method, { body, ask }] of Object.entries(all)) {
        const usually = body();
        for (const place of textPlaces(usually))
          for (const { text } of texts) {
            count += 1;
            const adapter = adapters(() => withAt(usually, place, text) as object)[name as 'books'];
            const is = await ask(adapter as never).catch((error: unknown) => error);
            const about = `${name}.${method} ${place.join('.')} ${JSON.stringify(text.slice(0, 40))}`;
            if (is instanceof Error) expect(is, about).toBeInstanceOf(AppError);
            else expect(unfit(is), about).toBeNull();
            if (method !== 'listModified' || place[0] !== 'invoices') continue;
            // Whatever one row says, the two beside it come in, and it does too or is named.
            const { rows, unreadable } = is as {
              rows: { number: string }[];
              unreadable: unknown[];
            };
            expect(rows.length + unreadable.length, about).toBe(3);
            expect(rows.length, about).toBeGreaterThanOrEqual(2);
          }
      }
    for (const odd of [null, 5, 'x', [], true]) {
      const { books } = adapters(() => ({ invoices: [listRow(1), odd, listRow(3)] }));
      expect(await books.listModified(access, 'invoices', null, 100)).toMatchObject({
        rows: [{ number: 'INV-1' }, { number: 'INV-3' }],
        unreadable: [{ id: null }],
      });
    }
    console.info(
      `doors: ${count.toLocaleString('en')} answers of Zoho with a hostile text in one place`,
    );
  });

  test('as its accounts server does, says of hostile answers what it can and never more', async () => {
    let answer: string | Buffer = '';
    const server = await listen(() => ({ status: 200, type: 'application/json', body: answer }));
    const accounts = zohoAccounts(zohoHosts([server.url]), ((
      _host: string,
      _options: unknown,
      done: (error: null, found: object[]) => void,
    ) => done(null, [{ address: '127.0.0.1', family: 4 }])) as never);
    const client = { accountsServer: server.url, clientId: 'c', clientSecret: 's' };
    const asked: Record<string, (() => Promise<unknown>) | null> = {
      exchange: () => accounts.exchange({ ...client, code: 'x' }),
      exchangeOnce: () => accounts.exchangeOnce({ ...client, code: 'x' }),
      refresh: () => accounts.refresh({ ...client, refreshToken: 'x' }),
      revoke: () => accounts.revoke(server.url, 'x'),
      listOrganizations: () => accounts.listOrganizations(server.url, 'x'),
      // These hear nothing from outside.
      consentUrl: null,
      apiOf: null,
      isKnownAccountsServer: null,
      isKnownApiDomain: null,
      listDataCentres: null,
      dataCentre: null,
    };
    expect(Object.keys(accounts).filter((name) => !(name in asked) && name !== 'close')).toEqual(
      [],
    );
    const usually = {
      code: 0,
      error: 'x',
      status: 'x',
      scope: 'x',
      organizations: [1, 2, 3].map((n) => ({
        organization_id: `${n}`,
        name: 'x',
        currency_code: 'RWF',
        user_role: 'admin',
      })),
    };
    const texts = hostileFrom(examSeed + 2, isWhole ? 90 : 6);
    for (const [name, ask] of Object.entries(asked)) {
      if (!ask) continue;
      for (const place of textPlaces(usually))
        for (const { text } of texts) {
          answer = JSON.stringify(withAt(usually, place, text));
          const is = await ask().catch((error: unknown) => error);
          if (is instanceof Error) expect(is, name).toBeInstanceOf(AppError);
          else expect(unfit(is), `${name} ${place.join('.')}`).toBeNull();
        }
      for (const [, bytes] of hostileBytes) {
        answer = bytes;
        const is = await ask().catch((error: unknown) => error);
        if (is instanceof Error) expect(is, name).toBeInstanceOf(AppError);
      }
    }
    await server.close();
  });
});

test('a webhook’s reader makes of everything a document, a ping, or what cannot be read', () => {
  const usually = {
    invoice: {
      invoice_id: '982000000567114',
      last_modified_time: '2026-11-20T09:30:00+0200',
      status: 'sent',
    },
    payload: 'x',
    JSONString: 'x',
  };
  const types = [
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain; charset=utf-16',
    'x; charset=nonsense',
    '',
  ];
  let count = 0;
  for (const type of types)
    for (const { text } of hostileFrom(examSeed + 3, isWhole ? 100 : 30)) {
      const bodies = [
        ...textPlaces(usually).map((place) =>
          Buffer.from(JSON.stringify(withAt(usually, place, text))),
        ),
        Buffer.from(text),
        Buffer.from(`invoice_id=${percent(text)}&status=sent`),
        Buffer.from(
          `payload=${percent(JSON.stringify(withAt(usually, ['invoice', 'invoice_id'], text)))}`,
        ),
        ...hostileBytes.map(([, bytes]) => bytes),
      ];
      for (const raw of bodies) {
        count += 1;
        const is = webhookReader.read(raw, type);
        expect(unfit(is)).toBeNull();
        if (is.is === 'document') expect(is.id).toMatch(/^\d{1,25}$/);
        expect(
          webhookReader.isSigned({
            query: [['org', text]],
            raw,
            contentType: type,
            signature: text,
            secrets: ['s'],
          }),
        ).toBe(false);
      }
    }
  console.info(`doors: ${count.toLocaleString('en')} bodies of webhooks`);
});

describe('tables for spreadsheets', () => {
  /**
   * As the standard has it (RFC 4180), and nothing forgiven: every cell quoted, quotes doubled,
   * rows of one length.
   */
  function cellsOf(file: string): string[][] {
    const rows: string[][] = [[]];
    const pattern = /"((?:[^"]|"")*)"(,|\n|$)/gy;
    expect(file.startsWith('\ufeff')).toBe(true);
    for (pattern.lastIndex = 1; pattern.lastIndex < file.length; ) {
      const at = pattern.lastIndex;
      const [, cell = '', end] = pattern.exec(file) ?? [];
      if (end === undefined)
        throw new Error(`no cell at ${at}: ${JSON.stringify(file.slice(at, at + 40))}`);
      rows.at(-1)?.push(cell.replaceAll('""', '"'));
      if (end === '\n' && pattern.lastIndex < file.length) rows.push([]);
    }
    return rows;
  }
  /**
   * Whether a spreadsheet, of whatever country, would run a part of it: said anew here, not asked
   * of what is tried.
   */
  const isRun = (cell: string): boolean =>
    !/^-\d+(\.\d+)?$/.test(cell) &&
    cell
      .split(/[;,|\t\r\n]/)
      .some((part) =>
        '=+-@\uff1d\uff0b\uff0d\uff20'.includes(
          Array.from(part.replace(/^[\s\p{C}\p{Z}"]+/u, ''))[0] ?? '#',
        ),
      );
  const formulas = ['=', '+', '-', '@', '\uff1d', '\uff0b', '\uff0d', '\uff20'].flatMap((sign) =>
    [
      '',
      ' ',
      '\t',
      '\u00a0',
      '\ufeff',
      '\u200b',
      'a;',
      'a,',
      'a|',
      'a\n',
      'a\r\n',
      '"',
      '",',
      '";',
      '"\r\n',
      "'",
      '\u202e',
      '""',
      'a;"',
      'a; " ',
      'a\n""',
    ].map((before) => `${before}${sign}cmd|' /C calc'!A0`),
  );

  test('hold what came in, cell by cell, whatever it is made of, and nothing that a spreadsheet would run', async () => {
    const tables = endpoints.filter(([, each]) => each.produces === 'text/csv');
    expect(tables.map(([name]) => name).toSorted(), 'a table more has its rows here').toEqual([
      'exportDocuments',
      'exportTrail',
    ]);
    const [{ businessId }] = world.businesses;
    const texts = [
      ...formulas,
      ...hostileFrom(examSeed + 4, isWhole ? 2_000 : 120).map(({ text }) =>
        storable(Array.from(text).slice(0, 2_000).join('')),
      ),
      '-5.20',
      '-1-1',
      '=',
      '"',
    ];
    await world.sql(
      `insert into document (business_id, module, document_id, number, date, status, customer_name, currency, total, seen_at, source, words)
         select $1, 'invoices', '88' || n, 'T-' || n, current_date, 'sent', text, 'RWF', -n, now(), 'poll', ' tabled' from unnest($2::text[]) with ordinality t(text, n)`,
      [businessId, texts],
      businessId,
    );
    await world.sql(
      `insert into audit (business_id, id, at, actor_type, actor_id, origin, action, subject, before, after)
         select $1, 'aud_tabled' || lpad(n::text, 12, '0'), now(), 'person', text, text, 'tried.table', 'T-' || n, to_jsonb(text), jsonb_build_object(text, text)
           from unnest($2::text[]) with ordinality t(text, n)`,
      [businessId, texts],
      businessId,
    );
    const rowsOf = async (path: string): Promise<Record<string, string>[]> => {
      const { status, bytes } = await callers.admin.file(path);
      expect(status, path).toBe(200);
      const file = bytes.toString('utf8');
      expect(Buffer.from(file).equals(bytes), 'well-formed').toBe(true);
      const [heading = [], ...rows] = cellsOf(file);
      for (const row of rows) expect(row.length, JSON.stringify(row)).toBe(heading.length);
      expect(rows.flat().filter(isRun)).toEqual([]);
      return rows.map((row) => Object.fromEntries(heading.map((name, i) => [name, row[i] ?? ''])));
    };
    /**
     * What was put before a sign so that it is text can be taken away again: nothing else was
     * changed.
     */
    const isSame = (cell: string, text: string) =>
      cell === text || cell.replaceAll("'", '') === text.replaceAll("'", '');
    const documents = await rowsOf('/documents.csv?search=tabled');
    const trail = await rowsOf('/trail.csv?action=tried.table');
    for (const [i, text] of texts.entries()) {
      const document = documents.find((each) => each.document_number === `T-${i + 1}`);
      expect(
        isSame(document?.customer_name ?? '?', text),
        JSON.stringify([text, document?.customer_name]),
      ).toBe(true);
      expect(document?.total, 'a negative amount stays a number').toBe(`-${i + 1}`);
      const entry = trail.find((each) => each.subject === `T-${i + 1}`);
      for (const cell of [entry?.origin, entry?.actor])
        expect(isSame(cell ?? '?', text), JSON.stringify([text, cell])).toBe(true);
    }
    expect([documents.length, trail.length]).toEqual([texts.length, texts.length]);
    expect(unexpected).toEqual([]);
    console.info(
      `doors: ${texts.length.toLocaleString('en')} texts through ${tables.length} tables for spreadsheets`,
    );
  });
});

test('every port and every file that reads or parses is known here, with what tries it', () => {
  const ports: Record<string, string> = {
    'accounts.ts': 'its answers, above',
    'books.ts': 'every method, above',
    'books-people.ts': 'every method, above',
    'books-setup.ts': 'every method, above',
    'books-writing.ts': 'every method, above',
    'calendar.ts': 'a moment of our own in a time zone: no text from outside',
    dialect: 'every reader of every dialect, above',
    'paper.ts': 'what is printed, tried where it is kept: it draws or refuses, and reads nothing',
    'webhook-sender.ts': 'says a status and a word of our own: no text from outside',
    'vsdc.ts':
      'bytes as they came, read by the dialect: above, and over a wire among the scenarios of what comes in',
    'books-webhooks.ts': 'its reader, above',
  };
  expect(readdirSync('server/src/ports').toSorted()).toEqual(Object.keys(ports).toSorted());
  const parsers: Record<string, string> = {
    'platform/http/csv.ts': 'tables for spreadsheets, above',
    'platform/http/cursor.ts': 'cursors are texts of queries, above',
    'platform/decode-text.ts': 'bytes, above',
    'platform/http/parse-request.ts': 'bodies, queries and paths of every endpoint, above',
    'platform/db/parse-connection-url.ts':
      'an address that the operator writes: no text from outside',
    'receipts/prepare/read-document.ts': 'a document of the books: under readDocument, above',
    'cli/read-settings.ts': 'what the operator sets on the machine itself: no text from outside',
    'access/sessions/read-session.ts':
      'a token: what is not one of ours by its form reaches nothing, and no row has another one',
    'connections/consent/read.ts': 'rows of our own: no text from outside',
    'onboarding/setup/read-steps.ts': 'rows of our own: no text from outside',
    'zoho/parse-json.ts': 'under every answer of Zoho, above',
    'zoho/read-document.ts': 'under readDocument, above',
    'zoho/read-line.ts': 'under readDocument, above',
    'zoho/webhook-reader.ts': 'above',
    'businesses/own-logo.ts':
      'images, as bytes: they are drawn anew in a worker of their own, and tried where they are uploaded',
  };
  const found = readdirSync('server/src', { recursive: true, encoding: 'utf8' }).filter(
    (each) =>
      /(?:^|[/-])(?:read|reader|parse|parser|csv|cursor|decode|import)(?:[-.]|$)/.test(
        each.split('/').at(-1) ?? '',
      ) &&
      each.endsWith('.ts') &&
      !each.endsWith('.test.ts'),
  );
  expect(found.filter((each) => !(each in parsers)).toSorted()).toEqual([]);
});
