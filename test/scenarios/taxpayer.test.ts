import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Api, enrol, until } from '../api.ts';
import { startRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
const patience = {
  timing: {
    retryFirstMs: 60,
    retryMaxMs: 120,
    settleQuietMs: 60,
    settleMaxMs: 120,
    doubtWaitMs: 60,
    readAgainMs: 1e12,
  },
};
beforeAll(async () => {
  world = await startWorld({ instead: { intakeMs: 30, sweepMs: 60, waitMs: 300, ...patience } });
  admin = await Api.signIn(world, business().admin);
  await enrol(admin, business().admin.password);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const business = () => world.businesses[0];
const own = { name: 'Inzozi Coffee Traders', told: 'INZOZI COFFEE TRADERS' };
let taken = 0;
const nextInvoice = () => {
  const all = world.zoho
    .documents()
    .filter(
      (each) =>
        each.organization_id === business().organizationId &&
        each.canSeal &&
        each.module === 'invoices',
    );
  return all[taken++]?.id ?? '';
};
/** The device is asked whether it serves; its taxpayer's name comes along. */
const ask = async (name: string, branchId = business().branchIds[0]) => {
  world.vsdc.taxpayer(business().taxpayerId, { name });
  await admin.post('/businesses/me/test-vsdc', { branch_id: branchId });
};
const moveTo = (address: string) =>
  world.sql(
    'update device set address = $1 where branch_id = $2',
    [address, business().branchIds[0]],
    business().businessId,
  );
const branch = async (id = business().branchIds[0]) =>
  ((await admin.get('/branches')).body.branches as Record<string, any>[]).find(
    (each) => each.id === id,
  )?.device as Record<string, any>;
const preflight = async (id: string) =>
  (await admin.get(`/receipts/preflight?module=invoices&document_id=${id}`)).body;
const signedCount = () => world.vsdc.receipts().length;

describe('the taxpayer as the device tells it', () => {
  test('is kept from the initialisation, and is the business’s own in another spelling', async () => {
    expect(await branch()).toMatchObject({
      told: { name: own.told, vat_registered: true },
      difference: null,
    });
  });

  test('with another name than the business’s nothing is sealed by any way until an admin takes it over; what waited then goes by itself', async () => {
    // One document waits for a device that is off when the name is found to differ.
    const waiting = nextInvoice();
    await moveTo('http://127.0.0.1:9');
    expect((await admin.seal('invoices', waiting)).body.state).toBe('queued');
    // Another branch’s device tells it: the taxpayer is one.
    await ask('UMUCYO OFFICE SUPPLIES', business().branchIds[1]);
    await moveTo(world.vsdc.url);
    const before = signedCount();

    const { difference } = await branch();
    expect(difference.title).toContain('“UMUCYO OFFICE SUPPLIES”');
    expect(difference.title).toContain(`“${own.name}”`);
    const id = nextInvoice();
    const checked = await preflight(id);
    expect(checked).toMatchObject({
      ready: false,
      findings: [{ code: 'taxpayer_name_differs', fix: 'device' }],
    });
    const refused = await admin.seal('invoices', id, {
      confirm: ['before_go_live', 'document_old'],
    });
    expect(refused).toMatchObject({ status: 409, body: { code: 'taxpayer_name_differs' } });
    // Automatic sealing skips it, and says why.
    const { body: config } = await admin.get('/businesses/me/config');
    await admin.put('/businesses/me/config', {
      settings: { auto_seal: 'sent' },
      version: config.version,
    });
    await admin.post('/zoho/poll');
    await world.app.settle();
    const { documents } = (await admin.get(`/documents?document_ids=${id},${waiting}&limit=50`))
      .body;
    expect(documents).toHaveLength(2);
    for (const each of documents)
      expect(each, each.document_id).toMatchObject({
        problem: { code: 'taxpayer_name_differs' },
        who: 'admin',
      });
    expect(
      (await admin.get(`/receipts?module=invoices&document_id=${waiting}`)).body.receipts[0].state,
    ).toBe('queued');
    expect(signedCount(), 'nothing reached the device').toBe(before);

    const { body: me } = await admin.get('/businesses/me');
    const user = await Api.signIn(world, business().user);
    const to = {
      business_name: 'Umucyo Office Supplies Ltd',
      vat_registered: true,
      version: me.version,
    };
    expect((await user.put('/businesses/me/taxpayer', to)).status).toBe(403);
    expect(
      await admin.put('/businesses/me/taxpayer', { ...to, version: me.version - 1 }),
    ).toMatchObject({ status: 409, body: { code: 'version_conflict' } });
    expect(await admin.put('/businesses/me/taxpayer', to)).toMatchObject({
      status: 200,
      body: { business_name: to.business_name },
    });
    expect((await branch()).difference).toBeNull();
    await until(
      async () =>
        (await admin.get(`/receipts?module=invoices&document_id=${waiting}`)).body.receipts[0]
          .state,
      (state) => state === 'signed',
    );
    await until(
      async () =>
        (await admin.get(`/receipts?module=invoices&document_id=${id}`)).body.receipts?.[0]?.state,
      (state) => state === 'signed',
    );
  });

  test('corrected by the authority instead, what was kept back is sealed without anybody touching it', async () => {
    await ask('QUITE ANOTHER NAME');
    const source = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
      );
    const document = structuredClone(world.zoho.document('invoices', source?.id ?? ''));
    const id = '4600000000950000002';
    const at = `${new Date(Date.now() + 7_200_000).toISOString().slice(0, 19)}+0200`;
    world.zoho.add('invoices', business().organizationId, {
      ...document,
      invoice_id: id,
      invoice_number: 'NAME-2',
      last_modified_time: at,
      created_time: at,
    });
    await admin.post('/zoho/poll');
    await world.app.settle();
    const kept = (await admin.get(`/documents?document_ids=${id}`)).body.documents[0];
    expect(kept).toMatchObject({ problem: { code: 'taxpayer_name_differs' } });
    await ask('UMUCYO OFFICE SUPPLIES');
    await world.app.settle();
    await until(
      async () =>
        (await admin.get(`/receipts?module=invoices&document_id=${id}`)).body.receipts?.[0]?.state,
      (state) => state === 'signed',
    );
  });

  test('not registered for VAT where the business says it is, a new device seals nothing, and corrected it charges no VAT either', async () => {
    const { taxpayerId } = business();
    world.vsdc.approve({
      tin: taxpayerId,
      bhfId: '02',
      serial: 'inzozi-musanze-1',
      name: 'UMUCYO OFFICE SUPPLIES',
    });
    world.vsdc.taxpayer(taxpayerId, { vatRegistered: false });
    const { body: added } = await admin.post('/branches', {
      branch_code: '02',
      name: 'Musanze',
      address: 'Musanze',
    });
    const device = {
      branch_id: added.id,
      address: world.vsdc.url,
      serial: 'inzozi-musanze-1',
      environment: 'production',
    };
    expect((await admin.put('/businesses/me/vsdc-config', device)).status).toBe(200);
    expect(await admin.post(`/branches/${added.id}/initialise`)).toMatchObject({
      status: 200,
      body: {
        device: { told: { vat_registered: false }, difference: { code: 'taxpayer_vat_differs' } },
      },
    });
    expect((await admin.get('/businesses/me/setup/status')).body.steps.business).toMatchObject({
      state: 'broken',
      problem: { code: 'taxpayer_vat_differs' },
    });
    const source = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
      );
    const document = structuredClone(world.zoho.document('invoices', source?.id ?? ''));
    const id = '4600000000950000001';
    world.zoho.add('invoices', business().organizationId, {
      ...document,
      invoice_id: id,
      invoice_number: 'VAT-1',
      location_id: '777',
    });
    await admin.put('/mappings/location', {
      mappings: [{ key: '777', value: { branch_id: added.id } }],
    });
    expect((await preflight(id)).findings[0]).toMatchObject({ code: 'taxpayer_vat_differs' });
    const { body: me } = await admin.get('/businesses/me');
    await admin.put('/businesses/me/taxpayer', {
      business_name: me.business_name,
      vat_registered: false,
      version: me.version,
    });
    expect((await branch(added.id)).difference).toBeNull();
    // What the other devices were told when they were initialised is older: the taxpayer is one,
    // and the latest word holds for all.
    expect((await branch()).difference).toBeNull();
    expect((await preflight(id)).findings).toContainEqual(
      expect.objectContaining({ code: 'vat_not_registered', fix: 'zoho' }),
    );
  });

  test('to a sandbox device holds that one back and no other, and what a real one is told after it changes nothing of that', async () => {
    const { taxpayerId } = business();
    const sandbox = await startRwVsdc({
      approved: [
        { tin: taxpayerId, bhfId: '03', serial: 'inzozi-rehearsal', name: 'REHEARSED TAXPAYER' },
      ],
    });
    onTestFinished(() => sandbox.close());
    const { body: added } = await admin.post('/branches', {
      branch_code: '03',
      name: 'Rubavu',
      address: 'Rubavu',
    });
    const device = {
      branch_id: added.id,
      address: sandbox.url,
      serial: 'inzozi-rehearsal',
      environment: 'sandbox',
    };
    expect((await admin.put('/businesses/me/vsdc-config', device)).status).toBe(200);
    expect((await admin.post(`/branches/${added.id}/initialise`)).status).toBe(200);
    const told = {
      told: { name: 'REHEARSED TAXPAYER', vat_registered: true },
      difference: { code: 'taxpayer_vat_differs' },
    };
    expect(await branch(added.id)).toMatchObject(told);
    for (const id of business().branchIds)
      expect(await branch(id), id).toMatchObject({ difference: null });
    await ask('UMUCYO OFFICE SUPPLIES');
    expect(await branch(added.id)).toMatchObject(told);
    expect(await branch()).toMatchObject({ difference: null });
  });
});
