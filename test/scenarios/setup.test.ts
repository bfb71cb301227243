import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@muhuri/server/platform/db/database';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, enrol, operatorOf, until } from '../api.ts';
import { approvedDevices, checkout, startWorld, type World } from '../world.ts';

/** From an empty platform to a first signed receipt, by the API. */
let world: World;
let operator: Api;
let admin: Api;
let businessId: string;
beforeAll(async () => {
  world = await startWorld({
    withoutBusinesses: true,
    instead: {
      vsdc: { answerTimeoutMs: 6_000, connectTimeoutMs: 4_000 },
      waitMs: 5_000,
      sweepMs: 300,
    },
  });
  operator = await operatorOf(world);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const grant = () => world.zoho.grants()[0];
const [head] = approvedDevices;
const registration = {
  business_name: 'Inzozi Coffee Traders',
  email: 'office@inzozi.example',
  location: 'Kigali',
  tin_number: '100200300',
  phone_number: '+250 788 000 100',
  admin_email: 'owner@inzozi.example',
};
const sandbox = () => ({
  address: world.vsdc.url,
  serial: head?.serial ?? '',
  environment: 'sandbox' as const,
});
const status = async () => (await admin.get('/businesses/me/setup/status')).body;
const states = async () =>
  Object.fromEntries(
    Object.entries((await status()).steps as Record<string, { state: string }>).map(
      ([name, step]) => [name, step.state],
    ),
  );
const step1 = {
  location: 'KG 11 Ave, Kigali',
  phone_number: '+250 788 000 100',
  vat_registered: true,
  go_live_date: '2026-01-01',
};
const mail = (to: string) =>
  until(
    () => world.mail.mails().findLast((each) => each.to.includes(to)),
    (found) => found !== undefined,
  );

describe('the operator registers a business', () => {
  const unreached = {
    ...registration,
    tin_number: '100200301',
    email: 'office@unreached.example',
    admin_email: 'owner@unreached.example',
  };
  const openInvitations = (of: string) =>
    world.sql('select email from invitation where withdrawn_at is null order by email', [], of);

  test('and is told where the mail to its admin cannot be sent: it stands, its admin is invited once more', async () => {
    world.mail.refuse(true);
    const made = await operator.post('/businesses', unreached);
    expect(made).toMatchObject({
      status: 200,
      body: {
        business: { status: 'pending' },
        invitation: { email: unreached.admin_email, is_mailed: false },
      },
    });
    const of = made.body.business.id as string;
    expect(await openInvitations(of), 'nobody has the link').toEqual([]);
    const again = () =>
      operator.post(`/businesses/${of}/invitations`, { email: unreached.admin_email });
    expect(await again()).toMatchObject({ status: 503, body: { code: 'mail_unavailable' } });
    expect(await openInvitations(of)).toEqual([]);
    world.mail.refuse(false);
    expect((await again()).status).toBe(200);
    expect((await mail(unreached.admin_email))?.subject).toContain('invites you');
  });

  test('and mails nothing before all of it stands, nor holds a row while the mail server is slow', async () => {
    const slow = {
      ...registration,
      tin_number: '100200302',
      email: 'office@slow.example',
      admin_email: 'owner@slow.example',
    };
    const hold = async (begin: () => ReturnType<Api['post']>) => {
      const holding = world.mail.hold();
      try {
        const begun = begin();
        await until(holding.held, (n) => n > 0);
        const { businesses } = (await operator.get('/businesses?search=100200302')).body as {
          businesses: { id: string }[];
        };
        return {
          begun,
          businesses,
          open: businesses[0] ? await openInvitations(businesses[0].id) : [],
        };
      } finally {
        holding.letGo();
      }
    };
    const registering = await hold(() => operator.post('/businesses', slow));
    expect(registering.open).toEqual([{ email: slow.admin_email }]);
    expect((await registering.begun).body.invitation).toMatchObject({ is_mailed: true });
    const second = 'second@slow.example';
    const inviting = await hold(() =>
      operator.post(`/businesses/${registering.businesses[0]?.id}/invitations`, { email: second }),
    );
    expect(inviting.open).toEqual([{ email: slow.admin_email }, { email: second }]);
    expect((await inviting.begun).status).toBe(200);
  });

  test('with head office and an invitation, and refuses a second one with its TIN or e-mail', async () => {
    expect(
      await operator.post('/businesses', { ...registration, tin_number: '12345678X' }),
    ).toMatchObject({ status: 400, body: { field: 'tin_number' } });
    const made = await operator.post('/businesses', registration);
    const [noted] = (await operator.get('/platform/trail?action=business.registered&limit=1')).body
      .trail;
    expect(noted).toMatchObject({
      subject: made.body.business.id,
      request_id: made.headers.get('x-request-id'),
    });
    const listing = await operator.get('/businesses');
    const [looked] = (await operator.get('/platform/trail?action=businesses.listed&limit=1')).body
      .trail;
    expect(looked.request_id).toBe(listing.headers.get('x-request-id'));
    expect(made.body.business).toMatchObject({
      status: 'pending',
      tin_number: '100200300',
      organization_id: null,
    });
    businessId = made.body.business.id as string;
    expect(
      await operator.post('/businesses', { ...registration, email: 'other@inzozi.example' }),
    ).toMatchObject({
      status: 409,
      body: { code: 'business_taken', field: 'tin_number' },
    });
    expect(
      await operator.post('/businesses', { ...registration, tin_number: '100200400' }),
    ).toMatchObject({ status: 409, body: { field: 'email' } });
    // Until the first admin has come they can be invited once more.
    expect(
      (
        await operator.post(`/businesses/${businessId}/invitations`, {
          email: 'second@inzozi.example',
        })
      ).status,
    ).toBe(200);
    const token = /#\/accept\/(\S+)/.exec((await mail(registration.admin_email))?.text ?? '')?.[1];
    const accepted = await new Api(world.app.url).post('/auth/invitation/accept', {
      account: 'new',
      token,
      username: 'owner@inzozi',
      name: 'Olga Owner',
      password: 'three warm drums at noon',
    });
    expect(accepted.body.business).toMatchObject({ id: businessId, role: 'business_admin' });
    admin = new Api(world.app.url, accepted.body.token as string);
    await enrol(admin, 'three warm drums at noon');
    // By an invitation to an address of their own the operator would have a session in the
    // business.
    expect(
      await operator.post(`/businesses/${businessId}/invitations`, {
        email: 'operator@platform.example',
      }),
    ).toMatchObject({
      status: 409,
      body: { code: 'admin_decides' },
    });
  });

  test('lists, searches and pages businesses, and changes what is unique among them', async () => {
    for (let i = 0; i < 3; i++)
      await operator.post('/businesses', {
        ...registration,
        tin_number: `10020090${i}`,
        email: `b${i}@many.example`,
        admin_email: `a${i}@many.example`,
        business_name: `Many ${i}`,
      });
    const first = (await operator.get('/businesses?limit=2')).body;
    expect(first.businesses).toHaveLength(2);
    const next = (await operator.get(`/businesses?limit=2&cursor=${first.next_cursor}`)).body;
    expect(next.businesses.map((each: { id: string }) => each.id)).not.toContain(
      first.businesses[0].id,
    );
    expect((await operator.get('/businesses?search=Many%201')).body.businesses).toHaveLength(1);
    const many = (await operator.get('/businesses?search=Many%202')).body.businesses[0];
    const present = (await operator.get(`/businesses/${many.id}`)).body;
    const change = {
      ...registration,
      admin_email: undefined,
      business_name: 'Many too',
      email: present.email,
      tin_number: present.tin_number,
      vat_registered: true,
    };
    expect(
      await operator.put(`/businesses/${many.id}`, {
        ...change,
        version: present.version,
        tin_number: '100200300',
      }),
    ).toMatchObject({
      status: 409,
      body: { code: 'business_taken', field: 'tin_number' },
    });
    expect(
      (await operator.put(`/businesses/${many.id}`, { ...change, version: present.version })).body,
    ).toMatchObject({
      business_name: 'Many too',
      version: present.version + 1,
    });
    expect(
      await operator.put(`/businesses/${many.id}`, { ...change, version: present.version }),
    ).toMatchObject({
      status: 409,
      body: { code: 'version_conflict' },
    });
    expect((await operator.get('/businesses/biz_00000000000000000000000000000000')).status).toBe(
      404,
    );
  });
});

describe('the setup', () => {
  test('begins with everything open, and a later step is refused while an earlier one is', async () => {
    expect(await states()).toEqual({
      business: 'open',
      vsdc: 'open',
      zoho: 'open',
      rehearsal: 'open',
    });
    expect(await admin.post('/businesses/me/setup/step2', sandbox())).toMatchObject({
      status: 409,
      body: { code: 'setup_order', field: 'business' },
    });
    expect(await admin.post('/businesses/me/setup/step3', {})).toMatchObject({
      status: 409,
      body: { code: 'setup_order' },
    });
    expect(await admin.post('/businesses/me/setup/rehearsal', {})).toMatchObject({
      status: 409,
      body: { code: 'setup_order' },
    });
    expect((await admin.post('/businesses/me/setup/step1', step1)).body.steps.business.state).toBe(
      'done',
    );
  });

  test.each([
    ['down', 'http://127.0.0.1:9', 'device_unreachable'],
    ['in a network nobody allowed', 'http://10.1.2.3:8080', 'device_address_refused'],
  ])('says of a device that it is %s, and the step stays open', async (_what, address, code) => {
    const reply = await admin.post('/businesses/me/setup/step2', { ...sandbox(), address });
    expect(reply.body.steps.vsdc).toMatchObject({ state: 'open', problem: { code } });
  });

  test('tries the device, initialises it, and turns red when it breaks and green when it is back', async () => {
    expect(
      await admin.post('/businesses/me/setup/step2', {
        ...sandbox(),
        address: `${world.vsdc.url}#x`,
      }),
    ).toMatchObject({
      status: 400,
      body: { field: 'address' },
    });
    const reply = await admin.post('/businesses/me/setup/step2', sandbox());
    expect(reply.body).toMatchObject({
      steps: { vsdc: { state: 'done' } },
      next: 'zoho',
      environment: 'sandbox',
    });
    const move = (address: string) =>
      admin.put('/businesses/me/vsdc-config', { ...sandbox(), address });
    await move('http://127.0.0.1:9');
    expect((await status()).steps.vsdc).toMatchObject({
      state: 'broken',
      problem: { code: 'device_unreachable' },
    });
    await move(world.vsdc.url);
    expect((await states()).vsdc).toBe('done');
    expect(
      await admin.put('/businesses/me/vsdc-config', { ...sandbox(), environment: 'production' }),
    ).toMatchObject({
      status: 409,
      body: { code: 'device_in_use' },
    });
  });

  test('tells down, wrong address, a missing VSDC, one of another taxpayer and a fine one apart, and never signs', async () => {
    const probe = async () => (await admin.post('/businesses/me/test-vsdc', {})).body.result;
    const move = (address: string) =>
      admin.put('/businesses/me/vsdc-config', { ...sandbox(), address });
    const before = world.vsdc.receipts().length;
    expect(await probe()).toBe('fine');
    await move('http://127.0.0.1:9');
    expect(await probe()).toBe('down');
    await move(world.zoho.url);
    expect(['wrong_address', 'vsdc_missing']).toContain(await probe());
    await move(`${world.vsdc.url}/nothing-here`);
    expect(['vsdc_missing', 'wrong_address']).toContain(await probe());
    await move(world.vsdc.url);
    await world.sql(
      "update device set last_upstream_at = now() - interval '30 hours', last_contact_at = now() - interval '30 hours'",
      [],
      businessId,
    );
    await move('http://127.0.0.1:9');
    expect(await probe()).toBe('down_or_stopped');
    await move(world.vsdc.url);
    expect(await probe()).toBe('fine');
    expect(world.vsdc.receipts()).toHaveLength(before);
    expect((await admin.get('/businesses/me/vsdc-status')).body.devices[0].probe).toMatchObject({
      result: 'fine',
      offline_hours: 0,
    });
  });

  test('takes a self-client code once, shows what the grant sees, and maps the organization', async () => {
    const organizationId = grant()?.organization_id ?? '';
    const client = world.zoho.selfClient(organizationId);
    const ask = {
      data_centre: world.zoho.url,
      client_id: client.client_id,
      client_secret: client.client_secret,
      code: client.code,
    };
    expect(
      await admin.post('/businesses/me/setup/step3', { ...ask, data_centre: 'nowhere' }),
    ).toMatchObject({ status: 400, body: { field: 'data_centre' } });
    expect(
      await admin.post('/businesses/me/setup/step3', { ...ask, client_secret: 'wrong' }),
    ).toMatchObject({
      status: 422,
      body: { code: 'zoho_code_refused', field: 'client_secret' },
    });
    expect(
      await admin.post('/businesses/me/setup/step3', { ...ask, organization_id: '123' }),
    ).toMatchObject({
      status: 422,
      body: { code: 'organization_unseen' },
    });
    const again = world.zoho.selfClient(organizationId);
    const reply = await admin.post('/businesses/me/setup/step3', { ...ask, code: again.code });
    expect(reply.body).toMatchObject({
      organizations: [{ organization_id: organizationId }],
      setup: { steps: { zoho: { state: 'done' } } },
    });
    expect(
      (await admin.post('/businesses/me/setup/step3', { ...ask, code: again.code })).body.code,
    ).toBe('zoho_code_refused');
    expect((await admin.get('/businesses/me/zoho-config')).body).toMatchObject({
      organization_id: organizationId,
      status: 'active',
      webhooks: [],
    });
  });

  test('rehearses on the sandbox device with a real invoice, says what is missing, and then the business is active', async () => {
    // Lists that cannot be fetched and a taxpayer whom the authority does not know leave it red.
    world.vsdc.taxpayer(registration.tin_number, { name: '' });
    world.vsdc.set({ list_answer: 'offline' });
    const red = await admin.post('/businesses/me/setup/rehearsal', {});
    world.vsdc.set({ list_answer: 'rows' });
    world.vsdc.taxpayer(registration.tin_number, { name: 'INZOZI COFFEE TRADERS' });
    const failing =
      red.body.rehearsal
        ?.filter((each: { state: string }) => each.state === 'failed')
        .map((each: { what: string }) => each.what) ?? [];
    expect(failing.slice(0, 2), JSON.stringify(red.body)).toEqual(['code_lists', 'taxpayer']);
    const missing = await admin.post('/businesses/me/setup/rehearsal', {});
    expect(missing.body.steps.rehearsal.state).toBe('broken');
    expect(
      missing.body.rehearsal.map((each: { what: string; state: string }) => [
        each.what,
        each.state,
      ]),
    ).toContainEqual(['preflight', 'failed']);
    const organization = world.zoho.organization(grant()?.organization_id ?? '');
    const item = {
      item_class: '5020170600',
      item_type: '2',
      package_unit: 'NT',
      quantity_unit: 'U',
      origin: 'RW',
    };
    const [branch] = (await admin.get('/branches')).body.branches as { id: string }[];
    await admin.put('/mappings/tax', {
      mappings: organization.taxes
        .slice(0, 3)
        .map((tax, i) => ({ key: tax.tax_id, value: { tax_class: ['B', 'C', 'A'][i] } })),
    });
    await admin.put('/mappings/item', { mappings: [{ key: 'default', value: item }] });
    await admin.put('/mappings/location', {
      mappings: organization.locations.map((each) => ({
        key: each.location_id,
        value: { branch_id: branch?.id },
      })),
    });
    const done = await admin.post('/businesses/me/setup/rehearsal', {});
    expect(done.body).toMatchObject({ next: null, steps: { rehearsal: { state: 'done' } } });
    expect(done.body.rehearsal.map((each: { what: string }) => each.what)).toEqual([
      'code_lists',
      'taxpayer',
      'preflight',
      'signature',
    ]);
    expect(world.vsdc.receipts()).toHaveLength(1);
    expect((await admin.get('/businesses/me')).body.status).toBe('active');
  });
});

describe('a production device', () => {
  test('signs nothing while the setup is unfinished, and a rehearsal on it signs nothing either', async () => {
    await world.sql("update device set environment = 'production'", [], businessId);
    const before = world.vsdc.receipts().length;
    await world.sql("update business set status = 'pending'", [], businessId);
    const document = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === grant()?.organization_id &&
          each.what.startsWith('zero-rated only'),
      );
    expect(await admin.seal('invoices', document?.id ?? '')).toMatchObject({
      status: 409,
      body: { code: 'setup_unfinished' },
    });
    const done = await admin.post('/businesses/me/setup/rehearsal', { document_id: document?.id });
    expect(
      done.body.rehearsal.map(
        (each: { what: string; state: string }) => `${each.what} ${each.state}`,
      ),
    ).toEqual([
      'code_lists done',
      'taxpayer done',
      'preflight done',
      'items done',
      'training_print done',
    ]);
    expect(world.vsdc.receipts()).toHaveLength(before);
    expect((await admin.get('/businesses/me')).body.status).toBe('active');
    await world.sql("update device set environment = 'sandbox'", [], businessId);
  });
});

describe('what a business decides', () => {
  test('asks for the second factor where more than looks changes, whatever else is sent along', async () => {
    const read = async () =>
      (await admin.get('/businesses/me/config')).body as {
        version: number;
        settings: object;
        branding: object;
      };
    const put = async (to: object) =>
      admin.asSession().put('/businesses/me/config', { ...to, version: (await read()).version });
    await world.sql(
      "update session set verified_at = now() - interval '16 minutes'",
      [],
      businessId,
    );
    const { settings, branding: stood } = await read();
    expect(
      (
        await put({
          branding: { accent_color: '#123456', top_message: 'Murakoze', legal_lines: ['A line'] },
        })
      ).status,
    ).toBe(200);
    const { branding } = await read();
    expect(
      (
        await put({
          settings: { ...settings, qr_form: 'hash' },
          branding: { ...branding, bottom_message: 'Thank you' },
        })
      ).status,
    ).toBe(200);
    const dangerous = [
      { settings: { auto_seal: 'sent' } },
      { settings: { zoho_sign_in: 'off' } },
      { settings: { exempt: { customer_ids: ['1'], location_ids: [], number_prefixes: [] } } },
      { branding: { accent_color: '#654321', trade_name: 'Somebody else' } },
      { phone_number: '+250788000000' },
      { go_live_date: '2031-01-01' },
    ];
    for (const to of dangerous)
      expect((await put(to)).body.code, JSON.stringify(to)).toBe('second_factor_needed');
    expect((await read()).branding).toMatchObject({ accent_color: '#123456' });
    await world.sql('update session set verified_at = now()', [], businessId);
    expect((await put({ settings, branding: stood })).status).toBe(200);
  });

  test('is changed with the version it was read at; a picture is one by its own bytes', async () => {
    const config = (await admin.get('/businesses/me/config')).body;
    const png = `data:image/png;base64,${Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082', 'hex').toString('base64')}`;
    const svg = `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>').toString('base64')}`;
    for (const logo of [
      svg,
      'data:image/png;base64,AAAA',
      `data:image/png;base64,${Buffer.from('<svg>').toString('base64')}`,
      'https://x.example/logo.png',
    ])
      expect(
        await admin.put('/businesses/me/config', { version: config.version, branding: { logo } }),
      ).toMatchObject({
        status: 422,
        body: { code: 'image_refused' },
      });
    const changed = await admin.put('/businesses/me/config', {
      version: config.version,
      branding: { logo: png, accent_color: '#0b5c6b' },
      settings: { document_age_days_max: 30 },
    });
    expect(changed.body).toMatchObject({
      branding: { accent_color: '#0b5c6b' },
      settings: { document_age_days_max: 30, partial_refunds: false },
    });
    expect(
      await admin.put('/businesses/me/config', { version: config.version, location: 'X' }),
    ).toMatchObject({
      status: 409,
      body: { code: 'version_conflict' },
    });
    expect(
      await admin.put('/businesses/me/config', {
        version: changed.body.version,
        location: 'Ki\u0000gali',
      }),
    ).toMatchObject({
      status: 400,
      body: { field: 'location' },
    });
    const preview = await admin.call(
      'POST',
      '/businesses/me/branding/preview',
      JSON.stringify({ branding: { trade_name: 'Preview Ltd' } }),
      {
        'content-type': 'application/json',
      },
    );
    expect(preview.body.text).toMatch(/^%PDF/);
    expect(world.vsdc.receipts()).toHaveLength(1);
  });

  test('its numbers come from its receipts, within seconds, and a rehearsal’s are in none of them', async () => {
    await world.app.settle();
    const stats = (await admin.get('/businesses/me/stats')).body;
    expect(stats).toMatchObject({
      signed: 0,
      test_receipts: 1,
      total: '0',
      refused: 0,
      currency: 'RWF',
      queued: 0,
      in_doubt: 0,
    });
    expect(stats.days).toHaveLength(30);
    expect((await admin.get('/businesses/me/recent-invoices?limit=1')).body.receipts).toHaveLength(
      1,
    );
    const listed = (await operator.get('/businesses?search=Inzozi')).body.businesses[0];
    expect(listed.totals).toMatchObject({ signed: 0, people: 1, devices: 1 });
    const usage = (await admin.get('/businesses/me/usage')).body;
    expect(
      usage.quotas.find((each: { period: string }) => each.period === 'day').used,
    ).toBeGreaterThan(5);
    expect((await admin.get('/branches')).headers.get('ratelimit-remaining')).not.toBeNull();
  });

  test('is held to the quotas the operator sets, sees what is left, and seals all the same', async () => {
    const path = `/businesses/${businessId}/quotas`;
    expect(
      (await operator.put(path, { requests_per_minute: null, requests_per_day: 1_000 })).status,
    ).toBe(200);
    await world.sql(
      "update usage_day set used = used + 2000 where what = 'requests'",
      [],
      businessId,
    );
    await admin.get('/branches');
    await world.app.settle();
    const refused = await admin.get('/branches');
    expect(refused).toMatchObject({ status: 429, body: { code: 'quota_used_up' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const document = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === grant()?.organization_id &&
          each.what.startsWith('paid in mobile money'),
      );
    expect((await admin.seal('invoices', document?.id ?? '')).status).not.toBe(429);
    await operator.put(path, { requests_per_minute: 60, requests_per_day: null });
    const replies = await Promise.all(Array.from({ length: 70 }, () => admin.get('/branches')));
    expect(
      replies.filter((each) => each.status === 429 && each.body.code === 'rate_limited').length,
    ).toBeGreaterThanOrEqual(10);
    await operator.put(path, { requests_per_minute: null, requests_per_day: null });
    await until(
      () => admin.get('/branches'),
      (reply) => reply.status === 200,
    );
  });

  test('is told when a VSDC answers for another taxpayer or branch', async () => {
    await world.sql(
      "update branch set branch_code = '09' where branch_code = '00'",
      [],
      businessId,
    );
    const [branch] = (await admin.get('/branches')).body.branches.filter(
      (each: { branch_code: string }) => each.branch_code === '09',
    );
    expect(
      (await admin.post('/businesses/me/test-vsdc', { branch_id: branch.id })).body.result,
    ).toBe('other_taxpayer');
    await world.sql(
      "update branch set branch_code = '00' where branch_code = '09'",
      [],
      businessId,
    );
  });

  test('branches are added by the code the authority gave, once each', async () => {
    expect(
      (await admin.post('/branches', { branch_code: '01', name: 'Huye', address: 'Huye town' }))
        .body,
    ).toMatchObject({ branch_code: '01', device: null });
    expect(
      await admin.post('/branches', { branch_code: '01', name: 'Again', address: '' }),
    ).toMatchObject({ status: 409, body: { code: 'branch_taken' } });
    const huye = (
      (await admin.get('/branches')).body.branches as { id: string; branch_code: string }[]
    ).find((each) => each.branch_code === '01');
    const device = {
      branch_id: huye?.id,
      address: world.vsdc.url,
      serial: 'inzozi-huye-1',
      environment: 'sandbox',
    };
    expect((await admin.put('/businesses/me/vsdc-config', device)).body.device).toMatchObject({
      serial: 'inzozi-huye-1',
      dialect: 'rw-vsdc',
      state: 'new',
    });
    expect((await admin.post(`/branches/${huye?.id}/initialise`)).body.device.state).toBe('active');
    expect(
      (await admin.put(`/branches/${huye?.id}`, { name: 'Huye market', address: '' })).body.name,
    ).toBe('Huye market');
  });
});

describe('a business that is', () => {
  test('suspended reads and does nothing new; activated again it goes on; what waits is not sent meanwhile', async () => {
    const organization = grant()?.organization_id ?? '';
    const simple = world.zoho
      .documents()
      .find((each) => each.organization_id === organization && each.what.startsWith('simple sale'));
    const branches = (await admin.get('/branches')).body.branches as { id: string }[];
    for (const { id } of branches) await admin.post(`/branches/${id}/pause`);
    const waiting = ['46000000007770001', '46000000007770002', '46000000007770003'];
    const asked = waiting.map((id, n) => {
      const copy = structuredClone(world.zoho.document('invoices', simple?.id ?? ''));
      world.zoho.add('invoices', organization, {
        ...copy,
        invoice_id: id,
        invoice_number: `WAITS-${n}`,
      });
      return admin.seal('invoices', id);
    });
    const states = async () =>
      (
        await world.sql(
          'select state from receipt where document_id = any($1) order by queued_at, id',
          [waiting],
          businessId,
        )
      ).map((row) => row.state);
    await until(states, (found) => found.length === 3 && found.every((each) => each === 'queued'));
    // Suspended while the first of them is on its way: that one has its answer, and the lane goes
    // no further.
    world.vsdc.faults(['hold_answer']);
    for (const { id } of branches) await admin.post(`/branches/${id}/resume`);
    await until(
      () => world.sql('select 1 from attempt where ended_at is null', [], businessId),
      (open) => open.length > 0,
    );
    expect(
      (await operator.put(`/businesses/${businessId}/deactivate`, { reason: 'unpaid' })).body
        .status,
    ).toBe('suspended');
    expect((await admin.get('/businesses/me/recent-invoices')).status).toBe(200);
    const document = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === grant()?.organization_id && each.what.startsWith('exempt only'),
      );
    expect(await admin.seal('invoices', document?.id ?? '')).toMatchObject({
      status: 403,
      body: { code: 'business_suspended' },
    });
    expect(await operator.put(`/businesses/${businessId}/deactivate`, {})).toMatchObject({
      status: 409,
      body: { code: 'wrong_state' },
    });
    await until(
      () => {
        world.vsdc.release();
        return states();
      },
      (found) => found.includes('signed'),
    );
    await world.app.sweep();
    const sends =
      'select receipt_id from attempt where receipt_id in (select id from receipt where document_id = any($1))';
    expect(await world.sql(sends, [waiting], businessId)).toHaveLength(1);
    expect((await states()).filter((each) => each === 'queued')).toHaveLength(2);
    expect((await operator.put(`/businesses/${businessId}/activate`, {})).body.status).toBe(
      'active',
    );
    await Promise.all(asked);
    await until(states, (found) => found.every((each) => each === 'signed'));
    expect((await admin.seal('invoices', document?.id ?? '')).body.state).toBe('signed');
  });

  test('closed keeps its receipts and loses its secrets, sessions and keys for good', async () => {
    expect(
      (await operator.put(`/businesses/${businessId}/close`, { reason: 'gone' })).body.status,
    ).toBe('closed');
    expect((await admin.get('/auth/me')).status).toBe(401);
    const [row] = await world.sql(
      'select data_key, (select count(*)::int from device where secrets is not null) as secrets, (select count(*)::int from receipt) as receipts from business',
      [],
      businessId,
    );
    const client = new pg.Client({
      connectionString: world.postgres.urlFor(
        'admin',
        new URL(world.databaseUrls.owner).pathname.slice(1),
      ),
    });
    await client.connect();
    const left = await client.query(
      `select 1 from reference."grant" where data_key <> '' or refresh_token <> ''`,
    );
    await client.end();
    expect(left.rowCount).toBe(0);
    expect(row).toMatchObject({ data_key: '', secrets: 0, receipts: 5 });
    expect(await operator.put(`/businesses/${businessId}/activate`, {})).toMatchObject({
      status: 409,
    });
  });

  test('closed leaves its TIN, e-mail and organization to a business registered anew, which begins after it and seals none of what it sealed', async () => {
    const again = { ...registration, admin_email: 'heir@inzozi.example' };
    const [{ earliest } = { earliest: '' }] = await asAdmin<{ earliest: string }>(
      "select (closed_on + 1)::text as earliest from reference.business_directory where status = 'closed'",
    );
    const dayBefore = new Date(Date.parse(`${earliest}T00:00:00Z`) - 86_400_000)
      .toISOString()
      .slice(0, 10);
    expect(await operator.post('/businesses', { ...again, go_live_date: dayBefore })).toMatchObject(
      {
        status: 409,
        body: { code: 'go_live_too_early', earliest },
      },
    );
    const made = await operator.post('/businesses', again);
    expect(made.body.business).toMatchObject({
      status: 'pending',
      tin_number: registration.tin_number,
      go_live_date: earliest,
    });
    const token = /#\/accept\/(\S+)/.exec((await mail(again.admin_email))?.text ?? '')?.[1];
    const person = {
      account: 'new',
      username: 'heir@inzozi',
      name: 'Hélène Heir',
      password: 'nine grey stones in a stream',
      token,
    };
    const accepted = await new Api(world.app.url).post('/auth/invitation/accept', person);
    admin = new Api(world.app.url, accepted.body.token as string);
    await enrol(admin, person.password);
    expect(await admin.post('/businesses/me/setup/step1', step1)).toMatchObject({
      status: 409,
      body: { code: 'go_live_too_early' },
    });
    expect(
      (await admin.post('/businesses/me/setup/step1', { ...step1, go_live_date: earliest })).status,
    ).toBe(200);
    const { sdcId: sdc_id, mrcNo: mrc_number } = world.vsdc.device(registration.tin_number, '00');
    const adopt = { sdc_id, mrc_number, last_invoice_number: '50' };
    expect(
      (await admin.post('/businesses/me/setup/step2', { ...sandbox(), dialect: 'rw-vsdc', adopt }))
        .body.steps.vsdc.state,
    ).toBe('done');
    const { client_id, client_secret, code } = world.zoho.selfClient(
      grant()?.organization_id ?? '',
    );
    const ask = { data_centre: world.zoho.url, client_id, client_secret, code };
    expect((await admin.post('/businesses/me/setup/step3', ask)).body.setup.steps.zoho.state).toBe(
      'done',
    );
    expect((await admin.get('/businesses/me')).body.organization_id).toBe(grant()?.organization_id);
    // The registers are ready to go back to what they were before closed businesses left anything,
    // and forth again.
    const directory = join(checkout, 'server/src/migrations');
    const only = readdirSync(directory).find((name) => name.startsWith('0022-')) as string;
    await migrate(world.databaseUrls.owner, directory, { down: true, only });
    await migrate(world.databaseUrls.owner, directory, { only });
    expect((await asAdmin('select 1 from reference.business_directory')).length).toBeGreaterThan(1);
  });
});

async function asAdmin<Row>(text: string): Promise<Row[]> {
  const client = new pg.Client({
    connectionString: world.postgres.urlFor(
      'admin',
      new URL(world.databaseUrls.owner).pathname.slice(1),
    ),
  });
  await client.connect();
  const { rows } = await client.query(text);
  await client.end();
  return rows as Row[];
}
