import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, confirmShown, until } from '../api.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { startRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
let user: Api;
const quick = {
  vsdc: { answerTimeoutMs: 4_000, lateTimeoutMs: 5_000 },
  timing: {
    retryFirstMs: 100,
    retryMaxMs: 300,
    settleQuietMs: 100,
    settleMaxMs: 300,
    doubtWaitMs: 300,
    leaseMs: 8_000,
  },
  sweepMs: 200,
  waitMs: 6_000,
};
beforeAll(async () => {
  world = await startWorld({ instead: quick });
  const [business] = world.businesses;
  admin = await Api.signIn(world, business.admin);
  user = await Api.signIn(world, business.user);
  // A bookkeeper who may settle, and needs somebody who checks.
  await world.sql(
    "update membership set permissions = '{settle}' where role = 'business_user'",
    [],
    business.businessId,
  );
});
afterAll(() => world?.[Symbol.asyncDispose]());

let made = 0;
function newInvoice(more: object = {}): { id: string; number: string } {
  const [business] = world.businesses;
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
    );
  made += 1;
  const [id, number] = [`46000000077${String(made).padStart(6, '0')}`, `ST-${made}`];
  world.zoho.add('invoices', business.organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: number,
    ...more,
  });
  return { id, number };
}
const present = async (id: string) => (await admin.get(`/receipts/${id}`)).body;

async function lost() {
  const document = newInvoice();
  world.vsdc.faults(['drop_after_signing']);
  const { body } = await admin.seal('invoices', document.id);
  const receipt = await until(
    () => present(body.id),
    (each) => each.problem?.code === 'signed_answer_lost',
  );
  const held = world.vsdc.receipts().find((each) => each.request.remark === document.number);
  const evidence = evidenceOf(held);
  return { receipt, evidence, held, document };
}

test('a doubt is asked about again however many documents of its device wait for their data', async () => {
  for (let i = 0; i < 11; i++) await lost();
  const document = newInvoice();
  world.vsdc.faults(['drop_before_signing']);
  const { body } = await admin.seal('invoices', document.id);
  await until(
    () => present(body.id),
    (each) => each.state === 'signed',
  );
});

test('a doubt is asked about again soon, however often its document was tried before it began', async () => {
  const { businessId, branchIds } = world.businesses[0];
  const document = newInvoice();
  expect((await admin.post(`/branches/${branchIds[0]}/pause`)).status).toBe(200);
  const { id } = (await admin.seal('invoices', document.id)).body;
  // As if it could not be read for an hour.
  await world.sql('update receipt set tries = 12 where id = $1', [id], businessId);
  world.vsdc.faults(['drop_before_signing', 'refuse:910', 'hold']);
  expect((await admin.post(`/branches/${branchIds[0]}/resume`)).status).toBe(200);
  const [row] = await until(
    () =>
      world.sql(
        `select round(extract(epoch from r.next_try_at - a.ended_at) * 1000)::int as ms from receipt r join attempt a on a.receipt_id = r.id
          where r.id = $1 and a.outcome = 'refused' and exists (select 1 from attempt b where b.receipt_id = r.id and b.ended_at is null)`,
        [id],
        businessId,
      ),
    (rows) => rows.length === 1,
  );
  expect(row).toEqual({ ms: 2 * quick.timing.settleQuietMs });
  world.vsdc.release();
  await until(
    () => present(id),
    (each) => each.state === 'signed',
  );
});

test('another program’s number is asked about and keeps the device from being replaced, however many documents wait for their data', async () => {
  const [business] = world.businesses;
  const branchId = business.branchIds[0] as string;
  const serial = `${business.taxpayerId}-after`;
  const successor = await startRwVsdc({
    approved: [
      {
        tin: business.taxpayerId,
        bhfId: '00',
        serial,
        name: 'INZOZI COFFEE TRADERS',
        sdcId: 'SDC020077777',
      },
    ],
  });
  expect(
    (
      await admin.put(`/branches/${branchId}/next-device`, {
        for: 'replacement',
        address: successor.url,
        serial,
      })
    ).status,
  ).toBe(200);
  expect((await admin.post(`/branches/${branchId}/initialise`)).status).toBe(200);
  const { next_invoice_number: number } = (await admin.get('/branches')).body.branches[0].device;
  world.vsdc.signElsewhere(business.taxpayerId, '00', number);
  const { body } = await admin.seal('invoices', newInvoice().id);
  expect(body).toMatchObject({ state: 'in_doubt', problem: { code: 'number_collision' } });
  expect(
    await admin.post(`/branches/${branchId}/switch`, { reason: 'a new computer' }),
  ).toMatchObject({ status: 409, body: { code: 'collision_open' } });
  expect(await admin.post(`/branches/${branchId}/resume`)).toMatchObject({
    status: 400,
    body: { field: 'last_invoice_number' },
  });
  expect(
    (
      await admin.post(`/branches/${branchId}/resume`, {
        last_invoice_number: number,
        evidence: 'portal, list of sales',
      })
    ).status,
  ).toBe(200);
  await until(
    () => present(body.id),
    (each) => each.state === 'signed',
  );
  // As if that number might be one of several documents of ours: none of them waits for whose it
  // is.
  const problem = { code: 'number_collision', invoice_number: number };
  await world.sql(
    "update device set state = 'paused', problem = $2 where branch_id = $1 and state = 'active'",
    [branchId, problem],
    business.businessId,
  );
  expect(
    await admin.post(`/branches/${branchId}/switch`, { reason: 'a new computer' }),
  ).toMatchObject({ status: 409, body: { code: 'collision_open' } });
  expect(
    (
      await admin.post(`/branches/${branchId}/resume`, {
        last_invoice_number: number,
        evidence: 'portal, list of sales',
      })
    ).status,
  ).toBe(200);
  await successor.close();
});

test.each([
  ['at once', []],
  ['once it serves again', ['offline']],
])(
  'a document that comes back to the device that has signed it unsaid is never sold there under another number, told so %s',
  async (_when, before) => {
    const [business] = world.businesses;
    const [home, away] = world.zoho.organization(business.organizationId).locations;
    await admin.put('/mappings/location', {
      mappings: [{ key: away?.location_id, value: { branch_id: business.branchIds[1] } }],
    });
    // Created after its location was mapped.
    const document = newInvoice({
      created_time: new Date(Date.now() + 60_000).toISOString().replace(/\.\d+Z$/, '+0000'),
    });
    const script = (bhfId: string, ...next: string[]) =>
      world.vsdc.faults(next, { tin: business.taxpayerId, bhfId });
    script('00', 'sign_then_refuse:910');
    const first = (await admin.seal('invoices', document.id)).body;
    expect(first).toMatchObject({ state: 'refused', branch_code: '00' });
    const [held] = world.vsdc.receipts().filter((each) => each.request.remark === document.number);
    world.zoho.change('invoices', document.id, { location_id: away?.location_id });
    script('01', 'refuse:910');
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({
      state: 'refused',
      branch_code: '01',
    });
    world.zoho.change('invoices', document.id, { location_id: home?.location_id });
    script('00', ...before);
    await admin.seal('invoices', document.id);
    const doubt = await until(
      async () =>
        (
          await admin.get(`/receipts?module=invoices&document_id=${document.id}`)
        ).body.receipts?.find((each: { state: string }) => each.state === 'in_doubt'),
      (each) => each?.problem.code === 'signed_answer_lost',
    );
    expect(doubt).toMatchObject({
      invoice_number: String(held?.request.invcNo),
      branch_code: '00',
    });
    const { device } = (await admin.get('/branches')).body.branches.find(
      (each: { id: string }) => each.id === business.branchIds[0],
    );
    expect(device).toMatchObject({ state: 'active', problem: null });
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({
      id: doubt.id,
      state: 'in_doubt',
    });
    // The lane goes on under the next number, and the authority's data end it.
    expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({ state: 'signed' });
    expect(
      (await admin.post(`/receipts/${doubt.id}/evidence`, evidenceOf(held))).body,
    ).toMatchObject({ state: 'signed' });
    expect(
      world.vsdc.receipts().filter((each) => each.request.remark === document.number),
    ).toHaveLength(1);
  },
);

describe('a person who settles a doubt', () => {
  test('sees our request, every send with its answer, the device’s counters before and now, and when it goes on', async () => {
    const { receipt, held, evidence } = await lost();
    expect(await user.get(`/receipts/${receipt.id}/doubt`)).toMatchObject({ status: 200 });
    const { body } = await admin.get(`/receipts/${receipt.id}/doubt`);
    expect(JSON.parse(body.request)).toEqual(held?.request);
    expect(body).toMatchObject({
      invoice_number: receipt.invoice_number,
      next_try_at: null,
      sdc_id: evidence.sdc_id,
    });
    expect(Number(held?.reply.totRcptNo)).toBeGreaterThan(Number(body.total_before ?? 0));
    expect(
      body.sends.map((each: { outcome: string; is_resend: boolean; device_code: string }) => [
        each.outcome,
        each.is_resend,
        each.device_code,
      ]),
    ).toEqual([
      ['in_doubt', false, ''],
      ['number_taken', true, '924'],
    ]);
    expect((await admin.post(`/receipts/${receipt.id}/evidence`, evidence)).body.state).toBe(
      'signed',
    );
  });

  test('is stopped where number, buyer or total are another document’s', async () => {
    const { receipt, evidence } = await lost();
    for (const [field, value] of [
      ['invoice_number', '999999'],
      ['buyer_tin', '109999999'],
      ['total', '1.00'],
    ] as const)
      expect(
        await admin.post(`/receipts/${receipt.id}/evidence`, { ...evidence, [field]: value }),
      ).toMatchObject({
        status: 422,
        body: { code: 'evidence_mismatch', field },
      });
    const more = { invoice_number: receipt.invoice_number, total: receipt.totals.total };
    expect(
      (await admin.post(`/receipts/${receipt.id}/evidence`, { ...evidence, ...more })).body.state,
    ).toBe('signed');
  });

  test('whose role asks for it is confirmed by a second person, and not by themselves', async () => {
    const { receipt, evidence } = await lost();
    const proposed = await user.post(`/receipts/${receipt.id}/evidence`, evidence);
    expect(proposed.body).toMatchObject({
      state: 'in_doubt',
      settlement: {
        proposed_name: expect.stringContaining('User'),
        evidence: { total_receipt_number: evidence.total_receipt_number },
      },
    });
    expect((await confirmShown(user, receipt.id, 'evidence')).status).toBe(403);
    expect((await user.post(`/receipts/${receipt.id}/evidence/drop`)).body.settlement).toBeNull();
    expect(await confirmShown(admin, receipt.id, 'evidence')).toMatchObject({
      status: 409,
      body: { code: 'wrong_state' },
    });
    await user.post(`/receipts/${receipt.id}/evidence`, evidence);
    const confirmed = await confirmShown(admin, receipt.id, 'evidence');
    expect(confirmed.body).toMatchObject({
      state: 'signed',
      receipt_signature: evidence.receipt_signature,
      settlement: null,
    });
    const [row] = await world.sql(
      'select evidence from signature where receipt_id = $1',
      [receipt.id],
      world.businesses[0].businessId,
    );
    expect(row?.evidence).toMatchObject({
      by: expect.stringMatching(/^per_/),
      confirmed_by: expect.stringMatching(/^per_/),
    });
  });

  test('is confirmed as it was looked at: another proposal that took its place meanwhile is not', async () => {
    const { receipt, evidence } = await lost();
    const propose = async (source: string) =>
      (await user.post(`/receipts/${receipt.id}/evidence`, { ...evidence, source })).body.settlement
        .proposed_at as string;
    const confirm = (body: object) => admin.post(`/receipts/${receipt.id}/evidence/confirm`, body);
    await propose('the portal, list of sales');
    const { proposed_at: looked } = (await present(receipt.id)).settlement;
    expect((await user.post(`/receipts/${receipt.id}/evidence/drop`)).status).toBe(200);
    const dropped = await propose('another list');
    expect(await confirm({ proposed_at: looked })).toMatchObject({
      status: 409,
      body: { code: 'version_conflict' },
    });
    // Nor where it was overwritten without having been taken back, nor without a word of which one
    // is meant.
    const last = await propose('a third list');
    expect(await confirm({ proposed_at: dropped })).toMatchObject({
      status: 409,
      body: { code: 'version_conflict' },
    });
    expect(await confirm({})).toMatchObject({ status: 400, body: { field: 'proposed_at' } });
    expect(await present(receipt.id)).toMatchObject({
      state: 'in_doubt',
      settlement: { proposed_at: last, evidence: { source: 'a third list' } },
    });
    expect((await confirm({ proposed_at: last })).body).toMatchObject({
      state: 'signed',
      settlement: null,
    });
  });

  test('has said nothing of the next doubt: what was proposed of one that ended by itself is not there to be confirmed', async () => {
    const [business] = world.businesses;
    const document = newInvoice();
    const nothing = { found: false, source: 'the portal, list of the day' };
    const lostAndRefused = async () => {
      world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 60 }, () => 'refuse:910')]);
      const { body } = await admin.seal('invoices', document.id);
      return until(
        () => present(body.id),
        (each) => each.state === 'in_doubt' && each.problem?.device_code === '910',
      );
    };
    await world.sql(
      "update membership set permissions = '{settle}' where role = 'business_user'",
      [],
      business.businessId,
    );
    const { id } = await lostAndRefused();
    const proposed = await until(
      () => user.post(`/receipts/${id}/evidence`, nothing),
      (each) => each.status === 200,
    );
    expect(proposed.body).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: false } },
    });
    // Its device signs it before anybody has confirmed that it did not.
    world.vsdc.faults([]);
    expect(
      await until(
        () => present(id),
        (each) => each.state !== 'in_doubt',
      ),
    ).toMatchObject({ state: 'signed', settlement: null });
    expect(await confirmShown(admin, id, 'evidence')).toMatchObject({
      status: 409,
      body: { code: 'wrong_state' },
    });
  });

  test('says that the number is another program’s: two of them, and the document is sold once under its next number', async () => {
    const [business] = world.businesses;
    const document = newInvoice();
    const [{ next }] = (await world.sql(
      'select next_invoice_number::text as next from device where sdc_id is not null order by id limit 1',
      [],
      business.businessId,
    )) as [{ next: string }];
    // Whatever goes again gets lost as well until somebody else has signed under that very number.
    world.vsdc.faults(Array.from({ length: 200 }, () => 'drop_before_signing'));
    const { body } = await admin.seal('invoices', document.id);
    world.vsdc.signElsewhere(business.taxpayerId, '00', next);
    world.vsdc.faults([]);
    const receipt = await until(
      () => present(body.id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect(receipt.invoice_number).toBe(next);
    const proposed = await admin.post(`/receipts/${receipt.id}/evidence`, {
      found: 'other',
      source: 'the log of the VSDC',
    });
    expect(proposed.body).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: 'other' } },
    });
    expect(await confirmShown(admin, receipt.id, 'evidence')).toMatchObject({
      status: 409,
      body: { code: 'second_person_required' },
    });
    await world.sql(
      "update membership set permissions = '{settle,check}' where role = 'business_user'",
      [],
      business.businessId,
    );
    expect((await confirmShown(user, receipt.id, 'evidence')).status).toBe(200);
    const signed = await until(
      () => present(receipt.id),
      (each) => each.state === 'signed',
    );
    expect(BigInt(signed.invoice_number)).toBeGreaterThan(BigInt(next));
    expect(
      world.vsdc.receipts().filter((each) => each.request.remark === document.number),
    ).toHaveLength(1);
  });

  test('waits a moment with whose the number is while another document that had it before is on its way', async () => {
    const [business] = world.businesses;
    await world.sql(
      "update membership set permissions = '{settle,check}' where role = 'business_user'",
      [],
      business.businessId,
    );
    const before = newInvoice();
    world.vsdc.faults(['refuse:910']);
    const { body: refused } = await admin.seal('invoices', before.id);
    const { receipt } = await lost();
    expect([refused.state, refused.problem.code]).toEqual(['refused', 'refused_amounts']);
    expect(
      (
        await admin.post(`/receipts/${receipt.id}/evidence`, {
          found: 'other',
          source: 'the log of the VSDC',
        })
      ).status,
    ).toBe(200);
    world.vsdc.faults(['hold_answer']);
    const again = admin.seal('invoices', before.id);
    await until(
      () => world.vsdc.receipts().filter((each) => each.request.remark === before.number),
      (held) => held.length === 1,
    );
    const told = await confirmShown(user, receipt.id, 'evidence');
    expect(told).toMatchObject({
      status: 409,
      body: { code: 'holder_under_way', title: expect.stringContaining(before.number) },
    });
    expect(await present(receipt.id)).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: 'other' } },
    });
    world.vsdc.release();
    expect((await again).body).toMatchObject({ state: 'signed' });
    expect((await confirmShown(user, receipt.id, 'evidence')).status).toBe(200);
    // It goes again by itself: what comes next finds a lane at rest.
    await until(
      () => present(receipt.id),
      (each) => each.state === 'signed',
    );
  });

  test('does not wait where whoever sent that one is gone and its device is paused: it is in doubt then', async () => {
    const { businessId, branchIds } = world.businesses[0];
    await world.sql(
      "update membership set permissions = '{settle,check}' where role = 'business_user'",
      [],
      businessId,
    );
    // What was numbered anew before has gone: the device's faults are for these.
    await until(
      () => world.sql("select 1 from receipt where state = 'queued'", [], businessId),
      (rows) => rows.length === 0,
    );
    const before = newInvoice();
    world.vsdc.faults(['refuse:910']);
    const { body: refused } = await admin.seal('invoices', before.id);
    const { receipt } = await lost();
    expect(
      (
        await admin.post(`/receipts/${receipt.id}/evidence`, {
          found: 'other',
          source: 'the log of the VSDC',
        })
      ).status,
    ).toBe(200);
    expect((await admin.post(`/branches/${branchIds[0]}/pause`)).status).toBe(200);
    await until(
      () =>
        world.sql(
          'select 1 from device where branch_id = $1 and lane_holder is not null',
          [branchIds[0]],
          businessId,
        ),
      (held) => held.length === 0,
    );
    // As if another server had sent it under the next number, and had ended.
    await world.sql(
      `with d as (update device set next_invoice_number = next_invoice_number + 1, open_attempt = 'att_gone', lane_holder = 'another server',
                    lane_until = now() - interval '1 second' where id = (select device_id from receipt where id = $1) returning id, next_invoice_number - 1 as next),
            a as (insert into attempt (business_id, id, receipt_id, device_id, invoice_number, is_resend, request, worker, started_at, socket_until)
                  select business_id, 'att_gone', receipt_id, device_id, next, false, replace(request, '"invcNo":' || invoice_number, '"invcNo":' || next), 'another server',
                    now(), now() - interval '1 second' from attempt join d on d.id = device_id where receipt_id = $1 order by ordinal limit 1)
       update receipt set state = 'queued', problem = null, invoice_number = next from d where receipt.id = $1`,
      [refused.id],
      businessId,
    );
    expect((await confirmShown(user, receipt.id, 'evidence')).status).toBe(200);
    expect(await present(refused.id)).toMatchObject({
      state: 'in_doubt',
      problem: { code: 'maybe_signed' },
    });
    expect((await admin.post(`/branches/${branchIds[0]}/resume`)).status).toBe(200);
    const becomes = (id: string, is: { state: string; problem?: string }) =>
      until(
        () => present(id),
        (each) => each.state === is.state && each.problem?.code === is.problem,
      );
    await becomes(receipt.id, { state: 'signed' });
    // It may be signed under the first number: only when that is another's as well is the device
    // asked about the next one.
    await becomes(refused.id, { state: 'in_doubt', problem: 'signed_answer_lost' });
    expect(
      (
        await admin.post(`/receipts/${refused.id}/evidence`, {
          found: 'other',
          source: 'the log of the VSDC',
        })
      ).status,
    ).toBe(200);
    expect((await confirmShown(user, refused.id, 'evidence')).status).toBe(200);
    await becomes(refused.id, { state: 'signed' });
    expect(
      world.vsdc.receipts().filter((each) => each.request.remark === before.number),
    ).toHaveLength(1);
  });
});

test('a document that is on its way elsewhere when its earlier number turns out to be taken is in doubt about that as soon as it is refused there', async () => {
  const [business] = world.businesses;
  const [home, away] = world.zoho.organization(business.organizationId).locations;
  await admin.put('/mappings/location', {
    mappings: [{ key: away?.location_id, value: { branch_id: business.branchIds[1] } }],
  });
  await world.sql(
    "update membership set permissions = '{settle,check}' where role = 'business_user'",
    [],
    business.businessId,
  );
  const document = newInvoice({
    created_time: new Date(Date.now() + 60_000).toISOString().replace(/\.\d+Z$/, '+0000'),
    location_id: home?.location_id,
  });
  const judged = (number: string) =>
    world.vsdc.receipts().filter((each) => each.request.remark === number);
  const script = (bhfId: string, ...next: string[]) =>
    world.vsdc.faults(next, { tin: business.taxpayerId, bhfId });
  script('00', 'sign_then_refuse:910');
  const first = (await admin.seal('invoices', document.id)).body;
  expect(first).toMatchObject({ state: 'refused', branch_code: '00' });
  const [held] = judged(document.number);
  const number = String(held?.request.invcNo);
  world.zoho.change('invoices', document.id, { location_id: away?.location_id });
  script('01', 'hold_then_refuse:910');
  const sealing = admin.seal('invoices', document.id);
  await until(
    () =>
      world.sql(
        'select 1 from receipt r join attempt a on a.receipt_id = r.id where r.document_id = $1 and r.id <> $2 and a.ended_at is null',
        [document.id, first.id],
        business.businessId,
      ),
    (open) => open.length === 1,
  );
  const met = (await admin.seal('invoices', newInvoice().id)).body;
  expect(met).toMatchObject({
    state: 'in_doubt',
    invoice_number: number,
    problem: { code: 'number_collision' },
  });
  const doubt = await until(
    () => {
      world.vsdc.release();
      return present(first.id);
    },
    (each) => each.state === 'in_doubt',
  );
  expect(doubt).toMatchObject({
    branch_code: '00',
    invoice_number: number,
    problem: { code: 'signed_answer_lost' },
  });
  expect((await sealing).body.state).not.toBe('signed');
  expect((await admin.seal('invoices', document.id)).body).toMatchObject({
    id: first.id,
    state: 'in_doubt',
  });
  // Nothing of the one that met the number stands under it: it goes behind it.
  expect(
    (
      await admin.post(`/branches/${business.branchIds[0]}/resume`, {
        last_invoice_number: number,
        evidence: 'the log of the VSDC',
      })
    ).status,
  ).toBe(200);
  expect((await admin.post(`/receipts/${first.id}/evidence`, evidenceOf(held))).body).toMatchObject(
    { state: 'signed', invoice_number: number },
  );
  await until(
    () => present(met.id),
    (each) => each.state === 'signed',
  );
  expect(judged(document.number)).toHaveLength(1);
});

describe('a number that a document has sent something under at a device, was moved from, and came back to', () => {
  const script = (bhfId: string, ...next: string[]) =>
    world.vsdc.faults(next, { tin: world.businesses[0].taxpayerId, bhfId });
  /**
   * Refused at each device it comes to, where its location says; the receipt of the first one, and
   * the number it gave back there.
   */
  async function refusedAt(...branchCodes: string[]) {
    const { organizationId, businessId, branchIds } = world.businesses[0];
    await world.sql(
      "update membership set permissions = '{settle,check}' where role = 'business_user'",
      [],
      businessId,
    );
    // Whatever goes by itself after the test before has gone: the device's faults are for this
    // document.
    await until(
      () =>
        world.sql(
          "select 1 from receipt where state = 'queued' or state = 'in_doubt' and problem->>'code' = 'maybe_signed'",
          [],
          businessId,
        ),
      (rows) => rows.length === 0,
    );
    const [home, away] = world.zoho
      .organization(organizationId)
      .locations.map((each) => each.location_id);
    await admin.put('/mappings/location', {
      mappings: [{ key: away, value: { branch_id: branchIds[1] } }],
    });
    // Created after its location was mapped.
    const document = newInvoice({
      created_time: new Date(Date.now() + 60_000).toISOString().replace(/\.\d+Z$/, '+0000'),
    });
    const goTo = (branchCode: string) =>
      world.zoho.change('invoices', document.id, {
        location_id: branchCode === '00' ? home : away,
      });
    const ids: string[] = [];
    for (const branch_code of branchCodes) {
      goTo(branch_code);
      script(branch_code, 'refuse:910');
      const { body } = await admin.seal('invoices', document.id);
      expect(body).toMatchObject({ state: 'refused', branch_code });
      ids.push(body.id as string);
    }
    script('00');
    const tried = await world.sql(
      'select invoice_number::text as number from attempt where receipt_id = $1',
      [ids[0]],
      businessId,
    );
    return { document, goTo, ids, number: tried[0]?.number as string };
  }
  const standing = async ({ document }: { document: { id: string } }) =>
    (await admin.get(`/receipts?module=invoices&document_id=${document.id}`)).body.receipts?.find(
      (each: { problem: { code: string } | null }) => each.problem?.code !== 'receipt_moved',
    );
  const isAnothers = async (id: string) => {
    expect(
      (
        await admin.post(`/receipts/${id}/evidence`, {
          found: 'other',
          source: 'the log of the VSDC',
        })
      ).status,
    ).toBe(200);
    expect((await confirmShown(user, id, 'evidence')).status).toBe(200);
  };
  const device = async () =>
    (await admin.get('/branches')).body.branches.find(
      (each: { id: string }) => each.id === world.businesses[0].branchIds[0],
    ).device;

  test('is asked of it once, and it is no stranger beside itself', async () => {
    const { taxpayerId } = world.businesses[0];
    const moved = await refusedAt('00', '01', '00', '01');
    world.vsdc.signElsewhere(taxpayerId, '00', moved.number);
    // Told at once that it is taken, the next one goes under another number.
    expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({ state: 'signed' });
    expect(await device()).toMatchObject({ state: 'active', problem: null });
    const doubt = await standing(moved);
    expect(doubt).toMatchObject({
      state: 'in_doubt',
      invoice_number: moved.number,
      branch_code: '00',
      problem: { code: 'signed_answer_lost' },
    });
    const told = ((await admin.get('/alerts')).body.alerts as { subject: string }[]).filter(
      (each) => moved.ids.includes(each.subject),
    );
    expect(told).toEqual([]);
    await isAnothers(doubt.id);
    expect(
      await until(
        () => standing(moved),
        (each) => each.state !== 'queued',
      ),
    ).toMatchObject({ state: 'signed', branch_code: '01' });
    expect(await device()).toMatchObject({ state: 'active', problem: null });
  });

  test('that two persons have said to be another’s is not asked of what it had sent before', async () => {
    const { taxpayerId } = world.businesses[0];
    const moved = await refusedAt('00', '01');
    moved.goTo('00');
    script('00', ...Array.from({ length: 200 }, () => 'drop_before_signing'));
    const { body } = await admin.seal('invoices', moved.document.id);
    world.vsdc.signElsewhere(taxpayerId, '00', moved.number);
    script('00');
    await until(
      () => present(body.id),
      (each) => each.problem?.code === 'signed_answer_lost' && each.invoice_number === moved.number,
    );
    await isAnothers(body.id);
    expect(
      await until(
        () => standing(moved),
        (each) => each.state !== 'queued',
      ),
    ).toMatchObject({ id: body.id, state: 'signed', branch_code: '00' });
    expect(await device()).toMatchObject({ state: 'active', problem: null });
  });
});
