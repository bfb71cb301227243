import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import * as contract from '@muhuri/shared/contract/index';
import { bodyKbOf, type Endpoint } from '@muhuri/shared/contract/index';
import { byRole, type Permission, scopes } from '@muhuri/shared/permissions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, asPlatform, enrol, operatorOf, type Reply } from '../api.ts';
import { startWorld, type World } from '../world.ts';

const endpoints: [string, Endpoint][] = Object.values(contract).flatMap((feature) =>
  Object.entries(feature as Record<string, unknown>).filter(
    (entry): entry is [string, Endpoint] =>
      typeof entry[1] === 'object' &&
      entry[1] !== null &&
      'path' in entry[1] &&
      'guard' in entry[1],
  ),
);

type Caller = 'anonymous' | 'user' | 'admin' | 'api_key' | 'operator';
type Ids = Record<
  | 'receipt'
  | 'branch'
  | 'document'
  | 'alert'
  | 'membership'
  | 'invitation'
  | 'api_key'
  | 'session'
  | 'way_back'
  | 'device_of_person'
  | 'business'
  | 'print'
  | 'organization'
  | 'connection'
  | 'consent'
  | 'zoho_webhook'
  | 'delivery'
  | 'webhook_endpoint'
  | 'webhook_message',
  string
>;

let world: World;
const callers = {} as Record<Caller, Api>;
let ours: Ids;
let theirs: Ids;
let strangerAdmin: Api;
/** A session of the admin in which the second factor was not given lately. */
let unverified: Api;

const never: Ids = {
  receipt: 'rcp_00000000000000000000000000000000',
  branch: 'brn_00000000000000000000000000000000',
  document: '990000000000001',
  alert: 'alr_00000000000000000000000000000000',
  membership: 'mem_00000000000000000000000000000000',
  invitation: 'inv_00000000000000000000000000000000',
  api_key: 'key_00000000000000000000000000000000',
  session: 'ses_0000000000000000000000',
  way_back: 'wbk_00000000000000000000000000000000',
  device_of_person: 'rdv_00000000000000000000000000000000',
  business: 'biz_00000000000000000000000000000000',
  print: `biz_00000000000000000000000000000000.${'x'.repeat(32)}`,
  organization: '99999999999',
  connection: 'con_00000000000000000000000000000000',
  consent: 'cns_00000000000000000000000000000000',
  zoho_webhook: 'hok_00000000000000000000000000000000',
  delivery: 'dlv_00000000000000000000000000000000',
  webhook_endpoint: 'sub_00000000000000000000000000000000',
  webhook_message: 'ntc_00000000000000000000000000000000',
};

const told: { event: string; asked: string }[] = [];
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

beforeAll(async () => {
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', () => resolve()));
  const alertHookUrl = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/attempts`;
  world = await startWorld({
    told: { config: { alertHookUrl } },
    instead: { patience: { headersMs: 400, requestMs: 800, checkMs: 100 } },
  });
  const [first, second] = world.businesses;
  callers.anonymous = new Api(world.app.url);
  callers.user = await Api.signIn(world, first.user);
  callers.admin = await Api.signIn(world, first.admin);
  strangerAdmin = await Api.signIn(world, second.admin);
  unverified = (await Api.signIn(world, first.admin)).asSession();
  await enrol(callers.admin, first.admin.password);
  await enrol(strangerAdmin, second.admin.password);
  callers.operator = await operatorOf(world);
  const key = await callers.admin.post('/api-keys', { name: 'a program', scopes: [...scopes] });
  callers.api_key = new Api(world.app.url, key.body.key as string);
  ours = await idsOf(callers.admin, first);
  theirs = await idsOf(strangerAdmin, second);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  hook.close();
});

/** One of everything an id can name, made as people make it. */
async function idsOf(api: Api, business: World['businesses'][0]): Promise<Ids> {
  const document = world.zoho
    .documents()
    .find((each) => each.organization_id === business.organizationId && each.canSeal);
  const sealed = await api.seal('invoices', document?.id ?? '');
  const print = await api.post(`/receipts/${sealed.body.id}/prints`, { paper: 'a4' });
  const invitation = await api.post('/invitations', {
    email: `somebody@${business.admin.username.split('@')[1]}.example`,
    role: 'business_user',
  });
  const key = await api.post('/api-keys', { name: 'of theirs', scopes: ['read'] });
  const [member] = (await api.get('/people')).body.people as { id: string }[];
  const [session] = (await api.get('/auth/sessions')).body.sessions as { id: string }[];
  const begun = await api.post('/oauth/connect', {});
  const userId = world.businesses.indexOf(business) === 0 ? '1' : '2';
  const back = new URL(world.zoho.accept(begun.body.consent_url as string, userId)).searchParams;
  const seen = await api.post('/oauth/callback', Object.fromEntries(back));
  const hook = await api.post('/webhooks', { module: 'invoices' });
  await fetch(hook.body.url as string, { method: 'POST', body: 'x' });
  const [delivery] = (await api.get('/webhooks/deliveries')).body.deliveries as { id: string }[];
  const [connection] = await world.sql(
    "select id from connection where status <> 'ended'",
    [],
    business.businessId,
  );
  const subscriber = await api.post('/subscribers', {
    url: 'http://127.0.0.1:9/',
    events: ['receipt.signed'],
  });
  const message = `ntc_${business.businessId.slice(4)}`;
  await world.sql(
    "insert into webhook_message (business_id, id, endpoint_id, event, body, state, created_at) values ($1, $2, $3, 'x', '{}', 'delivered', now())",
    [business.businessId, message, subscriber.body.subscriber.id],
    business.businessId,
  );
  const alert = `alr_${business.businessId.slice(4)}`;
  await world.sql(
    'insert into alert (business_id, id, code, subject, problem, opened_at) values ($1, $2, $3, $4, $5, now())',
    [business.businessId, alert, 'late_signature', 'x', '{"code": "late_signature"}'],
    business.businessId,
  );
  const remembered = `rdv_${business.businessId.slice(4)}`;
  await asPlatform(
    world.databaseUrls.app,
    `insert into reference.remembered_device (id, person_id, secret_hash, created_at, last_used_at, expires_at)
     values ($1, $2, $1, now(), now(), now() + interval '1 day')`,
    [remembered, (await api.get('/auth/me')).body.person.id],
  );
  const wayBack = `wbk_${business.businessId.slice(4)}`;
  await world.sql(
    `insert into way_back (business_id, id, request_id, person_id, membership_id, object_hash, asked_at, until, state)
     values ($1, $2, 'x', 'per_nobody', 'x', $2, now(), now() + interval '1 day', 'open')`,
    [business.businessId, wayBack],
    business.businessId,
  );
  return {
    receipt: sealed.body.id as string,
    branch: business.branchIds[0] as string,
    document: document?.id ?? '',
    alert,
    membership: member?.id ?? '',
    invitation: invitation.body.id as string,
    api_key: key.body.api_key.id as string,
    session: session?.id ?? '',
    device_of_person: remembered,
    way_back: wayBack,
    business: business.businessId,
    print: String(print.body.url).split('/').at(-1) as string,
    organization: business.organizationId,
    connection: String(connection?.id),
    consent: seen.body.id as string,
    zoho_webhook: hook.body.webhook.id as string,
    delivery: String(delivery?.id),
    webhook_endpoint: subscriber.body.subscriber.id as string,
    webhook_message: message,
  };
}

/** What an id in a path names, by how the path begins. */
const kinds: [string, keyof Ids][] = [
  ['/receipts', 'receipt'],
  ['/branches', 'branch'],
  ['/alerts', 'alert'],
  ['/people', 'membership'],
  ['/invitations', 'invitation'],
  ['/api-keys', 'api_key'],
  ['/auth/sessions', 'session'],
  ['/auth/devices', 'device_of_person'],
  ['/ways-back', 'way_back'],
  ['/oauth/consents', 'consent'],
  ['/oauth', 'connection'],
  ['/webhooks', 'zoho_webhook'],
  ['/subscribers', 'webhook_endpoint'],
  ['/notices', 'webhook_message'],
];
const kindOf = (path: string): keyof Ids =>
  kinds.find(([start]) => path.startsWith(start))?.[1] ?? 'business';

const person = { username: 'nobody.new', name: 'Nobody', password: 'long enough to be tried' };
const profile = {
  business_name: 'X',
  email: 'x@x.example',
  location: 'X',
  tin_number: '100200900',
  phone_number: '1',
};
const device = { address: 'http://127.0.0.1:9', serial: 'x', environment: 'sandbox' };
/** A body for every endpoint that takes one; without its line here a new endpoint fails the run. */
const bodies: Record<string, (ids: Ids) => Record<string, unknown>> = {
  login: () => ({ username: 'a', password: 'b' }),
  switchMembership: (ids) => ({ business_id: ids.business }),
  updateProfile: () => ({ name: 'Same', email: 'same@x.example' }),
  changePassword: () => ({ current_password: 'wrong', new_password: person.password }),
  beginPairing: () => ({ organization_id: '46000000101' }),
  pollPairing: () => ({ pairing_id: 'prg_nobodys', poll_secret: 'x'.repeat(22) }),
  takePairing: () => ({ code: 'BBBB-BBBB' }),
  finishApproval: (ids) => ({ state: `zoho.${ids.business}`, browser_secret: 'x'.repeat(32) }),
  answerApproval: () => ({ browser_secret: 'x'.repeat(32), opened_by_me: true }),
  renewSession: (ids) => ({
    refresh_token: `rnw.${ids.business}.${'x'.repeat(16)}.${'x'.repeat(43)}`,
  }),
  forgotPassword: () => ({ username: 'nobody' }),
  resetPassword: () => ({ token: 'x'.repeat(43), new_password: person.password }),
  beginTotp: () => ({ password: 'wrong' }),
  confirmTotp: () => ({ code: '000000' }),
  passSecondFactor: () => ({ code: '000000' }),
  confirmEmail: () => ({ token: 'x'.repeat(43) }),
  askWayBack: () => ({ username: 'nobody', password: 'x' }),
  objectToWayBack: (ids) => ({ token: `way.${ids.business}.${'x'.repeat(43)}` }),
  acceptOperator: () => ({ token: 'x'.repeat(43), ...person }),
  inviteOperator: () => ({ email: 'x@x.example' }),
  blockPerson: () => ({ person_id: 'per_nobody', reason: 'x' }),
  unblockPerson: () => ({ person_id: 'per_nobody', reason: 'x' }),
  openAddressChange: () => ({ person_id: 'per_nobody', email: 'x@x.example', reason: 'x' }),
  applyAddressChange: () => ({ address_change_id: 'adc_nobody' }),
  grantWayBackByOperator: (ids) => ({ way_back_id: ids.way_back }),
  removeTotp: () => ({ password: 'wrong' }),
  readInvitation: (ids) => ({ token: `inv.${ids.business}.${'x'.repeat(43)}` }),
  acceptInvitation: (ids) => ({
    account: 'new',
    token: `inv.${ids.business}.${'x'.repeat(43)}`,
    ...person,
  }),
  becomeOperator: () => ({ token: 'x'.repeat(43), email: 'x@x.example', ...person }),
  endMember: () => ({ keep_api_keys: [] }),
  changeMember: () => ({ role: 'business_user', permissions: [], version: 99 }),
  invite: () => ({ email: 'x@x.example', role: 'business_user' }),
  createKey: () => ({ name: 'x', scopes: ['read'] }),
  addBranch: () => ({ branch_code: '07', name: 'x', address: '' }),
  updateBranch: () => ({ name: 'x', address: '' }),
  adoptDevice: () => ({
    sdc_id: 'SDC010000001',
    mrc_number: 'WIS00000001',
    last_invoice_number: '1',
  }),
  resumeLane: () => ({}),
  setNextDevice: () => ({ for: 'replacement', address: 'http://127.0.0.1:9', serial: 'x' }),
  switchDevice: () => ({ reason: 'tried' }),
  markElsewhere: () => ({ documents: [{ module: 'invoices', document_id: '1' }], reason: 'tried' }),
  takeBackElsewhere: () => ({ documents: [{ module: 'invoices', document_id: '1' }] }),
  takeOverRefund: () => ({ source: 'tried', answer: 'tried' }),
  confirmEvidence: () => ({ proposed_at: '2026-11-20T10:00:00.000Z' }),
  registerBusiness: () => ({ ...profile, admin_email: 'x@x.example' }),
  updateBusiness: () => ({ ...profile, vat_registered: true, version: 99 }),
  deactivateBusiness: () => ({ reason: 'x' }),
  activateBusiness: () => ({ reason: 'x' }),
  closeBusiness: () => ({ reason: 'x' }),
  setQuotas: () => ({ requests_per_minute: null, requests_per_day: null }),
  inviteAdmin: () => ({ email: 'x@x.example' }),
  updateConfig: () => ({ version: 99 }),
  correctTaxpayer: () => ({ business_name: 'x', vat_registered: true, version: 99 }),
  previewBranding: () => ({ branding: {} }),
  updateVsdcConfig: (ids) => ({ ...device, branch_id: ids.branch }),
  testVsdc: (ids) => ({ branch_id: ids.branch }),
  setupBusiness: () => ({
    location: 'x',
    phone_number: '1',
    vat_registered: true,
    go_live_date: '2026-01-01',
  }),
  setupVsdc: () => device,
  setupZoho: (ids) => ({ organization_id: ids.organization }),
  rehearse: (ids) => ({ document_id: ids.document }),
  beginSupport: () => ({ reason: 'x', minutes: 5 }),
  putMappings: (ids) => ({ mappings: [{ key: 'elsewhere', value: { branch_id: ids.branch } }] }),
  openReceipt: (ids) => ({
    module: 'invoices',
    document_id: ids.document,
    sale_receipt_id: ids.receipt,
  }),
  attachEvidence: () => ({ found: false, source: 'portal' }),
  proposeReversal: () => ({ reason_code: '06', source: 'portal' }),
  confirmReversal: () => ({ proposed_at: '2026-11-20T10:00:00.000Z' }),
  printReceipt: () => ({ paper: 'a4' }),
  printTogether: (ids) => ({ receipt_ids: [ids.receipt] }),
  connect: () => ({ data_centre: 'nowhere' }),
  finishConsent: (ids) => ({ state: `${ids.business}.${'x'.repeat(32)}`, code: 'x' }),
  bindOrganization: (ids) => ({ organization_id: ids.organization, business_id: ids.business }),
  makeHook: () => ({ module: 'creditnotes' }),
  addSubscriber: () => ({ url: 'http://127.0.0.1:9/x', events: ['receipt.signed'] }),
};
const queries: Record<string, (ids: Ids) => string> = {
  preflight: (ids) => `module=invoices&document_id=${ids.document}`,
  findReceipt: (ids) => `module=invoices&document_id=${ids.document}`,
  receiptPdf: () => 'paper=a4',
  openPrint: () => 'as=pdf',
  verifyTrail: () => '',
  listTrail: (ids) => `subject=${ids.receipt}`,
  exportTrail: (ids) => `subject=${ids.receipt}`,
  businessTrail: (ids) => `subject=${ids.receipt}`,
  platformTrail: (ids) => `subject=${ids.business}`,
  recentInvoices: (ids) => `cursor=${cursorOf(ids.receipt)}`,
  supportDocuments: (ids) => `cursor=${cursorOf(ids.receipt)}`,
  listBusinesses: (ids) => `cursor=${cursorOf(ids.business)}`,
  listAttempts: () => '',
  getStats: () => '',
  listNotices: (ids) => `cursor=${cursorOf(ids.webhook_message)}`,
  listDocuments: () => '',
  exportDocuments: () => '',
  closeMonth: () => 'month=2026-11',
  listDeliveries: (ids) => `cursor=${cursorOf(ids.delivery)}`,
};
const cursorOf = (id: string) =>
  Buffer.from(JSON.stringify(['2026-11-20T10:00:00.000Z', id])).toString('base64url');

function pathOf(name: string, e: Endpoint, inPath: Ids, inQuery: Ids): string {
  const filled = e.path
    .replace('{id}', inPath[kindOf(e.path)])
    .replace('{kind}', 'location')
    .replace('{link}', inPath.print)
    .replace('{tin}', '101234567')
    .replace('{key}', `${inPath.business}.${'A'.repeat(32)}`);
  const query = queries[name]?.(inQuery);
  return query ? `${filled}?${query}` : filled;
}

const ask = (
  api: Api,
  name: string,
  e: Endpoint,
  at: { path: Ids; query: Ids; body: Ids },
  headers: Record<string, string> = {},
): Promise<Reply> =>
  e.method === 'GET'
    ? api.get(pathOf(name, e, at.path, at.query), headers)
    : api.call(
        e.method,
        pathOf(name, e, at.path, at.query),
        JSON.stringify(bodies[name]?.(at.body) ?? {}),
        { 'content-type': 'application/json', ...headers },
      );

/**
 * What the answer says, without what differs by request: its own id, the time, the id that was
 * asked for.
 */
const said = (reply: Reply, ids: Ids) => {
  // A file is one of the caller's own; its bytes differ by the moment they were drawn.
  if (String(reply.body.text ?? '').startsWith('%PDF'))
    return { status: reply.status, text: 'a file' };
  let text = JSON.stringify(reply.body);
  for (const id of Object.values(ids)) text = text.replaceAll(id, '…');
  return {
    status: reply.status,
    text: text.replace(/"(?:request_id|opened_at|at|checked_at|expires_at)":"[^"]*"/g, ''),
  };
};

const permissionsOf: Record<Caller, readonly Permission[]> = {
  anonymous: [],
  user: byRole.business_user,
  admin: byRole.business_admin,
  api_key: scopes,
  operator: byRole.admin,
};
const mayPass = (caller: Caller, guard: string) =>
  guard === 'anyone' ||
  (guard === 'signed_in'
    ? !['anonymous', 'api_key'].includes(caller)
    : permissionsOf[caller].includes(guard as Permission));
const names = Object.keys(permissionsOf) as Caller[];

describe('every route of the contract', () => {
  test('has its entry here: a body or a query wherever it takes one', () => {
    expect(endpoints.length).toBeGreaterThan(70);
    expect(endpoints.filter(([name, e]) => e.input && !bodies[name]).map(([name]) => name)).toEqual(
      [],
    );
    expect(
      endpoints.filter(([name, e]) => e.query && !(name in queries)).map(([name]) => name),
    ).toEqual([]);
  });

  test.each(endpoints)('%s opens to those its guard names and to nobody else', async (name, e) => {
    for (const caller of names) {
      if (mayPass(caller, e.guard)) continue;
      const reply = await ask(callers[caller], name, e, { path: ours, query: ours, body: ours });
      const expected =
        caller === 'anonymous'
          ? { status: 401, body: { code: 'not_signed_in' } }
          : { status: 403, body: { code: 'not_allowed' } };
      expect(reply, caller).toMatchObject(expected);
    }
    const forged = new Api(world.app.url, `${ours.business}.${'A'.repeat(43)}`);
    if (e.guard !== 'anyone')
      expect((await ask(forged, name, e, { path: ours, query: ours, body: ours })).status).toBe(
        401,
      );
  });

  test.each(endpoints.filter(([, e]) => e.secondFactor))(
    '%s asks for the second factor',
    async (name, e) => {
      if (!mayPass('admin', e.guard)) return;
      const without = new Api(world.app.url, unverified.token);
      expect(await ask(without, name, e, { path: never, query: never, body: never })).toMatchObject(
        { status: 403, body: { code: 'second_factor_needed' } },
      );
    },
  );

  test('that is read is never called for its head: who looks ahead of a person uses nothing up', async () => {
    for (const [name, e] of endpoints.filter(([, each]) => each.method === 'GET')) {
      const answer = await fetch(`${world.app.url}/api/v1${pathOf(name, e, ours, ours)}`, {
        method: 'HEAD',
        headers: { authorization: `Bearer ${callers.admin.token}` },
      });
      expect({ name, status: answer.status }).toEqual({ name, status: 405 });
    }
  });

  test.each(endpoints.filter(([, e]) => e.input !== undefined))(
    '%s refuses what is not JSON, of a wrong type, unknown or too large, with one problem',
    async (name, e) => {
      const caller = e.guard === 'operate' ? callers.operator : callers.admin;
      const send = (text: string) =>
        caller.call(e.method, pathOf(name, e, never, never), text, {
          'content-type': 'application/json',
        });
      for (const text of ['{', '[]', '"x"', '{"no_such_field": 1}'])
        expect(await send(text)).toMatchObject({ status: 400, body: { code: 'malformed' } });
      expect(await send(`{"x": "${'x'.repeat(bodyKbOf(e) * 1024 + 100)}"}`)).toMatchObject({
        status: 413,
        body: { code: 'too_large' },
      });
    },
  );
});

describe('every route × every place an id can stand × another business’s id × every role', () => {
  let tried = 0;
  afterAll(() =>
    console.info(
      `walls: ${tried} pairs of another’s id and one that does not exist, over ${endpoints.length} routes and ${names.length} roles`,
    ),
  );

  const places: [string, (ids: Ids) => { path: Ids; query: Ids; body: Ids }][] = [
    ['path', (ids) => ({ path: ids, query: ours, body: ours })],
    ['query or cursor', (ids) => ({ path: ours, query: ids, body: ours })],
    ['body', (ids) => ({ path: ours, query: ours, body: ids })],
  ];
  // The operator's own paths name businesses, and whoever registers them may know that they are
  // there.
  const apart = (caller: Caller, e: Endpoint) => caller === 'operator' && e.guard === 'operate';
  const holds = (place: string, name: string, e: Endpoint) =>
    place === 'path'
      ? /\{id\}/.test(e.path)
      : place === 'body'
        ? JSON.stringify(bodies[name]?.(theirs)) !== JSON.stringify(bodies[name]?.(never))
        : // A link is good for one call, and names its business itself: there is no id beside it.
          !e.path.includes('{link}') && Boolean(queries[name]?.(theirs));

  for (const [place, at] of places)
    test.each(
      endpoints.filter(([name, e]) =>
        place === 'path' ? /\{id\}/.test(e.path) : name in (place === 'body' ? bodies : queries),
      ),
    )(
      `%s, in its ${place}: another’s id is answered as one that does not exist`,
      async (name, e) => {
        if (!holds(place, name, e)) return;
        for (const caller of names) {
          if (apart(caller, e) || !mayPass(caller, e.guard)) continue;
          tried += 1;
          // Never first: a route that changes something on the first call would answer the second
          // differently by itself.
          const nothing = await ask(callers[caller], name, e, at(never));
          const other = await ask(callers[caller], name, e, at(theirs));
          expect(said(other, theirs), caller).toEqual(said(nothing, never));
          if (place === 'path' && e.path.includes('{id}')) expect(other.status, caller).toBe(404);
        }
      },
    );

  test('in a header: an API key named with another organization is refused like one named with none that exists', async () => {
    const asked = (organization: string) =>
      callers.api_key.get('/branches', { 'x-organization-id': organization });
    expect((await asked(ours.organization)).status).toBe(200);
    const [other, nothing] = [await asked(theirs.organization), await asked(never.organization)];
    expect(said(other, theirs)).toEqual(said(nothing, never));
    expect(other).toMatchObject({ status: 403, body: { code: 'organization_mismatch' } });
    const key = (id: string) =>
      callers.admin.call(
        'PUT',
        '/mappings/tax',
        '{"mappings":[{"key":"x","value":{"tax_class":"A"}}]}',
        {
          'content-type': 'application/json',
          'idempotency-key': id,
        },
      );
    expect((await key(theirs.receipt)).status).toBe((await key(never.receipt)).status);
  });

  test('the misses become attempts where the id stands in another business, told to that business and to the operator, and nothing else does', async () => {
    await world.app.settle();
    const attempts = (await callers.operator.get('/platform/attempts?limit=200')).body.attempts as {
      business_id: string;
      asked: string;
    }[];
    expect(attempts.length).toBeGreaterThan(10);
    expect(
      attempts.some((each) => each.asked === theirs.receipt && each.business_id === ours.business),
    ).toBe(true);
    expect(
      attempts.filter(
        (each) => Object.values(never).includes(each.asked) && each.asked !== never.organization,
      ),
    ).toEqual([]);
    const alerts = (await callers.admin.get('/alerts')).body.alerts as {
      problem: { code: string };
    }[];
    expect(alerts.some((each) => each.problem.code === 'cross_business_access')).toBe(true);
    expect(
      told.some((each) => each.event === 'cross_business_access' && each.asked === theirs.receipt),
    ).toBe(true);
    // Whom it was tried on learns nothing of who is there.
    expect(JSON.stringify((await strangerAdmin.get('/trail?limit=200')).body)).not.toContain(
      ours.business,
    );
  });

  test('lists of one business hold nothing of another', async () => {
    for (const [name, e] of endpoints.filter(
      ([, each]) =>
        each.method === 'GET' &&
        !each.path.includes('{') &&
        !each.produces &&
        mayPass('admin', each.guard) &&
        !['anyone', 'signed_in'].includes(each.guard),
    )) {
      const text = JSON.stringify(
        (await ask(strangerAdmin, name, e, { path: theirs, query: theirs, body: theirs })).body,
      );
      for (const id of [
        ours.receipt,
        ours.branch,
        ours.business,
        ours.membership,
        ours.invitation,
        ours.api_key,
        world.businesses[0].taxpayerId,
      ])
        expect(text, `${name} of the other business`).not.toContain(id);
    }
  });
});

describe('the edge', () => {
  test('only pages of Zoho’s widgets may call from a browser, never with cookies', async () => {
    const preflight = (origin: string) =>
      fetch(`${world.app.url}/api/v1/receipts`, {
        method: 'OPTIONS',
        headers: { origin, 'access-control-request-method': 'POST' },
      });
    for (const origin of [
      'https://evil.example',
      'https://zappsusercontent.com.evil.example',
      'http://a.zappsusercontent.com',
      'null',
    ])
      expect(
        (await preflight(origin)).headers.get('access-control-allow-origin'),
        origin,
      ).toBeNull();
    const allowed = await preflight('https://0123abcd.zappsusercontent.eu');
    expect(allowed.headers.get('access-control-allow-origin')).toBe(
      'https://0123abcd.zappsusercontent.eu',
    );
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('every answer forbids sniffing, framing and telling where it was linked from', async () => {
    for (const path of ['/health', '/api/v1/openapi.json', '/api/v1/branches', '/nothing']) {
      const { headers } = await fetch(`${world.app.url}${path}`);
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('referrer-policy'), path).toBe('no-referrer');
      expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'");
    }
  });

  test('a client that says what it wants too slowly is dropped, in its headers and in its body', async () => {
    const port = Number(new URL(world.app.url).port);
    const dropped = (text: string) =>
      new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        socket.on('error', () => resolve(true));
        socket.on('close', () => resolve(true));
        socket.resume();
      });
    expect(await dropped('GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ')).toBe(true);
    expect(
      await dropped(
        'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"user',
      ),
    ).toBe(true);
    expect((await fetch(`${world.app.url}/health`)).status).toBe(200);
  });

  test('headers beyond sixteen kilobytes are refused', async () => {
    const reply = await fetch(`${world.app.url}/health`, {
      headers: { 'x-long': 'x'.repeat(20_000) },
    });
    expect(reply.status).toBe(431);
  });

  test('the description holds every route', async () => {
    const described = (await (await fetch(`${world.app.url}/api/v1/openapi.json`)).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    for (const [, e] of endpoints)
      expect(described.paths[e.path]?.[e.method.toLowerCase()], e.path).toBeDefined();
  });
});
