import { loadDialects } from '@muhuri/server/dialects/index';
import { verifyEvidence } from '@muhuri/server/receipts/index';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Api, confirmShown, until } from '../api.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { startRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';
import { approvedFor, startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
let second: Api;
beforeAll(async () => {
  world = await startWorld({
    instead: {
      vsdc: { answerTimeoutMs: 700, lateTimeoutMs: 20_000 },
      timing: {
        retryFirstMs: 50,
        retryMaxMs: 200,
        settleQuietMs: 50,
        settleMaxMs: 100,
        doubtWaitMs: 100,
        leaseMs: 5_000,
        recordMaxMs: 500,
      },
      sweepMs: 200,
      waitMs: 10_000,
    },
  });
  const [business] = world.businesses;
  admin = await Api.signIn(world, business.admin);
  const colleague = {
    username: 'second@inzozi',
    name: 'Second',
    email: 'second@inzozi.example',
    password: 'second-demo-only',
    role: 'business_admin' as const,
  };
  await world.app.addPerson(business.businessId, colleague);
  second = await Api.signIn(world, {
    ...business.admin,
    username: colleague.username,
    password: colleague.password,
  });
  // The items are registered by the first sale, so that what follows is about sales alone.
  await admin.seal('invoices', newInvoice().id);
});
afterAll(() => world?.[Symbol.asyncDispose]());

let made = 0;
const newInvoice = (what = 'simple sale') => copyOf('invoices', 'invoice', what, {});
const newCreditNote = ({ id, number }: { id: string; number: string }) =>
  copyOf('creditnotes', 'creditnote', 'credit note of the whole sale', {
    invoice_id: id,
    invoice_number: number,
    invoices: [{ invoice_id: id, invoice_number: number, amount: 1 }],
  });
function copyOf(
  module: 'invoices' | 'creditnotes',
  key: string,
  what: string,
  patch: Record<string, unknown>,
): { id: string; number: string } {
  const [business] = world.businesses;
  const source = world.zoho
    .documents()
    .find((each) => each.organization_id === business.organizationId && each.what.startsWith(what));
  made += 1;
  const [id, number] = [`46000000078${String(made).padStart(6, '0')}`, `LS-${made}`];
  world.zoho.add(module, business.organizationId, {
    ...structuredClone(world.zoho.document(module, source?.id ?? '')),
    ...patch,
    [`${key}_id`]: id,
    [`${key}_number`]: number,
  });
  return { id, number };
}
const present = async (id: string) => (await admin.get(`/receipts/${id}`)).body;
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
const alertsOf = async (id: string) =>
  ((await admin.get('/alerts')).body.alerts as { subject: string; problem: { code: string } }[])
    .filter((each) => each.subject === id)
    .map((each) => each.problem.code);
const branchId = () => world.businesses[0].branchIds[0] as string;
/**
 * As if whoever waits for the answer were taken for gone, which is when people and the lane may
 * judge its document.
 */
const giveUpOn = (receiptId: string) =>
  world.sql(
    'update attempt set socket_closed_at = now() where receipt_id = $1 and socket_closed_at is null',
    [receiptId],
    world.businesses[0].businessId,
  );
/**
 * That a send is begun says nothing of whether it has come to the device: what lies there is let go
 * until it has.
 */
const isLate = (id: string) =>
  until(
    () => {
      world.vsdc.release();
      return present(id);
    },
    (each) => each.second_signatures?.length > 0,
  );
const allowReversals = (yes: boolean) =>
  world.sql(
    "update business set settings = settings || jsonb_build_object('reversal_without_data', $1::boolean)",
    [yes],
    world.businesses[0].businessId,
  );
const packOf = async (id: string) => {
  await world.app.settle();
  return JSON.parse((await admin.file(`/receipts/${id}/evidence-pack`)).bytes.toString('utf8')) as {
    pack: string;
  };
};

/**
 * A document whose first send lies on its way, whose second one the device refuses, and that a
 * person has said is not there.
 */
async function settledNotSigned(
  document = newInvoice(),
  seal = () => admin.seal('invoices', document.id),
  first: 'hold' | 'hold_answer' | 'drop_before_signing' | 'drop_after_signing' = 'hold',
) {
  world.vsdc.faults([first, ...Array.from({ length: 20 }, () => 'refuse:910')]);
  const { body } = await seal();
  expect(body).toMatchObject({ state: 'in_doubt', problem: { code: 'maybe_signed' } });
  await giveUpOn(body.id);
  await until(
    () =>
      admin.post(`/receipts/${body.id}/evidence`, {
        found: false,
        source: 'the portal, list of the day',
      }),
    (each) => each.status === 200,
  );
  world.vsdc.faults([]);
  expect(await present(body.id)).toMatchObject({ state: 'refused', invoice_number: null });
  return { document, id: body.id as string, number: body.invoice_number as string };
}

/** The doubt of a document goes on about another number, which the device says to be used. */
const goesOnUnder = (id: string, number: string) =>
  until(
    () => present(id),
    (each) => each.problem?.code === 'signed_answer_lost' && each.invoice_number === number,
  );

/** The database takes no signature that comes late, until it is told to. */
async function refuseSeconds(): Promise<() => Promise<void>> {
  const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
  await owner.connect();
  const takeThem = async () =>
    void (await owner.query('alter table second_signature drop constraint if exists refuses'));
  onTestFinished(async () => {
    await takeThem();
    await owner.end();
  });
  await owner.query('alter table second_signature add constraint refuses check (false) not valid');
  return takeThem;
}

describe('a signature that comes after its document was settled as not signed', () => {
  test('is kept beside it, and nothing more of it is sealed until a person takes it for the receipt', async () => {
    const { document, id, number } = await settledNotSigned();
    const late = await isLate(id);
    const [held] = judged(document.number);
    expect(late).toMatchObject({
      state: 'refused',
      problem: { code: 'signed_twice' },
      second_signatures: [
        {
          invoice_number: number,
          receipt_signature: held?.reply.rcptSign,
          internal_data: held?.reply.intrlData,
          settled_as: null,
        },
      ],
    });
    expect(await alertsOf(id)).toContain('signed_twice');
    expect(await admin.seal('invoices', document.id)).toMatchObject({
      status: 409,
      body: { code: 'signed_twice', invoice_number: number },
    });
    expect(
      (await admin.get(`/receipts/preflight?module=invoices&document_id=${document.id}`)).body,
    ).toMatchObject({
      ready: false,
      findings: [{ code: 'signed_twice' }],
    });
    // Its number is not given to another: the device has used it.
    const other = await admin.seal('invoices', newInvoice().id);
    expect(other.body.state).toBe('signed');
    expect(other.body.invoice_number).not.toBe(number);
    expect(judged(document.number)).toHaveLength(1);

    const is = {
      found: 'late',
      receipt_signature: held?.reply.rcptSign,
      as: 'receipt',
      source: 'portal, sale of the day',
    };
    expect(
      await admin.post(`/receipts/${id}/evidence`, { ...is, receipt_signature: 'ANOTHER' }),
    ).toMatchObject({ status: 409, body: { code: 'wrong_state' } });
    expect((await admin.post(`/receipts/${id}/evidence`, is)).body).toMatchObject({
      state: 'signed',
      problem: null,
      invoice_number: number,
      receipt_signature: held?.reply.rcptSign,
      second_signatures: [{ settled_as: 'receipt' }],
    });
    expect(await alertsOf(id)).toEqual([]);
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({ id, state: 'signed' });
    expect(judged(document.number)).toHaveLength(1);
    const file = await packOf(id);
    expect(
      verifyEvidence(
        file,
        { dialects: await loadDialects(), version: 'any' },
        { anyKey: true },
      ).filter((each) => !each.holds),
    ).toEqual([]);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('and that the database refuses is a doubt once more: nothing more of it is sealed until a person has settled that with the answer that is kept', async () => {
    const { document, id, number } = await settledNotSigned();
    const takeThem = await refuseSeconds();
    const doubted = await until(
      () => {
        world.vsdc.release();
        return present(id);
      },
      (each) => each.state !== 'refused',
    );
    expect(doubted).toMatchObject({
      state: 'in_doubt',
      invoice_number: number,
      problem: { code: 'signed_answer_lost' },
    });
    await takeThem();
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({
      id,
      state: 'in_doubt',
    });
    // Its number is not given to another: the device has used it.
    const other = await admin.seal('invoices', newInvoice().id);
    expect(other.body.state).toBe('signed');
    expect(other.body.invoice_number).not.toBe(number);
    const [held] = judged(document.number);
    expect((await admin.post(`/receipts/${id}/evidence`, { found: 'kept' })).body).toMatchObject({
      state: 'signed',
      invoice_number: number,
      receipt_signature: held?.reply.rcptSign,
    });
    expect(judged(document.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('and that the database refuses, is asked about once its document is not signed under the number it is in doubt about meanwhile', async () => {
    const { businessId } = world.businesses[0];
    const setFree = (numbers: string[]) =>
      world.sql(
        'update device set free_numbers = $1::bigint[] where branch_id = $2',
        [numbers, branchId()],
        businessId,
      );
    const { document, id, number } = await settledNotSigned();
    // As if another held the number meanwhile, and gave it back.
    await setFree([]);
    world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 40 }, () => 'refuse:910')]);
    const { body } = await admin.seal('invoices', document.id);
    expect(body).toMatchObject({ id, state: 'in_doubt', problem: { code: 'maybe_signed' } });
    expect(body.invoice_number).not.toBe(number);
    await setFree([number]);
    const takeThem = await refuseSeconds();
    await until(
      () => {
        world.vsdc.release();
        return alertsOf(id);
      },
      (all) => all.includes('late_signature'),
    );
    await takeThem();
    // The device has used it.
    expect(
      await world.sql('select 1 from device where $1 = any(free_numbers)', [number], businessId),
    ).toEqual([]);
    await giveUpOn(id);
    await goesOnUnder(id, number);
    world.vsdc.faults([]);
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({
      id,
      state: 'in_doubt',
    });
    expect((await admin.post(`/receipts/${id}/evidence`, { found: 'kept' })).body).toMatchObject({
      state: 'signed',
      invoice_number: number,
    });
    expect(judged(document.number)).toHaveLength(1);
    // Nobody can know of the other one what it is: it is told of, and given to nobody.
    expect(await alertsOf(id)).toContain('maybe_signed_twice');
    const after = (await admin.seal('invoices', newInvoice().id)).body;
    expect(after.state).toBe('signed');
    expect(BigInt(after.invoice_number)).toBeGreaterThan(BigInt(body.invoice_number));
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('and that the database refuses, is asked about once its document, on its way under another number meanwhile, is not signed under that', async () => {
    const { businessId } = world.businesses[0];
    const { document, id, number } = await settledNotSigned();
    await until(
      () =>
        world.sql(
          'select 1 from device where branch_id = $1 and lane_holder is null',
          [branchId()],
          businessId,
        ),
      (atRest) => atRest.length === 1,
    );
    // As if another document held the number meanwhile, and another server had sent this one under
    // the next.
    const [{ next } = {}] = await world.sql(
      `with d as (update device set free_numbers = '{}', next_invoice_number = next_invoice_number + 1, open_attempt = 'att_elsewhere', lane_holder = 'another server',
                    lane_until = now() + interval '1 hour' where branch_id = $1 returning id, next_invoice_number - 1 as next),
            a as (insert into attempt (business_id, id, receipt_id, device_id, invoice_number, is_resend, request, worker, started_at, socket_until)
                  select business_id, 'att_elsewhere', receipt_id, device_id, next, false, replace(request, '"invcNo":' || invoice_number, '"invcNo":' || next), 'another server',
                    now(), now() + interval '1 hour' from attempt join d on d.id = device_id where receipt_id = $2 order by ordinal limit 1)
       update receipt set state = 'queued', problem = null, invoice_number = next from d where receipt.id = $2 returning next::text`,
      [branchId(), id],
      businessId,
    );
    const takeThem = await refuseSeconds();
    await until(
      () => {
        world.vsdc.release();
        return alertsOf(id);
      },
      (all) => all.includes('late_signature'),
    );
    await takeThem();
    expect(await present(id)).toMatchObject({ state: 'queued', invoice_number: next });
    // That server is gone: it is asked about once more, and the device has not signed it.
    world.vsdc.faults(Array.from({ length: 40 }, () => 'refuse:910'));
    await world.sql(
      'update device set lane_until = now() where branch_id = $1',
      [branchId()],
      businessId,
    );
    await goesOnUnder(id, number);
    world.vsdc.faults([]);
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({
      id,
      state: 'in_doubt',
    });
    expect((await admin.post(`/receipts/${id}/evidence`, { found: 'kept' })).body).toMatchObject({
      state: 'signed',
      invoice_number: number,
    });
    expect(judged(document.number)).toHaveLength(1);
    expect(await alertsOf(id)).toContain('maybe_signed_twice');
    const after = (await admin.seal('invoices', newInvoice().id)).body;
    expect(after.state).toBe('signed');
    expect(BigInt(after.invoice_number)).toBeGreaterThan(BigInt(next as string));
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('is not said to be another’s while its document is in doubt about another number, and is its receipt once that is over', async () => {
    const { businessId } = world.businesses[0];
    const { document, id, number } = await settledNotSigned();
    // As if another had held the number meanwhile, and met it taken.
    await world.sql(
      "update device set free_numbers = '{}' where branch_id = $1",
      [branchId()],
      businessId,
    );
    world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 40 }, () => 'refuse:910')]);
    const { body } = await admin.seal('invoices', document.id);
    expect(body).toMatchObject({ id, state: 'in_doubt', problem: { code: 'maybe_signed' } });
    const under = 'receipt_id = $1 and invoice_number = $2 and may_have_left';
    // Once it has come, nothing of the document is sent any more.
    await until(
      async () => {
        await giveUpOn(id);
        return world.sql(
          `select 1 from attempt where ${under} and outcome = 'refused'`,
          [id, body.invoice_number],
          businessId,
        );
      },
      (refused) => refused.length > 0,
    );
    await world.sql(
      `update attempt set resolution = 'doubtful' where ${under}`,
      [id, number],
      businessId,
    );
    const late = await isLate(id);
    const settled = await world.sql(
      `select distinct resolution from attempt where ${under}`,
      [id, number],
      businessId,
    );
    expect(settled).toEqual([{ resolution: 'signed' }]);
    const is = {
      found: 'late',
      receipt_signature: late.second_signatures[0].receipt_signature,
      as: 'receipt',
      source: 'portal, sale of the day',
    };
    await giveUpOn(id);
    await until(
      () =>
        admin.post(`/receipts/${id}/evidence`, {
          found: false,
          source: 'the portal, list of the day',
        }),
      (each) => each.status === 200,
    );
    world.vsdc.faults([]);
    expect((await admin.post(`/receipts/${id}/evidence`, is)).body).toMatchObject({
      state: 'signed',
      invoice_number: number,
    });
    expect(judged(document.number)).toHaveLength(1);
    // What it was not signed under is the next one's.
    expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({
      state: 'signed',
      invoice_number: body.invoice_number,
    });
  });

  test('and that the database refuses, is only told of where a refund has undone the sale under that number', async () => {
    const { document, id, number } = await settledNotSigned();
    const { businessId } = world.businesses[0];
    // As if it had been lost, and undone; what was sold anew was refused.
    await world.sql(
      "update attempt set resolution = 'reversed' where receipt_id = $1 and resolution is not null",
      [id],
      businessId,
    );
    const takeThem = await refuseSeconds();
    await until(
      () => {
        world.vsdc.release();
        return alertsOf(id);
      },
      (all) => all.includes('late_signature'),
    );
    await takeThem();
    expect(await present(id)).toMatchObject({ state: 'refused', invoice_number: null });
    const again = (await admin.seal('invoices', document.id)).body;
    expect(again).toMatchObject({ id, state: 'signed' });
    expect(again.invoice_number).not.toBe(number);
    // Nobody has said whose the total is that was undone.
    expect(
      (await admin.post(`/branches/${branchId()}/resume`, { evidence: 'the portal: undone' }))
        .status,
    ).toBe(200);
  });

  test('and sent anew keeps it from being sent; only two persons who show that it was undone let it go again', async () => {
    const { document, id, number } = await settledNotSigned();
    expect((await admin.post(`/branches/${branchId()}/pause`)).status).toBe(200);
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({ id, state: 'queued' });
    await isLate(id);
    await admin.post(`/branches/${branchId()}/resume`);
    expect((await admin.seal('invoices', newInvoice().id)).body.state).toBe('signed');
    expect(await present(id)).toMatchObject({ state: 'queued', problem: { code: 'signed_twice' } });
    expect(judged(document.number)).toHaveLength(1);

    const undone = {
      found: 'late',
      receipt_signature: judged(document.number)[0]?.reply.rcptSign,
      as: 'undone',
      source: 'refund 12 in the portal',
    };
    expect((await admin.post(`/receipts/${id}/evidence`, undone)).body).toMatchObject({
      state: 'queued',
      settlement: { evidence: { as: 'undone' } },
    });
    expect((await confirmShown(admin, id, 'evidence')).body.code).toBe('second_person_required');
    expect((await confirmShown(second, id, 'evidence')).body).toMatchObject({
      settlement: null,
      second_signatures: [{ settled_as: 'undone' }],
    });
    const signed = await until(
      () => present(id),
      (each) => each.state === 'signed',
    );
    expect(signed.invoice_number).not.toBe(number);
    expect(judged(document.number).map((each) => String(each.request.invcNo))).toEqual([
      number,
      signed.invoice_number,
    ]);
  });
});

describe('what was sent while the server’s clock was ahead, which was set right since,', () => {
  const of = () => world.businesses[0].businessId;
  /**
   * These times of it then; whatever comes after has the present ones. Not between what the lane
   * reads and what it writes down.
   */
  const wasAhead = (receiptId: string, which: string, times = ['started_at']) =>
    world.sql(
      `with held as materialized (select 1 from device for update)
       update attempt set ${times.map((at) => `${at} = ${at} + interval '1 hour'`).join()} where receipt_id = $1 and ${which} and (select count(*) from held) > 0`,
      [receiptId],
      of(),
    );
  const outcomesOf = async (receiptId: string) =>
    (
      await world.sql(
        'select outcome from attempt where receipt_id = $1 and outcome is not null order by ordinal',
        [receiptId],
        of(),
      )
    ).map(({ outcome }) => outcome);

  test('is not taken for the last send: a document lost again after it was refused is not said to be unsigned', async () => {
    world.vsdc.faults([
      'drop_before_signing',
      'refuse:910',
      ...Array.from({ length: 500 }, () => 'drop_before_signing'),
    ]);
    const document = newInvoice();
    const { id } = (await admin.seal('invoices', document.id)).body;
    await until(
      async () => {
        await giveUpOn(id);
        return outcomesOf(id);
      },
      (all) => all.length > 2 && all[1] === 'refused',
    );
    await wasAhead(id, "outcome = 'refused'");
    const answer = await until(
      async () => {
        await giveUpOn(id);
        return admin.post(`/receipts/${id}/evidence`, {
          found: false,
          source: 'the portal, list of the day',
        });
      },
      ({ body }) => !JSON.stringify(body).includes('a send is under way'),
    );
    expect(answer).toMatchObject({ status: 409, body: { code: 'wrong_state' } });
    world.vsdc.faults([]);
    await until(
      () => present(id),
      (each) => each.state === 'signed',
    );
    expect(judged(document.number)).toHaveLength(1);
  });

  test('was refused before what the device has seen since: bytes that may have left stay as they are', async () => {
    const document = newInvoice();
    world.vsdc.faults(['refuse:910']);
    const { body } = await admin.seal('invoices', document.id);
    expect(body).toMatchObject({ state: 'refused', invoice_number: null });
    await wasAhead(body.id, 'true');
    world.vsdc.faults(Array.from({ length: 500 }, () => 'offline'));
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({
      id: body.id,
      state: 'queued',
    });
    await until(
      () => outcomesOf(body.id),
      (all) => all.includes('not_served'),
    );
    world.zoho.change('invoices', document.id, { customer_name: 'Corrected since' });
    await world.sql('update receipt set read_at = null where id = $1', [body.id], of());
    world.vsdc.faults([]);
    await until(
      () => present(body.id),
      (each) => each.state === 'signed',
    );
    expect(judged(document.number).map((each) => each.request.custNm)).toEqual([
      expect.not.stringContaining('Corrected'),
    ]);
  });

  test('may be signed before what was signed since: its late signature is its own', async () => {
    const document = newInvoice();
    world.vsdc.faults(['hold_answer']);
    const { body } = await admin.seal('invoices', document.id);
    expect(body).toMatchObject({ state: 'in_doubt', problem: { code: 'maybe_signed' } });
    const [held] = await until(
      async () => judged(document.number),
      (all) => all.length === 1,
    );
    expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({ state: 'signed' });
    await wasAhead(body.id, 'true');
    world.vsdc.release();
    const signed = await until(
      () => present(body.id),
      (each) => each.state === 'signed',
    );
    expect(signed).toMatchObject({ receipt_signature: held?.reply.rcptSign });
    expect(await alertsOf(body.id)).toEqual([]);
  });

  test('was refused before the next one was signed: the counters end its doubt', async () => {
    world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 50 }, () => 'refuse:910')]);
    const { id } = (await admin.seal('invoices', newInvoice().id)).body;
    await giveUpOn(id);
    await until(
      () => outcomesOf(id),
      (all) => all.at(-1) === 'refused',
    );
    // Asked about again only after an hour, so that what is under way now is the last.
    await wasAhead(id, "outcome = 'refused'", ['started_at', 'ended_at']);
    await until(
      () =>
        world.sql('select 1 from attempt where receipt_id = $1 and ended_at is null', [id], of()),
      (open) => open.length === 0,
    );
    world.vsdc.faults([]);
    expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({ state: 'signed' });
    expect(await present(id)).toMatchObject({
      state: 'refused',
      invoice_number: null,
      problem: { code: 'device_refused', device_code: '910' },
    });
  });
});

test('of a refund counts against its sale: no other refund takes its place before a person has settled it', async () => {
  const sale = newInvoice('sale, refunded whole below');
  expect((await admin.seal('invoices', sale.id)).body.state).toBe('signed');
  const [note, other] = [newCreditNote(sale), newCreditNote(sale)];
  const refund = (of: { id: string }) => admin.seal('creditnotes', of.id, { reason_code: '06' });
  const { id } = await settledNotSigned(note, () => refund(note));
  expect(await isLate(id)).toMatchObject({ state: 'refused', problem: { code: 'signed_twice' } });
  expect(await refund(other)).toMatchObject({ status: 422, body: { code: 'refund_second' } });
  expect([judged(note.number).length, judged(other.number).length]).toEqual([1, 0]);
});

test('and sent anew and lost is not asked about while a person has to settle it; settled, it goes under a number of its own', async () => {
  const { document, id, number } = await settledNotSigned();
  world.zoho.change('invoices', document.id, { customer_name: 'Corrected since' });
  world.vsdc.faults(Array.from({ length: 20 }, () => 'drop_before_signing'));
  expect((await admin.seal('invoices', document.id)).body).toMatchObject({
    id,
    state: 'in_doubt',
    invoice_number: number,
  });
  await isLate(id);
  await giveUpOn(id);
  world.vsdc.faults([]);
  const sends = async () =>
    (
      await world.sql(
        'select id from attempt where receipt_id = $1',
        [id],
        world.businesses[0].businessId,
      )
    ).length;
  const before = await sends();
  expect((await admin.seal('invoices', newInvoice().id)).body.state).toBe('signed');
  expect(await present(id)).toMatchObject({ state: 'in_doubt', problem: { code: 'signed_twice' } });
  expect(await sends()).toBe(before);
  expect(judged(document.number).map((each) => each.request.custNm)).not.toContain(
    'Corrected since',
  );

  const undone = {
    found: 'late',
    receipt_signature: judged(document.number)[0]?.reply.rcptSign,
    as: 'undone',
    source: 'refund 14 in the portal',
  };
  expect(
    (await admin.post(`/receipts/${id}/evidence`, { ...undone, as: 'receipt' })).body,
  ).toMatchObject({ code: 'late_signature_differs' });
  await admin.post(`/receipts/${id}/evidence`, undone);
  expect((await confirmShown(second, id, 'evidence')).status).toBe(200);
  const signed = await until(
    () => present(id),
    (each) => each.state === 'signed',
  );
  expect(signed.invoice_number).not.toBe(number);
  expect(
    judged(document.number).map((each) => [String(each.request.invcNo), each.request.custNm]),
  ).toEqual([
    [number, expect.not.stringContaining('Corrected')],
    [signed.invoice_number, 'Corrected since'],
  ]);
  expect(disagreeing(await statesAndFacts(world)).filter((each) => each.id === id)).toEqual([]);
});

test('and sent anew, its number said to be taken, is numbered anew once a person has shown that the late signature under it was undone', async () => {
  const { document, id, number } = await settledNotSigned(undefined, undefined, 'hold_answer');
  world.zoho.change('invoices', document.id, { customer_name: 'Corrected since' });
  await admin.seal('invoices', document.id);
  await until(
    () => present(id),
    (each) => each.problem?.code === 'signed_answer_lost',
  );
  const late = await isLate(id);
  expect(late).toMatchObject({
    state: 'in_doubt',
    invoice_number: number,
    problem: { code: 'signed_twice' },
  });
  const undone = {
    found: 'late',
    receipt_signature: judged(document.number)[0]?.reply.rcptSign,
    as: 'undone',
    source: 'refund 15 in the portal',
  };
  await admin.post(`/receipts/${id}/evidence`, undone);
  expect((await confirmShown(second, id, 'evidence')).status).toBe(200);
  const signed = await until(
    () => present(id),
    (each) => each.state === 'signed',
  );
  expect(signed.invoice_number).not.toBe(number);
  expect(
    judged(document.number).map((each) => [String(each.request.invcNo), each.request.custNm]),
  ).toEqual([
    [number, expect.not.stringContaining('Corrected')],
    [signed.invoice_number, 'Corrected since'],
  ]);
  expect(disagreeing(await statesAndFacts(world)).filter((each) => each.id === id)).toEqual([]);
});

test('that its answer may still come is what a person sees and is told for as long as the server listens, although its time is over', async () => {
  const document = newInvoice();
  const { businessId } = world.businesses[0];
  world.vsdc.faults(['hold', ...Array.from({ length: 200 }, () => 'refuse:910')]);
  const { body } = await admin.seal('invoices', document.id);
  expect(body).toMatchObject({ state: 'in_doubt', problem: { code: 'maybe_signed' } });
  await giveUpOn(body.id);
  const doubt = async () => (await admin.get(`/receipts/${body.id}/doubt`)).body;
  await until(doubt, ({ sends }) => sends.at(-1).outcome === 'refused');
  // The time of its socket is over, and nobody has said that it is closed.
  await world.sql(
    "update attempt set socket_closed_at = null, socket_until = now() - interval '1 second' where receipt_id = $1 and outcome = 'in_doubt'",
    [body.id],
    businessId,
  );
  expect((await doubt()).sends[0]).toMatchObject({ outcome: 'in_doubt', may_still_answer: true });
  // Not while one of its other sends is under way.
  const told = await until(
    () => admin.post(`/receipts/${body.id}/evidence`, { found: false, source: 'the portal' }),
    (each) => each.body.reason !== 'a send is under way',
  );
  expect(told).toMatchObject({
    status: 409,
    body: { code: 'answer_may_come', title: expect.stringContaining('may still answer') },
  });
  const signed = await until(
    () => {
      world.vsdc.release();
      return present(body.id);
    },
    (each) => each.state === 'signed',
  );
  expect(signed).toMatchObject({ invoice_number: body.invoice_number });
  expect(judged(document.number)).toHaveLength(1);
});

test('a server that still waits for the answer while another one has judged its send keeps the signature as well', async () => {
  const document = newInvoice();
  const { businessId } = world.businesses[0];
  world.vsdc.faults(['hold']);
  const sealing = admin.seal('invoices', document.id);
  const [sent] = await until(
    () =>
      world.sql(
        'select a.id, a.receipt_id, a.device_id, a.invoice_number from attempt a where a.ended_at is null',
        [],
        businessId,
      ),
    (each) => each.length === 1,
  );
  // What another server writes that took it for gone, asked the device once more, and was told by a
  // person that nothing is there.
  await world.sql(
    `with a as (update attempt set outcome = 'in_doubt', ended_at = now(), socket_closed_at = now(), resolution = 'not_signed' where id = $1),
          r as (update receipt set state = 'refused', problem = '{"code": "device_refused"}', invoice_number = null where id = $2)
     update device set open_attempt = null, free_numbers = array_append(free_numbers, $4::bigint) where id = $3`,
    [sent?.id, sent?.receipt_id, sent?.device_id, sent?.invoice_number],
    businessId,
  );
  const late = await isLate(sent?.receipt_id as string);
  expect(late).toMatchObject({
    state: 'refused',
    problem: { code: 'signed_twice' },
    second_signatures: [
      { receipt_signature: judged(document.number)[0]?.reply.rcptSign, settled_as: null },
    ],
  });
  await sealing;
  const [kept] = await world.sql(
    'select response from attempt where id = $1',
    [sent?.id],
    businessId,
  );
  expect(kept?.response).toContain(judged(document.number)[0]?.reply.rcptSign);
  expect(
    await world.sql(
      'select 1 from device where $1 = any(free_numbers)',
      [sent?.invoice_number],
      businessId,
    ),
  ).toEqual([]);
});

test('its number is nobody’s any more where another document held it when it came, and does not go to the device', async () => {
  const { id, number } = await settledNotSigned();
  const { businessId } = world.businesses[0];
  const free = async () =>
    (
      await world.sql(
        'select free_numbers::text[] as free from device where branch_id = $1',
        [branchId()],
        businessId,
      )
    )[0]?.free;
  const moveTo = (address: string) =>
    world.sql(
      'update device set address = $1 where branch_id = $2',
      [address, branchId()],
      businessId,
    );
  await moveTo('http://127.0.0.1:9');
  const holds = (await admin.seal('invoices', newInvoice().id)).body;
  expect(holds).toMatchObject({ state: 'queued', invoice_number: number });
  await isLate(id);
  // Not while one of its tries is under way.
  const withdrawn = await until(
    () => admin.post(`/receipts/${holds.id}/withdraw`),
    (each) => each.status === 200,
  );
  expect(withdrawn.body).toMatchObject({ state: 'withdrawn' });
  expect(await free()).not.toContain(number);
  await moveTo(world.vsdc.url);
  const next = (await admin.seal('invoices', newInvoice().id)).body;
  expect(next.state).toBe('signed');
  const under = await world.sql(
    'select distinct invoice_number::text as number from attempt where receipt_id = $1',
    [next.id],
    businessId,
  );
  expect(under).toEqual([{ number: next.invoice_number }]);
});

describe('a signature that comes once two persons have confirmed to undo its sale', () => {
  const device = async () => (await admin.get('/branches')).body.branches[0].device;
  const lane = (is: 'pause' | 'resume') => admin.post(`/branches/${branchId()}/${is}`);
  const is = (id: string, state: string) =>
    until(
      () => present(id),
      (each) => each.state === state,
    );
  /**
   * The device has signed it and said so, and the answer lies on its way; asked again it says that
   * the number is taken. The refund waits in its lane.
   */
  async function toBeUndone() {
    await allowReversals(true);
    onTestFinished(async () => void (await allowReversals(false)));
    const document = newInvoice();
    world.vsdc.faults(['hold_answer']);
    const { id } = (await admin.seal('invoices', document.id)).body as { id: string };
    await giveUpOn(id);
    const lost = await until(
      () => present(id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    await lane('pause');
    await admin.post(`/receipts/${id}/reversal`, {
      reason_code: '06',
      source: 'portal and the log of the VSDC: not there',
    });
    const { reversal } = (await confirmShown(second, id, 'reversal')).body;
    return {
      document,
      id,
      number: lost.invoice_number as string,
      refundId: reversal.reversal_receipt_id as string,
    };
  }
  /** The same, and the refund has been at the device, which has not signed it yet. */
  async function onItsWay(fault: 'offline' | 'drop_before_signing') {
    const sale = await toBeUndone();
    world.vsdc.faults(Array.from({ length: 500 }, () => fault));
    await lane('resume');
    await until(
      () => present(sale.refundId),
      (each) =>
        fault === 'offline' ? each.problem?.device_code === '838' : each.state === 'in_doubt',
    );
    const late = await isLate(sale.id);
    expect(late).toMatchObject({
      state: 'in_doubt',
      invoice_number: sale.number,
      second_signatures: [{ invoice_number: sale.number, settled_as: null }],
    });
    // Nobody is asked to undo it once more: what comes of it, the refund says.
    expect(late.problem.code).toBe('reversal_under_way');
    expect(await alertsOf(sale.id)).toEqual([]);
    const is = {
      found: 'late',
      receipt_signature: late.second_signatures[0].receipt_signature,
      as: 'receipt',
      source: 'portal',
    };
    expect(await admin.post(`/receipts/${sale.id}/evidence`, is)).toMatchObject({
      status: 409,
      body: { code: 'reversal_under_way' },
    });
    return sale;
  }

  test('is its receipt while the refund waits: the refund is withdrawn before anything of it is sent', async () => {
    const { document, id, number, refundId } = await toBeUndone();
    const signed = await until(
      () => {
        world.vsdc.release();
        return present(id);
      },
      (each) => each.state === 'signed',
    );
    expect(signed).toMatchObject({ invoice_number: number, second_signatures: [] });
    expect((await present(refundId)).state).toBe('queued');
    await lane('resume');
    expect(await is(refundId, 'withdrawn')).toMatchObject({
      invoice_number: null,
      problem: { code: 'reversal_overtaken' },
    });
    // The lane goes on, and nothing of the refund has come to the device.
    expect((await admin.seal('invoices', newInvoice().id)).body.state).toBe('signed');
    expect(judged(document.number)).toHaveLength(1);
    expect(await alertsOf(id)).toEqual([]);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test.each(['offline', 'drop_before_signing'] as const)(
    'is undone by the refund that had left (%s) once that is signed, and the sale is sold anew once',
    async (fault) => {
      const { document, id, number, refundId } = await onItsWay(fault);
      world.vsdc.faults([]);
      const anew = await is(id, 'signed');
      expect(anew.invoice_number).not.toBe(number);
      expect(anew).toMatchObject({
        problem: null,
        second_signatures: [{ invoice_number: number, settled_as: 'reversed' }],
      });
      expect(anew.reversal.reversed_at).not.toBeNull();
      expect((await present(refundId)).state).toBe('signed');
      expect(judged(document.number).map((each) => String(each.request.orgInvcNo ?? 0))).toEqual([
        '0',
        number,
        '0',
      ]);
      expect([await alertsOf(id), await alertsOf(refundId)]).toEqual([[], []]);
      expect(await device()).toMatchObject({ state: 'active' });
      expect(disagreeing(await statesAndFacts(world))).toEqual([]);
    },
  );

  test('is its receipt after all where the refund that had left is refused', async () => {
    const { document, id, number, refundId } = await onItsWay('offline');
    world.vsdc.faults(['refuse:910']);
    await is(refundId, 'refused');
    expect(await present(id)).toMatchObject({
      state: 'signed',
      problem: null,
      invoice_number: number,
      receipt_signature: judged(document.number)[0]?.reply.rcptSign,
      second_signatures: [{ invoice_number: number, settled_as: 'receipt' }],
    });
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({ id, state: 'signed' });
    expect(judged(document.number)).toHaveLength(1);
    expect(await alertsOf(id)).toEqual([]);
    expect(await device()).toMatchObject({ state: 'active' });
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });
});

describe('a number that several documents gave back, and that the device has used', () => {
  /**
   * The first was signed under it and nobody knows; the second was refused under it; the third is
   * told that it is taken.
   */
  async function givenBackByTwo(isTakenOut = false, refused = newInvoice()) {
    const signed = await settledNotSigned(undefined, undefined, 'hold_answer');
    world.vsdc.faults(['refuse:910']);
    const { body } = await admin.seal('invoices', refused.id);
    expect(body).toMatchObject({ state: 'refused', invoice_number: null });
    world.vsdc.faults([]);
    const [{ tried } = {}] = await world.sql(
      'select invoice_number::text as tried from attempt where receipt_id = $1 order by ordinal desc limit 1',
      [body.id],
      world.businesses[0].businessId,
    );
    expect(tried).toBe(signed.number);
    if (isTakenOut) {
      expect((await admin.post(`/branches/${branchId()}/pause`)).status).toBe(200);
      expect((await admin.seal('invoices', refused.id)).body).toMatchObject({
        id: body.id,
        state: 'queued',
      });
      expect((await admin.post(`/receipts/${body.id}/withdraw`)).body).toMatchObject({
        state: 'withdrawn',
        problem: { code: 'withdrawn_by_person' },
      });
      expect((await admin.post(`/branches/${branchId()}/resume`)).status).toBe(200);
    }
    const next = newInvoice();
    const told = (await admin.seal('invoices', next.id)).body;
    return {
      signed,
      refused: { document: refused, id: body.id as string },
      next: { document: next, id: told.id as string, state: told.state as string },
    };
  }
  const free = async () =>
    (
      await world.sql(
        'select state, free_numbers::text[] as free from device where branch_id = $1',
        [branchId()],
        world.businesses[0].businessId,
      )
    )[0];

  test('keeps each of them from being sealed again until two persons have said whose it is; the others are not', async () => {
    const { signed, refused, next } = await givenBackByTwo();
    expect(next.state).toBe('signed');
    expect(judged(next.document.number)).toHaveLength(1);
    const lost = {
      state: 'in_doubt',
      invoice_number: signed.number,
      problem: { code: 'signed_answer_lost', invoice_number: signed.number },
    };
    expect(await present(signed.id)).toMatchObject({
      ...lost,
      problem: { ...lost.problem, title: expect.stringContaining(refused.document.number) },
    });
    expect(await present(refused.id)).toMatchObject({
      ...lost,
      problem: { ...lost.problem, title: expect.stringContaining(signed.document.number) },
    });
    for (const each of [signed, refused])
      expect((await admin.seal('invoices', each.document.id)).body).toMatchObject({
        id: each.id,
        state: 'in_doubt',
      });
    // A refund under the number would undo whichever of them was signed.
    await allowReversals(true);
    expect(
      await admin.post(`/receipts/${refused.id}/reversal`, { reason_code: '06', source: 'portal' }),
    ).toMatchObject({
      status: 409,
      body: { code: 'reversal_of_another', title: expect.stringContaining(signed.document.number) },
    });
    await allowReversals(false);

    const evidence = evidenceOf(judged(signed.document.number)[0]);
    expect((await admin.post(`/receipts/${signed.id}/evidence`, evidence)).body).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: true } },
    });
    expect((await confirmShown(second, signed.id, 'evidence')).body).toMatchObject({
      state: 'signed',
      invoice_number: signed.number,
    });
    expect(await present(refused.id)).toMatchObject({
      state: 'refused',
      invoice_number: null,
      problem: { code: 'device_refused', device_code: '910' },
    });
    expect(await free()).toMatchObject({
      state: 'active',
      free: expect.not.arrayContaining([signed.number]),
    });
    const again = (await admin.seal('invoices', refused.document.id)).body;
    expect(again).toMatchObject({ id: refused.id, state: 'signed' });
    expect(BigInt(again.invoice_number)).toBeGreaterThan(BigInt(signed.number));
    for (const each of [signed, refused, next])
      expect(judged(each.document.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('is the document’s whose answer comes after all; the others are free', async () => {
    const { signed, refused } = await givenBackByTwo();
    world.vsdc.release();
    expect(
      await until(
        () => present(signed.id),
        (each) => each.state === 'signed',
      ),
    ).toMatchObject({ invoice_number: signed.number, second_signatures: [] });
    expect(await present(refused.id)).toMatchObject({ state: 'refused', invoice_number: null });
    expect((await admin.seal('invoices', refused.document.id)).body).toMatchObject({
      id: refused.id,
      state: 'signed',
    });
    for (const each of [signed, refused]) expect(judged(each.document.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('is not sealed by itself where a person had taken it out before, whoever the number turns out to be of', async () => {
    for (const about of ['the other', 'itself']) {
      const { signed, refused } = await givenBackByTwo(true);
      expect(await present(refused.id)).toMatchObject({
        state: 'in_doubt',
        invoice_number: signed.number,
        problem: { code: 'signed_answer_lost' },
      });
      const theirs = evidenceOf(judged(signed.document.number)[0]);
      if (about === 'itself') {
        await admin.post(`/receipts/${refused.id}/evidence`, {
          found: 'other',
          source: 'the portal shows another document under it',
        });
        expect((await confirmShown(second, refused.id, 'evidence')).status).toBe(200);
      }
      await admin.post(`/receipts/${signed.id}/evidence`, theirs);
      if (about === 'the other')
        expect((await confirmShown(second, signed.id, 'evidence')).status).toBe(200);
      expect(await present(signed.id)).toMatchObject({ state: 'signed' });
      expect(await present(refused.id), about).toMatchObject({
        state: 'withdrawn',
        invoice_number: null,
        problem: { code: 'withdrawn_by_person' },
      });
      expect(judged(refused.document.number)).toEqual([]);
      expect((await admin.seal('invoices', refused.document.id)).body).toMatchObject({
        id: refused.id,
        state: 'signed',
      });
    }
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('is not sold anew by itself where a person had taken it out before, once a refund has undone what was signed under it', async () => {
    await allowReversals(true);
    onTestFinished(async () => void (await allowReversals(false)));
    const { document, id, number } = await settledNotSigned(
      undefined,
      undefined,
      'drop_after_signing',
    );
    expect((await admin.post(`/branches/${branchId()}/pause`)).status).toBe(200);
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({ id, state: 'queued' });
    expect((await admin.post(`/receipts/${id}/withdraw`)).body).toMatchObject({
      state: 'withdrawn',
    });
    expect((await admin.post(`/branches/${branchId()}/resume`)).status).toBe(200);
    expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({ state: 'signed' });
    expect(await present(id)).toMatchObject({
      state: 'in_doubt',
      invoice_number: number,
      problem: { code: 'signed_answer_lost' },
    });
    expect(
      (await admin.post(`/receipts/${id}/reversal`, { reason_code: '06', source: 'portal' }))
        .status,
    ).toBe(200);
    const { reversal } = (await confirmShown(second, id, 'reversal')).body;
    await until(
      () => present(reversal.reversal_receipt_id),
      (each) => each.state === 'signed',
    );
    expect(await present(id)).toMatchObject({
      state: 'withdrawn',
      invoice_number: null,
      problem: { code: 'withdrawn_by_person' },
    });
    expect((await admin.seal('invoices', document.id)).body).toMatchObject({ id, state: 'signed' });
    expect(judged(document.number)).toHaveLength(3);
  });

  test('may be the earlier one’s although the answer of the later one was lost as well: both wait for who looks', async () => {
    const signed = await settledNotSigned(undefined, undefined, 'hold_answer');
    const later = newInvoice();
    // As if it had been dropped on its way: whatever is sent again is told that the number is
    // taken.
    world.vsdc.faults(['drop_before_signing']);
    const { id } = (await admin.seal('invoices', later.id)).body;
    await until(
      () => present(id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect(await present(signed.id)).toMatchObject({
      state: 'in_doubt',
      invoice_number: signed.number,
    });
    expect((await admin.seal('invoices', signed.document.id)).body).toMatchObject({
      id: signed.id,
      state: 'in_doubt',
    });
    // That it is another's holds of the later one alone, and leaves the earlier one as it is.
    await admin.post(`/receipts/${id}/evidence`, { found: 'other', source: 'the log of the VSDC' });
    expect((await confirmShown(second, id, 'evidence')).status).toBe(200);
    await until(
      () => present(id),
      (each) => each.state === 'signed',
    );
    const waits = await present(signed.id);
    expect(waits).toMatchObject({ state: 'in_doubt', invoice_number: signed.number });
    expect(waits.problem.title).not.toContain(later.number);
    // Alone with the number it is settled as every other.
    expect(
      (
        await admin.post(
          `/receipts/${signed.id}/evidence`,
          evidenceOf(judged(signed.document.number)[0]),
        )
      ).body,
    ).toMatchObject({ state: 'signed' });
    for (const each of [signed.document, later]) expect(judged(each.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  /**
   * The earlier one is signed under the number and nobody knows; the answer of the later one is
   * lost as well. Sealed again, the earlier one waits under the next number, which the device has
   * not taken up, until the later one is told that its own is taken.
   */
  async function waitsUnderTheNext(
    mayHaveLeft = false,
    correct?: (document: { id: string }) => void,
    isOthers = false,
  ) {
    const { businessId } = world.businesses[0];
    const earlier = await settledNotSigned(
      undefined,
      undefined,
      correct ? 'hold_answer' : isOthers ? 'drop_before_signing' : 'drop_after_signing',
    );
    correct?.(earlier.document);
    const later = newInvoice();
    world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 400 }, () => 'offline')]);
    const { id } = (await admin.seal('invoices', later.id)).body;
    const sealing = admin.seal('invoices', earlier.document.id);
    const waits = await until(
      () => present(earlier.id),
      (each) => each.state === 'queued' && each.problem?.device_code === '838',
    );
    expect(BigInt(waits.invoice_number)).toBeGreaterThan(BigInt(earlier.number));
    expect((await admin.post(`/branches/${branchId()}/pause`)).status).toBe(200);
    await until(
      () =>
        world.sql(
          'select 1 from device d join receipt r on r.device_id = d.id where r.id = $1 and d.open_attempt is null and r.next_try_at < now()',
          [id],
          businessId,
        ),
      (rows) => rows.length === 1,
    );
    // As if its answer had been lost as well. Asked about it, the device would sign it.
    if (mayHaveLeft)
      await world.sql(
        `with a as (update attempt set outcome = 'in_doubt' where receipt_id = $1 and invoice_number = $2)
         update receipt set state = 'in_doubt', problem = '{"code":"maybe_signed"}', doubt_since = now(), next_try_at = now() where id = $1`,
        [earlier.id, waits.invoice_number],
        businessId,
      );
    if (isOthers) world.vsdc.signElsewhere(world.businesses[0].taxpayerId, '00', earlier.number);
    world.vsdc.faults([]);
    expect((await admin.post(`/branches/${branchId()}/resume`)).status).toBe(200);
    await until(
      () => present(id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    await sealing;
    return {
      earlier,
      later: { document: later, id: id as string },
      next: waits.invoice_number as string,
    };
  }

  test('is not asked of one that waits under another by now: it gives that back, and waits for who looks like every other', async () => {
    const { earlier, later, next } = await waitsUnderTheNext();
    expect(await present(earlier.id)).toMatchObject({
      state: 'in_doubt',
      invoice_number: earlier.number,
      problem: { code: 'signed_answer_lost' },
    });
    expect(await alertsOf(earlier.id)).toEqual([]);
    // What it had held is the next one's, with that one's bytes.
    const other = newInvoice();
    expect((await admin.seal('invoices', other.id)).body).toMatchObject({
      state: 'signed',
      invoice_number: next,
    });
    expect((await admin.seal('invoices', earlier.document.id)).body).toMatchObject({
      id: earlier.id,
      state: 'in_doubt',
    });
    await admin.post(
      `/receipts/${earlier.id}/evidence`,
      evidenceOf(judged(earlier.document.number)[0]),
    );
    expect((await confirmShown(second, earlier.id, 'evidence')).body).toMatchObject({
      state: 'signed',
      invoice_number: earlier.number,
    });
    // The device has refused nothing of the later one but the number: it goes by itself.
    await until(
      () => present(later.id),
      (each) => each.state === 'signed',
    );
    for (const each of [earlier.document, later.document, other])
      expect(judged(each.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('is of what was sent under it, where its document was corrected before it waited under another', async () => {
    const { earlier, later } = await waitsUnderTheNext(false, ({ id }) =>
      world.zoho.change('invoices', id, { customer_name: 'Corrected since' }),
    );
    const waits = await present(earlier.id);
    expect(waits).toMatchObject({ state: 'in_doubt', invoice_number: earlier.number });
    expect(waits.buyer_name).not.toContain('Corrected');
    world.vsdc.release();
    const signed = await until(
      () => present(earlier.id),
      (each) => each.state === 'signed',
    );
    expect(signed).toMatchObject({
      invoice_number: earlier.number,
      buyer_name: waits.buyer_name,
      second_signatures: [],
    });
    expect(judged(earlier.document.number).map((each) => each.request.custNm)).toEqual([
      waits.buyer_name,
    ]);
    // The later one goes by itself: what comes next finds a lane at rest.
    await until(
      () => present(later.id),
      (each) => each.state === 'signed',
    );
  });

  test('is judged with all of them held in the order of their ids: whoever holds the first keeps none of the others', async () => {
    const { businessId } = world.businesses[0];
    const signed = await settledNotSigned(undefined, undefined, 'hold_answer');
    world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 400 }, () => 'offline')]);
    const later = newInvoice();
    const { id } = (await admin.seal('invoices', later.id)).body;
    await until(
      () => present(id),
      (each) => each.problem?.device_code === '838',
    );
    const holder = new pg.Client({ connectionString: world.databaseUrls.app });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query(
      `begin; select set_config('role', 'muhuri_worker', true), set_config('app.business_id', '${businessId}', true);
       select 1 from receipt where id = '${signed.id}' for update`,
    );
    // Now it is told that the number is taken, and both are in doubt about it.
    world.vsdc.faults([]);
    await until(
      () =>
        holder.query(
          'select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
        ),
      ({ rows }) => rows.length > 0,
    );
    expect(
      (await holder.query('select id from receipt where id = $1 for update nowait', [id])).rows,
    ).toEqual([{ id }]);
    await holder.query('commit');
    await until(
      () => present(id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    await admin.post(`/receipts/${id}/evidence`, { found: 'other', source: 'the log of the VSDC' });
    expect((await confirmShown(second, id, 'evidence')).status).toBe(200);
    await until(
      () => present(id),
      (each) => each.state === 'signed',
    );
    expect(
      (
        await admin.post(
          `/receipts/${signed.id}/evidence`,
          evidenceOf(judged(signed.document.number)[0]),
        )
      ).body,
    ).toMatchObject({ state: 'signed' });
    for (const each of [signed.document, later]) expect(judged(each.number)).toHaveLength(1);
  });

  test('is asked of one that may be signed under another by now before that is asked about again: it is signed once, and people are told of the other', async () => {
    const { earlier, later, next } = await waitsUnderTheNext(true);
    await goesOnUnder(earlier.id, earlier.number);
    expect(await alertsOf(earlier.id)).toEqual([]);
    // Nobody waits behind it, and the number it was sent under last is nobody's meanwhile.
    const other = (await admin.seal('invoices', newInvoice().id)).body;
    expect(other.state).toBe('signed');
    expect(BigInt(other.invoice_number)).toBeGreaterThan(BigInt(next));
    expect((await admin.seal('invoices', earlier.document.id)).body).toMatchObject({
      id: earlier.id,
      state: 'in_doubt',
    });
    await admin.post(
      `/receipts/${earlier.id}/evidence`,
      evidenceOf(judged(earlier.document.number)[0]),
    );
    expect((await confirmShown(second, earlier.id, 'evidence')).body).toMatchObject({
      state: 'signed',
      invoice_number: earlier.number,
    });
    expect(await alertsOf(earlier.id)).toEqual(['maybe_signed_twice']);
    await until(
      () => present(later.id),
      (each) => each.state === 'signed',
    );
    for (const each of [earlier.document, later.document])
      expect(judged(each.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('is asked of one that may be signed under another by now, and that is asked about again once people have said that the first is another’s', async () => {
    const { earlier, later, next } = await waitsUnderTheNext(true, undefined, true);
    await goesOnUnder(earlier.id, earlier.number);
    const isAnothers = { found: 'other', source: 'the log of the VSDC' };
    for (const id of [earlier.id, later.id]) {
      await admin.post(`/receipts/${id}/evidence`, isAnothers);
      expect((await confirmShown(second, id, 'evidence')).status).toBe(200);
    }
    for (const id of [earlier.id, later.id])
      await until(
        () => present(id),
        (each) => each.state === 'signed',
      );
    expect((await present(earlier.id)).invoice_number).toBe(next);
    for (const each of [earlier.document, later.document])
      expect(judged(each.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  test('is not asked of a document again that two persons have said not to have it, whatever its later sends were told', async () => {
    const { taxpayerId } = world.businesses[0];
    const earlier = await settledNotSigned(undefined, undefined, 'drop_before_signing');
    const later = newInvoice();
    // Not taken up once before it is told that somebody else has used the number.
    world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 200 }, () => 'offline')]);
    const { id } = (await admin.seal('invoices', later.id)).body;
    await until(
      () => present(id),
      (each) => each.problem?.device_code === '838',
    );
    world.vsdc.signElsewhere(taxpayerId, '00', earlier.number);
    world.vsdc.faults([]);
    await until(
      () => present(id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect(await present(earlier.id)).toMatchObject({
      state: 'in_doubt',
      invoice_number: earlier.number,
    });
    const isAnothers = async (receiptId: string) => {
      await admin.post(`/receipts/${receiptId}/evidence`, {
        found: 'other',
        source: 'the log of the VSDC',
      });
      expect((await confirmShown(second, receiptId, 'evidence')).status).toBe(200);
    };
    world.vsdc.faults(['refuse:910']);
    await isAnothers(id);
    await until(
      () => present(id),
      (each) => each.state === 'refused',
    );
    await isAnothers(earlier.id);
    expect(await present(id)).toMatchObject({ state: 'refused', invoice_number: null });
    await until(
      () => present(earlier.id),
      (each) => each.state === 'signed',
    );
    // Whose the total is that nobody here has is said with it, although it had not been seen yet.
    expect(await free()).toMatchObject({
      state: 'active',
      free: expect.not.arrayContaining([earlier.number]),
    });
    expect((await admin.seal('invoices', later.id)).body).toMatchObject({ id, state: 'signed' });
    for (const each of [earlier.document, later]) expect(judged(each.number)).toHaveLength(1);
    expect(disagreeing(await statesAndFacts(world))).toEqual([]);
  });

  /**
   * The device has signed it under the number that it gave back, and nobody knows; it was corrected
   * and signed under another since.
   */
  async function signedUnderAnother() {
    const earlier = await settledNotSigned(undefined, undefined, 'drop_after_signing');
    const { businessId } = world.businesses[0];
    const [{ id: holderId } = {}] = await world.sql(
      "select id from receipt where state = 'signed' order by updated_at desc limit 1",
      [],
      businessId,
    );
    await world.sql(
      'update attempt set receipt_id = $2 where receipt_id = $1',
      [earlier.id, holderId],
      businessId,
    );
    return { earlier, holderId: holderId as string };
  }

  test('may be one’s that is signed under another by now although a later one lost its answer: people are told, and two look', async () => {
    const { earlier, holderId } = await signedUnderAnother();
    const later = newInvoice();
    world.vsdc.faults(['drop_before_signing']);
    const { id } = (await admin.seal('invoices', later.id)).body;
    await until(
      () => present(id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect(await alertsOf(holderId)).toEqual(['maybe_signed_twice']);
    const { document_number: holder } = await present(holderId);
    expect((await present(id)).problem.title).toContain(holder);
    // A refund under the number may undo the receipt of the other: neither is it proposed, nor
    // confirmed where it was proposed before.
    await allowReversals(true);
    const reversal = { reason_code: '06', source: 'portal' };
    expect(await admin.post(`/receipts/${id}/reversal`, reversal)).toMatchObject({
      status: 409,
      body: { code: 'reversal_of_another', title: expect.stringContaining(holder) },
    });
    const settleAs = (as: string) =>
      world.sql(
        'update attempt set resolution = $1 where receipt_id = $2 and invoice_number = $3',
        [as, holderId, earlier.number],
        world.businesses[0].businessId,
      );
    await settleAs('not_ours');
    expect((await admin.post(`/receipts/${id}/reversal`, reversal)).status).toBe(200);
    await settleAs('not_signed');
    expect((await confirmShown(second, id, 'reversal')).body).toMatchObject({
      code: 'reversal_of_another',
    });
    expect((await admin.post(`/receipts/${id}/reversal/drop`)).status).toBe(200);
    await allowReversals(false);
    // What stands under the number looks like either of them.
    const evidence = evidenceOf(judged(earlier.document.number)[0]);
    expect((await admin.post(`/receipts/${id}/evidence`, evidence)).body).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: true } },
    });
    await admin.post(`/receipts/${id}/evidence`, { found: 'other', source: 'the log of the VSDC' });
    expect((await confirmShown(second, id, 'evidence')).status).toBe(200);
    await until(
      () => present(id),
      (each) => each.state === 'signed',
    );
    // Nobody has said that its total is a stranger's.
    expect(await alertsOf(holderId)).toEqual(['maybe_signed_twice']);
    expect((await admin.get('/branches')).body.branches[0].device).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1 },
    });
    expect(
      (await admin.post(`/branches/${branchId()}/resume`, { evidence: 'the portal: signed twice' }))
        .status,
    ).toBe(200);
    const [alert] = (
      (await admin.get('/alerts')).body.alerts as { id: string; subject: string }[]
    ).filter((each) => each.subject === holderId);
    expect((await admin.post(`/alerts/${alert?.id}/close`)).status).toBe(200);
    expect(judged(later.number)).toHaveLength(1);
  });

  const device = async () => (await admin.get('/branches')).body.branches[0].device;
  /**
   * Under that number a later one is told at once that it is taken: nothing of its own was lost.
   */
  async function stoppedByOne() {
    const { earlier, holderId } = await signedUnderAnother();
    // Not taken up at first, so that it goes once more.
    world.vsdc.faults(['offline']);
    const { id } = (await admin.seal('invoices', newInvoice().id)).body;
    await until(
      () => present(id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect(await device()).toMatchObject({
      state: 'paused',
      problem: { code: 'number_collision', invoice_number: earlier.number },
    });
    return { earlier, holderId, id: id as string };
  }

  test.each([
    ['that', []],
    ['no other', ['maybe_signed_twice']],
  ])(
    'stops the lane where it may be such a one’s and nothing of the later one was lost; who it is of ends what was told of %s number',
    async (of, left) => {
      const { earlier, holderId, id } = await stoppedByOne();
      expect(await alertsOf(holderId)).toEqual(['maybe_signed_twice']);
      const evidence = 'the log of the VSDC';
      const before = (BigInt(earlier.number) - 1n).toString();
      for (const [given, field] of [
        [{}, 'last_invoice_number'],
        [{ evidence }, 'last_invoice_number'],
        [{ last_invoice_number: before, evidence }, 'last_invoice_number'],
        [{ last_invoice_number: earlier.number }, 'evidence'],
      ] as const)
        expect(await admin.post(`/branches/${branchId()}/resume`, given)).toMatchObject({
          status: 400,
          body: { field },
        });
      expect(
        (
          await admin.post(`/branches/${branchId()}/resume`, {
            last_invoice_number: earlier.number,
            evidence,
          })
        ).status,
      ).toBe(200);
      const { businessId } = world.businesses[0];
      if (of === 'no other')
        await world.sql(
          `update alert set problem = problem || '{"invoice_number":"1"}' where subject = $1`,
          [holderId],
          businessId,
        );
      await admin.post(`/receipts/${id}/evidence`, evidenceOf(judged(earlier.document.number)[0]));
      expect((await confirmShown(second, id, 'evidence')).body).toMatchObject({
        state: 'signed',
        invoice_number: earlier.number,
      });
      expect(await alertsOf(holderId)).toEqual(left);
      expect(await device()).toMatchObject({ state: 'active' });
    },
  );

  test('asks for the last number before the lane goes on, and what follows goes behind it', async () => {
    const { taxpayerId } = world.businesses[0];
    const { earlier, id } = await stoppedByOne();
    const last = (BigInt((await device()).next_invoice_number) + 1n).toString();
    for (const number of [(BigInt(last) - 1n).toString(), last])
      world.vsdc.signElsewhere(taxpayerId, '00', number);
    expect(
      (
        await admin.post(`/branches/${branchId()}/resume`, {
          last_invoice_number: last,
          evidence: 'the log of the other till',
        })
      ).status,
    ).toBe(200);
    // Neither a number that is taken nor a total of nobody’s comes up.
    expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({
      state: 'signed',
      invoice_number: (BigInt(last) + 1n).toString(),
    });
    expect(await device()).toMatchObject({ state: 'active' });
    await admin.post(`/receipts/${id}/evidence`, evidenceOf(judged(earlier.document.number)[0]));
    expect((await confirmShown(second, id, 'evidence')).body).toMatchObject({
      state: 'signed',
      invoice_number: earlier.number,
    });
    expect(await device()).toMatchObject({ state: 'active' });
  });

  test('asks for it as well where the total jumps besides before anybody has answered', async () => {
    const { holderId, earlier, id } = await stoppedByOne();
    // As if a later one had been signed since: it is known that the device has signed what nobody
    // here has.
    const { businessId, taxpayerId } = world.businesses[0];
    await world.sql(
      'update device set last_total_receipt_number = last_total_receipt_number + 1 where branch_id = $1',
      [branchId()],
      businessId,
    );
    await admin.post(`/receipts/${id}/evidence`, { found: 'other', source: 'the log of the VSDC' });
    expect((await confirmShown(second, id, 'evidence')).status).toBe(200);
    expect(await device()).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1, taken_number: earlier.number },
    });
    const evidence = 'the portal: signed twice';
    expect(await admin.post(`/branches/${branchId()}/resume`, { evidence })).toMatchObject({
      status: 400,
      body: { field: 'last_invoice_number' },
    });
    expect(
      (
        await admin.post(`/branches/${branchId()}/resume`, {
          last_invoice_number: earlier.number,
          evidence,
        })
      ).status,
    ).toBe(200);
    await until(
      () => present(id),
      (each) => each.state === 'signed',
    );
    expect(await device()).toMatchObject({ state: 'active' });
    // What is a stranger’s from now on is asked about: nothing of it was answered before.
    world.vsdc.signElsewhere(taxpayerId, '00', '900000002');
    expect((await admin.seal('invoices', newInvoice().id)).body.state).toBe('signed');
    expect(await device()).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1 },
    });
    expect((await admin.post(`/branches/${branchId()}/resume`, { evidence })).status).toBe(200);
    const [alert] = (
      (await admin.get('/alerts')).body.alerts as { id: string; subject: string }[]
    ).filter((each) => each.subject === holderId);
    expect((await admin.post(`/alerts/${alert?.id}/close`)).status).toBe(200);
  });

  test('is told of its document beside another such number; it ends by its own, as soon as its late signature says so itself', async () => {
    const { businessId } = world.businesses[0];
    const setFree = (numbers: string[]) =>
      world.sql(
        'update device set free_numbers = $1::bigint[] where branch_id = $2',
        [numbers, branchId()],
        businessId,
      );
    const resume = (more: object) =>
      admin.post(`/branches/${branchId()}/resume`, { evidence: 'the log of the VSDC', ...more });
    const toldOf = async (id: string) =>
      (
        (await admin.get('/alerts')).body.alerts as {
          subject: string;
          problem: { code: string; title: string };
        }[]
      )
        .filter((each) => each.subject === id)
        .map(({ problem }) => `${problem.code} ${/number ([\d, ]*\d)/.exec(problem.title)?.[1]}`)
        .toSorted();
    const document = newInvoice();
    const seal = () => admin.seal('invoices', document.id);
    // As if other documents held the numbers meanwhile, each time that it is sealed again.
    const one = await settledNotSigned(document, seal, 'hold_answer');
    await setFree([]);
    const two = await settledNotSigned(document, seal, 'drop_after_signing');
    await setFree([]);
    expect((await seal()).body).toMatchObject({ id: one.id, state: 'signed' });
    expect((await admin.get('/branches')).body.branches[0].device).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped' },
    });
    expect((await resume({})).status).toBe(200);
    for (const { number } of [one, two]) {
      await setFree([number]);
      const next = newInvoice();
      expect((await admin.seal('invoices', next.id)).body).toMatchObject({
        state: 'in_doubt',
        problem: { code: 'number_collision', invoice_number: number },
      });
      expect((await resume({ last_invoice_number: number })).status).toBe(200);
      await until(
        async () => (await admin.seal('invoices', next.id)).body,
        (each) => each.state === 'signed',
      );
    }
    expect(await toldOf(one.id)).toEqual([`maybe_signed_twice ${one.number}, ${two.number}`]);
    await isLate(one.id);
    expect(await toldOf(one.id)).toEqual([
      `maybe_signed_twice ${two.number}`,
      `signed_twice ${one.number}`,
    ]);
  });

  describe('while the document that it may be of is in doubt about another one', () => {
    const setFree = (numbers: string[]) =>
      world.sql(
        'update device set free_numbers = $1::bigint[] where branch_id = $2',
        [numbers, branchId()],
        world.businesses[0].businessId,
      );
    /** Another document meets the number, and the lane goes on behind it. */
    async function turnsOutTaken({ id, number }: { id: string; number: string }) {
      await setFree([number]);
      const met = (await admin.seal('invoices', newInvoice().id)).body;
      expect(met).toMatchObject({
        state: 'in_doubt',
        problem: { code: 'number_collision', invoice_number: number },
      });
      expect(await alertsOf(id)).toEqual(['maybe_signed_twice']);
      expect(
        (
          await admin.post(`/branches/${branchId()}/resume`, {
            last_invoice_number: number,
            evidence: 'the log of the VSDC',
          })
        ).status,
      ).toBe(200);
      await until(
        () => present(met.id),
        (each) => each.state === 'signed',
      );
    }
    /**
     * Of what is signed twice one is nobody's that we know of: the lane stops until a person has
     * said so.
     */
    const goOn = async () => {
      expect((await admin.get('/branches')).body.branches[0].device).toMatchObject({
        state: 'paused',
        problem: { code: 'total_jumped', missing: 1 },
      });
      expect(
        (
          await admin.post(`/branches/${branchId()}/resume`, {
            evidence: 'the portal: signed twice',
          })
        ).status,
      ).toBe(200);
    };
    /**
     * The doubt goes on about the number of before, and nothing new of the document has come to the
     * device.
     */
    async function goesOnAbout({
      id,
      number,
      document,
    }: {
      id: string;
      number: string;
      document: { id: string; number: string };
    }) {
      const before = judged(document.number).length;
      expect(await present(id)).toMatchObject({
        state: 'in_doubt',
        invoice_number: number,
        problem: { code: 'signed_answer_lost' },
      });
      expect((await admin.seal('invoices', document.id)).body).toMatchObject({
        id,
        state: 'in_doubt',
      });
      expect(
        (await admin.post(`/receipts/${id}/evidence`, evidenceOf(judged(document.number)[0]))).body,
      ).toMatchObject({
        state: 'signed',
        invoice_number: number,
      });
      expect((await admin.seal('invoices', newInvoice().id)).body.state).toBe('signed');
      expect(judged(document.number)).toHaveLength(before);
      expect(disagreeing(await statesAndFacts(world)).filter((each) => each.id === id)).toEqual([]);
    }

    test('the doubt goes on about the first once a refund has undone what was signed under the other: the sale is not sold anew', async () => {
      await allowReversals(true);
      onTestFinished(async () => void (await allowReversals(false)));
      const earlier = await settledNotSigned(undefined, undefined, 'drop_after_signing');
      // As if others held the number meanwhile.
      await setFree([]);
      const lost = (id: string) =>
        until(
          async () => {
            await giveUpOn(id);
            return present(id);
          },
          (each) => each.problem?.code === 'signed_answer_lost',
        );
      world.vsdc.faults(['drop_after_signing']);
      expect((await admin.seal('invoices', earlier.document.id)).body).toMatchObject({
        id: earlier.id,
        state: 'in_doubt',
      });
      await lost(earlier.id);
      expect(
        (
          await admin.post(`/receipts/${earlier.id}/reversal`, {
            reason_code: '06',
            source: 'portal',
          })
        ).status,
      ).toBe(200);
      world.vsdc.faults(['drop_after_signing']);
      const { reversal } = (await confirmShown(second, earlier.id, 'reversal')).body;
      await lost(reversal.reversal_receipt_id);
      await turnsOutTaken(earlier);
      const refund = evidenceOf(judged(earlier.document.number)[2]);
      expect(
        (await admin.post(`/receipts/${reversal.reversal_receipt_id}/evidence`, refund)).body,
      ).toMatchObject({ state: 'signed' });
      expect((await present(earlier.id)).reversal.reversed_at).not.toBeNull();
      await goesOnAbout(earlier);
    });

    test('the doubt goes on about the first once it is known that the other is of somebody else: the document is not free to be sealed', async () => {
      const earlier = await settledNotSigned(undefined, undefined, 'drop_after_signing');
      await setFree([]);
      const { signed, refused } = await givenBackByTwo(false, earlier.document);
      expect(refused.id).toBe(earlier.id);
      await goOn();
      await turnsOutTaken(earlier);
      await admin.post(
        `/receipts/${signed.id}/evidence`,
        evidenceOf(judged(signed.document.number)[0]),
      );
      expect((await confirmShown(second, signed.id, 'evidence')).body).toMatchObject({
        state: 'signed',
        invoice_number: signed.number,
      });
      await goesOnAbout(earlier);
    });
  });

  test.each(['pressed', 'waiting'])(
    'holds one of them back (%s) whatever has let it go again: it is put in doubt before anything is sent',
    async (how) => {
      const { businessId } = world.businesses[0];
      const document = newInvoice();
      world.vsdc.faults(['refuse:910']);
      const { id } = (await admin.seal('invoices', document.id)).body;
      world.vsdc.faults([]);
      const lane = (is: 'pause' | 'resume') => admin.post(`/branches/${branchId()}/${is}`);
      if (how === 'waiting') {
        await lane('pause');
        expect((await admin.seal('invoices', document.id)).body).toMatchObject({
          id,
          state: 'queued',
        });
      }
      // As if it had turned out to be taken, and nobody had thought of it when something else of
      // the document ended.
      await world.sql(
        "update attempt set resolution = 'doubtful' where receipt_id = $1",
        [id],
        businessId,
      );
      if (how === 'waiting') await lane('resume');
      else
        expect((await admin.seal('invoices', document.id)).body).toMatchObject({
          id,
          state: 'in_doubt',
        });
      await until(
        () => present(id),
        (each) => each.state === 'in_doubt' && each.problem.code === 'signed_answer_lost',
      );
      expect(judged(document.number)).toEqual([]);
      expect(disagreeing(await statesAndFacts(world)).filter((each) => each.id === id)).toEqual([]);
      // Refused it was indeed.
      await world.sql(
        `with a as (update attempt set resolution = null where receipt_id = $1)
       update receipt set state = 'refused', invoice_number = null, doubt_since = null, problem = '{"code":"device_refused"}' where id = $1`,
        [id],
        businessId,
      );
      expect((await admin.seal('invoices', document.id)).body).toMatchObject({
        id,
        state: 'signed',
      });
    },
  );

  describe('of which an answer was lost and forgotten, and nobody was told that its number is taken', () => {
    /**
     * As an older server left it: its answer was lost, and it stood as something that may be
     * sealed.
     */
    async function forgotten(first: 'drop_before_signing' | 'drop_after_signing') {
      const left = await settledNotSigned(undefined, undefined, first);
      await world.sql(
        "update attempt set resolution = null where receipt_id = $1 and outcome = 'in_doubt'",
        [left.id],
        world.businesses[0].businessId,
      );
      return left;
    }
    const under = (id: string) =>
      world.sql(
        'select distinct invoice_number::text as number from attempt where receipt_id = $1',
        [id],
        world.businesses[0].businessId,
      );

    test('the device is asked once more, and signs under that number what it had not', async () => {
      const { document, id, number } = await forgotten('drop_before_signing');
      expect((await admin.seal('invoices', document.id)).body).toMatchObject({
        id,
        invoice_number: number,
      });
      expect(
        await until(
          () => present(id),
          (each) => each.state === 'signed',
        ),
      ).toMatchObject({ invoice_number: number });
      expect(judged(document.number)).toHaveLength(1);
      expect(await under(id)).toEqual([{ number }]);
      // Nobody else has got it meanwhile.
      const next = (await admin.seal('invoices', newInvoice().id)).body;
      expect(next.state).toBe('signed');
      expect(BigInt(next.invoice_number)).toBeGreaterThan(BigInt(number));
    });

    test('nothing is sent where another number of it has turned out to be taken: it may be its own', async () => {
      const { businessId } = world.businesses[0];
      const { document, id } = await forgotten('drop_before_signing');
      await world.sql(
        `update attempt set invoice_number = case outcome when 'refused' then invoice_number else 999998 end, resolution = case outcome when 'refused' then null else 'doubtful' end,
           outcome = 'in_doubt' where receipt_id = $1`,
        [id],
        businessId,
      );
      expect((await admin.seal('invoices', document.id)).body).toMatchObject({
        id,
        state: 'in_doubt',
        invoice_number: '999998',
        problem: { code: 'signed_answer_lost' },
      });
      expect((await admin.seal('invoices', newInvoice().id)).body.state).toBe('signed');
      expect(judged(document.number)).toEqual([]);
      // What may be signed explains what the tests after this one miss.
      await world.sql(
        `with a as (update attempt set resolution = 'not_signed' where receipt_id = $1)
         update receipt set state = 'refused', problem = null, invoice_number = null, doubt_since = null, next_try_at = null where id = $1`,
        [id],
        businessId,
      );
    });

    test('the device says that it is taken: the receipt exists, and its data end the doubt', async () => {
      const { document, id, number } = await forgotten('drop_after_signing');
      await admin.seal('invoices', document.id);
      await until(
        () => present(id),
        (each) => each.problem?.code === 'signed_answer_lost',
      );
      expect(
        (await admin.post(`/receipts/${id}/evidence`, evidenceOf(judged(document.number)[0]))).body,
      ).toMatchObject({
        state: 'signed',
        invoice_number: number,
      });
      expect(judged(document.number)).toHaveLength(1);
      expect(await under(id)).toEqual([{ number }]);
    });

    test('as a server that is gone left it, with no number any more: it is asked about under the one that it was sent under', async () => {
      const { businessId } = world.businesses[0];
      const { document, id, number } = await settledNotSigned(
        undefined,
        undefined,
        'drop_before_signing',
      );
      await until(
        () =>
          world.sql(
            'select 1 from device where branch_id = $1 and lane_holder is null',
            [branchId()],
            businessId,
          ),
        (atRest) => atRest.length === 1,
      );
      await world.sql(
        `with a as (update attempt set outcome = null, resolution = null, ended_at = null, socket_closed_at = null where receipt_id = $2 and outcome = 'in_doubt' returning id)
         update device set open_attempt = a.id, lane_holder = 'another server', lane_until = now() from a where branch_id = $1`,
        [branchId(), id],
        businessId,
      );
      expect(
        await until(
          () => present(id),
          (each) => each.state === 'signed',
        ),
      ).toMatchObject({ invoice_number: number });
      expect(judged(document.number)).toHaveLength(1);
      const next = (await admin.seal('invoices', newInvoice().id)).body;
      expect(next.state).toBe('signed');
      expect(BigInt(next.invoice_number)).toBeGreaterThan(BigInt(number));
    });

    test('and that a person had taken out: refused once more it is settled as not signed, and stands as taken out', async () => {
      const { businessId } = world.businesses[0];
      const { document, id, number } = await forgotten('drop_before_signing');
      await world.sql(
        `update receipt set state = 'withdrawn', problem = '{"code":"withdrawn_by_person"}' where id = $1`,
        [id],
        businessId,
      );
      // What was refused before is no word on what is asked now: something else of it was refused
      // since.
      await world.sql(
        "update attempt set invoice_number = 999999 where receipt_id = $1 and outcome = 'refused'",
        [id],
        businessId,
      );
      expect((await admin.post(`/branches/${branchId()}/pause`)).status).toBe(200);
      expect((await admin.seal('invoices', document.id)).body).toMatchObject({
        id,
        state: 'in_doubt',
        invoice_number: number,
        problem: { code: 'maybe_signed' },
      });
      const said = { found: false, source: 'the portal, list of the day' };
      expect(await admin.post(`/receipts/${id}/evidence`, said)).toMatchObject({
        status: 409,
        body: { code: 'wrong_state' },
      });
      world.vsdc.faults(Array.from({ length: 40 }, () => 'refuse:910'));
      expect((await admin.post(`/branches/${branchId()}/resume`)).status).toBe(200);
      await until(
        () => admin.post(`/receipts/${id}/evidence`, said),
        (each) => each.status === 200,
      );
      world.vsdc.faults([]);
      expect(await present(id)).toMatchObject({
        state: 'withdrawn',
        invoice_number: null,
        problem: { code: 'withdrawn_by_person' },
      });
      expect(judged(document.number)).toEqual([]);
      // What it was not signed under is the next one's.
      expect((await admin.seal('invoices', newInvoice().id)).body).toMatchObject({
        state: 'signed',
        invoice_number: number,
      });
    });
  });

  test('is asked about first, and a document that another system is said to have sealed is still said to be sealed there', async () => {
    const { businessId } = world.businesses[0];
    const document = newInvoice();
    world.vsdc.faults(['refuse:910']);
    const { id } = (await admin.seal('invoices', document.id)).body;
    world.vsdc.faults([]);
    // As if it was from before production, and a person had said that of it.
    const said = {
      reason: 'till receipt 78',
      by: 'Second',
      by_id: 'x',
      at: new Date().toISOString(),
    };
    await world.sql(
      `insert into document (business_id, module, document_id, seen_at, source, elsewhere) values ($1, 'invoices', $2, now(), 'poll', $3)
       on conflict (business_id, module, document_id) do update set elsewhere = excluded.elsewhere`,
      [businessId, document.id, JSON.stringify(said)],
      businessId,
    );
    const elsewhere = async () =>
      (
        await world.sql(
          'select elsewhere from document where document_id = $1',
          [document.id],
          businessId,
        )
      )[0]?.elsewhere;
    // As if its number had turned out to be taken.
    await world.sql(
      "update attempt set resolution = 'doubtful' where receipt_id = $1",
      [id],
      businessId,
    );
    expect(
      (await admin.seal('invoices', document.id, { confirm: ['sealed_elsewhere'] })).body,
    ).toMatchObject({ id, state: 'in_doubt' });
    expect(await elsewhere()).toMatchObject({ reason: 'till receipt 78' });
    // Refused it was indeed: pressed once more it is sealed here, and said to be.
    await world.sql(
      `with a as (update attempt set resolution = null where receipt_id = $1)
       update receipt set state = 'refused', invoice_number = null, doubt_since = null, problem = '{"code":"device_refused"}' where id = $1`,
      [id],
      businessId,
    );
    expect(
      (await admin.seal('invoices', document.id, { confirm: ['sealed_elsewhere'] })).body,
    ).toMatchObject({ id, state: 'signed' });
    expect(await elsewhere()).toBeNull();
  });

  test('pauses the lane besides where one of them is signed under another number by now: a person looks, and the others wait all the same', async () => {
    const { businessId } = world.businesses[0];
    const signed = await settledNotSigned(undefined, undefined, 'hold_answer');
    const elsewhere = newInvoice();
    world.vsdc.faults(['refuse:910']);
    const { id: refusedId } = (await admin.seal('invoices', elsewhere.id)).body;
    world.vsdc.faults([]);
    // As if it had been corrected and signed under another number meanwhile.
    const [{ id: holderId } = {}] = await world.sql(
      "select id from receipt where state = 'signed' order by updated_at desc limit 1",
      [],
      businessId,
    );
    await world.sql(
      'update attempt set receipt_id = $2 where receipt_id = $1',
      [refusedId, holderId],
      businessId,
    );
    const next = (await admin.seal('invoices', newInvoice().id)).body;
    expect(next).toMatchObject({
      state: 'in_doubt',
      problem: { code: 'number_collision', invoice_number: signed.number },
    });
    expect(await free()).toMatchObject({
      state: 'paused',
      free: expect.not.arrayContaining([signed.number]),
    });
    expect(await present(signed.id)).toMatchObject({
      state: 'in_doubt',
      invoice_number: signed.number,
      problem: { code: 'signed_answer_lost' },
    });
    await admin.post(`/branches/${branchId()}/resume`, {
      last_invoice_number: signed.number,
      evidence: 'the log of the VSDC',
    });
    await until(
      () => present(next.id),
      (each) => each.state === 'signed',
    );
    // The one that waits may be the receipt under the number: what else the device signs meanwhile
    // is a stranger's.
    world.vsdc.signElsewhere(world.businesses[0].taxpayerId, '00', '900000001');
    expect((await admin.seal('invoices', newInvoice().id)).body.state).toBe('signed');
    expect((await admin.get('/branches')).body.branches[0].device).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1 },
    });
    expect(
      (await admin.post(`/branches/${branchId()}/resume`, { evidence: 'the log of the VSDC' }))
        .status,
    ).toBe(200);
    expect((await admin.seal('invoices', signed.document.id)).body).toMatchObject({
      id: signed.id,
      state: 'in_doubt',
    });
    expect(
      (
        await admin.post(
          `/receipts/${signed.id}/evidence`,
          evidenceOf(judged(signed.document.number)[0]),
        )
      ).body,
    ).toMatchObject({ state: 'signed' });
    expect(judged(signed.document.number)).toHaveLength(1);
    expect(await free()).toMatchObject({
      state: 'active',
      free: expect.not.arrayContaining([signed.number]),
    });
  });
});

describe('a second signature of a document that has one', () => {
  test('stands beside it in its view, the lists, the month and the evidence until a person has settled it', async () => {
    const known = world.zoho.documents().find((each) => each.what.startsWith('simple sale'));
    const [listed] = (await admin.get(`/documents?document_ids=${known?.id}`)).body.documents;
    const document = { id: listed.document_id as string, number: listed.document_number as string };
    const isListed = async () =>
      (await admin.get(`/documents?document_ids=${document.id}&standing=signed_twice,sealed`)).body
        .documents;
    const month = listed.document_date.slice(0, 7);
    const signedTwice = async () => (await admin.get(`/documents/month?month=${month}`)).body;
    const { signed_twice: before } = await signedTwice();
    world.vsdc.faults(['hold_answer']);
    const { body } = await admin.seal('invoices', document.id);
    await giveUpOn(body.id);
    const { invoice_number: number } = await until(
      () => present(body.id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    // Two persons are wrong about whose the number is.
    await admin.post(`/receipts/${body.id}/evidence`, { found: 'other', source: 'portal' });
    expect((await confirmShown(second, body.id, 'evidence')).status).toBe(200);
    await until(
      () => present(body.id),
      (each) => each.state === 'signed',
    );
    const late = await isLate(body.id);
    const [first, again] = judged(document.number);
    expect(late).toMatchObject({
      state: 'signed',
      receipt_signature: again?.reply.rcptSign,
      problem: { code: 'signed_twice' },
      second_signatures: [{ invoice_number: number, receipt_signature: first?.reply.rcptSign }],
    });
    expect(await alertsOf(body.id)).toContain('signed_twice');
    expect(await signedTwice()).toMatchObject({ signed_twice: before + 1, complete: false });
    expect(await isListed()).toMatchObject([
      {
        document_number: document.number,
        standing: 'signed_twice',
        problem: { code: 'signed_twice', invoice_number: number },
        who: 'person',
      },
    ]);
    const file = await packOf(body.id);
    expect(JSON.parse(file.pack).late_signatures).toMatchObject([
      {
        invoiceNumber: number,
        receiptSignature: first?.reply.rcptSign,
        settledAs: null,
        response: expect.stringContaining(String(first?.reply.rcptSign)),
      },
    ]);
    expect(
      verifyEvidence(
        file,
        { dialects: await loadDialects(), version: 'any' },
        { anyKey: true },
      ).filter((each) => !each.holds),
    ).toEqual([]);

    const word = {
      found: 'late',
      receipt_signature: first?.reply.rcptSign,
      source: 'refund 13 in the portal',
    };
    expect(
      await admin.post(`/receipts/${body.id}/evidence`, { ...word, as: 'receipt' }),
    ).toMatchObject({ status: 409, body: { code: 'wrong_state' } });
    expect(
      (await admin.post(`/receipts/${body.id}/evidence`, { ...word, as: 'undone' })).body,
    ).toMatchObject({
      state: 'signed',
      problem: null,
      receipt_signature: again?.reply.rcptSign,
      second_signatures: [{ settled_as: 'undone', settled_evidence: { source: word.source } }],
    });
    expect(await alertsOf(body.id)).toEqual([]);
    expect(await signedTwice()).toMatchObject({ signed_twice: before });
    expect(await isListed()).toMatchObject([{ standing: 'sealed', problem: null }]);
  });
});

test('that is another receipt’s leaves the number of its send to whoever comes next, also where the database refuses what was said', async () => {
  const { businessId } = world.businesses[0];
  const { document, id, number } = await settledNotSigned(undefined, undefined, 'hold_answer');
  // As if the device gave another receipt's signature in its answer.
  const [held] = judged(document.number);
  await world.sql(
    `update signature set receipt_signature = $1 where receipt_id = (select receipt_id from signature order by recorded_at desc limit 1)`,
    [held?.reply.rcptSign],
    businessId,
  );
  const database = new pg.Client({
    connectionString: world.postgres.urlFor(
      'admin',
      new URL(world.databaseUrls.owner).pathname.slice(1),
    ),
  });
  await database.connect();
  onTestFinished(() => database.end());
  await database.query(
    `alter table pgboss.job add constraint odd check (state <> 'created' or data->>'business_id' is distinct from '${businessId}') not valid`,
  );
  await until(
    () => {
      world.vsdc.release();
      return alertsOf(id);
    },
    (all) => all.includes('late_signature'),
  );
  await database.query('alter table pgboss.job drop constraint odd');
  const kept = await world.sql(
    'select 1 from attempt where receipt_id = $1 and response like $2',
    [id, `%${String(held?.reply.rcptSign)}%`],
    businessId,
  );
  expect(kept).toHaveLength(1);
  expect(
    await world.sql('select 1 from device where $1 = any(free_numbers)', [number], businessId),
  ).toHaveLength(1);
  // It has used it all the same, here.
  await world.sql(
    'update device set free_numbers = array_remove(free_numbers, $1::bigint), totals_explained = totals_explained + 1 where branch_id = $2',
    [number, branchId()],
    businessId,
  );
});

test('what is told of a document with a late signature goes along to the device that follows, and ends there', async () => {
  const [of] = world.businesses;
  const following = await startRwVsdc({ approved: [] });
  onTestFinished(() => following.close());
  // Whatever the tests before have left there.
  await admin.post(`/branches/${branchId()}/resume`, { evidence: 'the log of the VSDC' });
  const { document, id } = await settledNotSigned();
  const branch = branchId();
  await admin.post(`/branches/${branch}/pause`);
  expect((await admin.seal('invoices', document.id)).body).toMatchObject({ id, state: 'queued' });
  await isLate(id);
  expect(await alertsOf(id)).toEqual(['signed_twice']);
  following.approve({
    tin: of.taxpayerId,
    bhfId: '00',
    serial: 'follows',
    name: approvedFor(3).find((each) => each.tin === of.taxpayerId)?.name ?? '',
    sdcId: `SDC0300${of.taxpayerId.slice(-6)}`,
    before: { lastInvoiceNumber: 40, sales: [...world.vsdc.device(of.taxpayerId, '00').sales] },
  });
  expect(
    (
      await admin.put(`/branches/${branch}/next-device`, {
        for: 'replacement',
        address: following.url,
        serial: 'follows',
      })
    ).status,
  ).toBe(200);
  expect((await admin.post(`/branches/${branch}/initialise`)).status).toBe(200);
  expect(
    (await admin.post(`/branches/${branch}/switch`, { reason: 'the computer is dead' })).status,
  ).toBe(200);
  const [row] = await world.sql('select moved_to from receipt where id = $1', [id], of.businessId);
  const moved = row?.moved_to as string;
  expect(await present(moved)).toMatchObject({
    state: 'queued',
    problem: { code: 'signed_twice' },
    second_signatures: [{ settled_as: null }],
  });
  expect([await alertsOf(id), await alertsOf(moved)]).toEqual([[], ['signed_twice']]);
  const undone = {
    found: 'late',
    receipt_signature: judged(document.number)[0]?.reply.rcptSign,
    as: 'undone',
    source: 'refund 16 in the portal',
  };
  await admin.post(`/receipts/${moved}/evidence`, undone);
  expect((await confirmShown(second, moved, 'evidence')).status).toBe(200);
  await until(
    () => present(moved),
    (each) => each.state === 'signed',
  );
  expect(
    following.receipts().filter((each) => each.request.remark === document.number),
  ).toHaveLength(1);
  expect([await alertsOf(id), await alertsOf(moved)]).toEqual([[], []]);
});
