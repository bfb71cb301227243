import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, confirmShown, until } from '../api.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let user: Api;
let first: Api;
let second: Api;
beforeAll(async () => {
  world = await startWorld({
    instead: {
      vsdc: { answerTimeoutMs: 4_000, lateTimeoutMs: 5_000 },
      timing: {
        retryFirstMs: 150,
        retryMaxMs: 300,
        settleQuietMs: 200,
        settleMaxMs: 400,
        doubtWaitMs: 300,
        leaseMs: 8_000,
      },
      sweepMs: 300,
      waitMs: 10_000,
    },
  });
  const { businessId, admin, user: member } = world.businesses[0];
  const colleague = {
    username: 'second@inzozi',
    name: 'Second admin',
    email: 'second@inzozi.example',
    password: 'second-demo-only',
    role: 'business_admin' as const,
  };
  await world.app.addPerson(businessId, colleague);
  user = await Api.signIn(world, member);
  first = await Api.signIn(world, admin);
  second = await Api.signIn(world, {
    ...admin,
    username: colleague.username,
    password: colleague.password,
  });
  await user.seal('invoices', invoice().id);
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(() => world.vsdc.faults([]));

const business = () => world.businesses[0];
const allow = (yes: boolean) =>
  world.sql(
    "update business set settings = settings || jsonb_build_object('reversal_without_data', $1::boolean)",
    [yes],
    business().businessId,
  );
const judged = (number: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === number);
const present = async (id: string) => (await user.get(`/receipts/${id}`)).body;
const becomes = (id: string, state: string) =>
  until(
    () => present(id),
    (each) => each.state === state,
  );
let made = 0;
function invoice(): { id: string; number: string } {
  made += 1;
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
    );
  const id = `46000000006${String(made).padStart(8, '0')}`;
  world.zoho.add('invoices', business().organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: `V-${made}`,
  });
  return { id, number: `V-${made}` };
}
/** While a send may still be answered, nothing is undone. */
async function areClosed(receiptId: string): Promise<void> {
  await until(
    async () =>
      Number(
        (
          await world.sql(
            'select count(*)::int as n from attempt where receipt_id = $1 and socket_closed_at is null and socket_until > now()',
            [receiptId],
            business().businessId,
          )
        )[0]?.n,
      ),
    (open) => open === 0,
  );
}
/** A sale the device has signed and whose answer nobody got. */
async function lost(): Promise<{
  id: string;
  number: string;
  receiptId: string;
  invoiceNumber: string;
}> {
  const document = invoice();
  world.vsdc.faults(['drop_after_signing']);
  const reply = await user.seal('invoices', document.id);
  const known = await until(
    () => present(reply.body.id),
    (each) => each.problem?.code === 'signed_answer_lost',
  );
  await areClosed(known.id);
  return {
    ...document,
    receiptId: known.id as string,
    invoiceNumber: known.invoice_number as string,
  };
}
const proposal = { reason_code: '06', source: 'portal and the log of the VSDC: not there' };

describe('a sale whose data are lost for good', () => {
  test('cannot be undone while the business has not switched it on', async () => {
    await allow(false);
    const sale = await lost();
    expect(await first.post(`/receipts/${sale.receiptId}/reversal`, proposal)).toMatchObject({
      status: 409,
      body: { code: 'reversal_off' },
    });
    expect(
      (await user.get(`/receipts/preflight?module=invoices&document_id=${sale.id}`)).body
        .reversal_offered,
    ).toBe(false);
  });

  test('is refunded under its number by two persons and sold anew, all three linked; the authority holds one in force', async () => {
    await allow(true);
    const sale = await lost();
    expect(await user.post(`/receipts/${sale.receiptId}/reversal`, proposal)).toMatchObject({
      status: 403,
    });
    expect(
      await first.post(`/receipts/${sale.receiptId}/reversal`, { ...proposal, reason_code: '99' }),
    ).toMatchObject({ status: 400 });
    expect(
      (await first.post(`/receipts/${sale.receiptId}/reversal`, proposal)).body.reversal,
    ).toMatchObject({
      invoice_number: sale.invoiceNumber,
      confirmed_by: null,
    });
    expect(await confirmShown(first, sale.receiptId, 'reversal')).toMatchObject({
      status: 409,
      body: { code: 'second_person_required' },
    });
    expect(judged(sale.number)).toHaveLength(1);
    const confirmed = await confirmShown(second, sale.receiptId, 'reversal');
    expect(confirmed.status).toBe(200);
    const anew = await becomes(sale.receiptId, 'signed');
    const held = judged(sale.number);
    expect(held).toHaveLength(3);
    const reversalId = anew.reversal.reversal_receipt_id as string;
    const reversal = await present(reversalId);
    expect(reversal).toMatchObject({
      state: 'signed',
      kind: 'refund',
      reverses_receipt_id: sale.receiptId,
      label: 'NR',
    });
    expect(String(held[1]?.request.orgInvcNo)).toBe(sale.invoiceNumber);
    expect(held.map((each) => String(each.request.invcNo))).toEqual([
      sale.invoiceNumber,
      reversal.invoice_number,
      anew.invoice_number,
    ]);
    expect(held[1]?.request.totAmt).toBe(held[0]?.request.totAmt);
    expect(anew.reversal.reversed_at).not.toBeNull();
    const listed = (await user.get(`/receipts?module=invoices&document_id=${sale.id}`)).body
      .receipts as { id: string }[];
    expect(listed.map((each) => each.id).toSorted()).toEqual(
      [sale.receiptId, reversalId].toSorted(),
    );
    // One click more finds what is there.
    expect((await user.seal('invoices', sale.id)).body).toMatchObject({
      id: sale.receiptId,
      state: 'signed',
    });
    expect(judged(sale.number)).toHaveLength(3);
    const file = await user.file(`/receipts/${reversalId}/pdf?paper=a4`);
    expect(file.status).toBe(200);
  });

  test('keeps its doubt when the refund is refused, and may then be undone again or given its data after all', async () => {
    await allow(true);
    const sale = await lost();
    await first.post(`/receipts/${sale.receiptId}/reversal`, proposal);
    world.vsdc.faults(['refuse:910']);
    const confirmed = await confirmShown(second, sale.receiptId, 'reversal');
    const reversalId = confirmed.body.reversal.reversal_receipt_id as string;
    const { problem: said } = await becomes(reversalId, 'refused');
    // It is not on its way any more, and says what was said of its refund.
    const over = await present(sale.receiptId);
    expect(over.updated_at > confirmed.body.updated_at).toBe(true);
    expect(over).toMatchObject({
      state: 'in_doubt',
      problem: { code: 'signed_answer_lost' },
      reversal: {
        reversal_receipt_id: reversalId,
        reversed_at: null,
        ended: { code: said.code, title: said.title, device_code: '910' },
      },
    });
    const told = await world.sql(
      "select before, after from audit where subject = $1 and action = 'receipt.reversal_ended'",
      [sale.receiptId],
      business().businessId,
    );
    expect(told).toMatchObject([
      {
        before: { invoice_number: sale.invoiceNumber },
        after: { reversal_receipt_id: reversalId, device_code: '910' },
      },
    ]);
    expect(
      (await second.post(`/receipts/${sale.receiptId}/reversal`, proposal)).body.reversal,
    ).toMatchObject({
      confirmed_by: null,
      reversal_receipt_id: null,
      ended: null,
    });
    const [held] = judged(sale.number);
    const evidence = evidenceOf(held);
    expect((await first.post(`/receipts/${sale.receiptId}/evidence`, evidence)).body).toMatchObject(
      { state: 'signed', invoice_number: sale.invoiceNumber },
    );
    expect(judged(sale.number)).toHaveLength(1);
  });

  test('is never given data while its refund is on the way, and a proposal can be taken back', async () => {
    await allow(true);
    const sale = await lost();
    await first.post(`/receipts/${sale.receiptId}/reversal`, proposal);
    expect(
      (await second.post(`/receipts/${sale.receiptId}/reversal/drop`)).body.reversal,
    ).toBeNull();
    expect(await confirmShown(second, sale.receiptId, 'reversal')).toMatchObject({
      status: 409,
      body: { code: 'wrong_state' },
    });
    await first.post(`/receipts/${sale.receiptId}/reversal`, proposal);
    await first.post(`/branches/${business().branchIds[0]}/pause`);
    const confirmed = await confirmShown(second, sale.receiptId, 'reversal');
    expect(confirmed.status).toBe(200);
    const evidence = { found: false, source: 'portal' };
    expect(await first.post(`/receipts/${sale.receiptId}/evidence`, evidence)).toMatchObject({
      status: 409,
      body: { code: 'reversal_under_way' },
    });
    expect(await second.post(`/receipts/${sale.receiptId}/reversal`, proposal)).toMatchObject({
      status: 409,
      body: { code: 'reversal_under_way' },
    });
    await first.post(`/branches/${business().branchIds[0]}/resume`);
    await becomes(sale.receiptId, 'signed');
    expect(judged(sale.number)).toHaveLength(3);
  });

  test('is undone as the second person saw it: another proposal that took its place meanwhile is not confirmed', async () => {
    await allow(true);
    const sale = await lost();
    const propose = async (source: string) =>
      (await first.post(`/receipts/${sale.receiptId}/reversal`, { ...proposal, source })).body
        .reversal.proposed_at as string;
    const confirm = (body: object) =>
      second.post(`/receipts/${sale.receiptId}/reversal/confirm`, body);
    await propose('the portal, list of sales');
    const { proposed_at: looked } = (await present(sale.receiptId)).reversal;
    expect((await first.post(`/receipts/${sale.receiptId}/reversal/drop`)).status).toBe(200);
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
    expect(await present(sale.receiptId)).toMatchObject({
      state: 'in_doubt',
      reversal: {
        proposed_at: last,
        source: 'a third list',
        confirmed_by: null,
        reversal_receipt_id: null,
      },
    });
    expect(judged(sale.number)).toHaveLength(1);
    expect((await confirm({ proposed_at: last })).status).toBe(200);
    await becomes(sale.receiptId, 'signed');
    expect(judged(sale.number)).toHaveLength(3);
  });

  test('is not undone on a proposal about the number before: settled otherwise, and lost again under its next one, it is proposed anew', async () => {
    await allow(true);
    const sale = await lost();
    const { proposed_at: proposed } = (
      await first.post(`/receipts/${sale.receiptId}/reversal`, proposal)
    ).body.reversal;
    // What stands under the number turns out to be another program's: the document goes again, and
    // that answer is lost as well.
    await first.post(`/receipts/${sale.receiptId}/evidence`, {
      found: 'other',
      source: 'the log of the VSDC',
    });
    world.vsdc.faults(['drop_after_signing']);
    expect((await confirmShown(second, sale.receiptId, 'evidence')).status).toBe(200);
    const again = await until(
      () => present(sale.receiptId),
      (each) =>
        each.problem?.code === 'signed_answer_lost' && each.invoice_number !== sale.invoiceNumber,
    );
    await areClosed(sale.receiptId);
    expect(again.reversal).toBeNull();
    const confirm = (at: string) =>
      second.post(`/receipts/${sale.receiptId}/reversal/confirm`, { proposed_at: at });
    expect(await confirm(proposed)).toMatchObject({ status: 409, body: { code: 'wrong_state' } });
    // Nor one that was left open in earlier days.
    const { proposed_at: anew } = (
      await first.post(`/receipts/${sale.receiptId}/reversal`, proposal)
    ).body.reversal;
    const setNumber = (number: string) =>
      world.sql(
        'update reversal set invoice_number = $2 where receipt_id = $1',
        [sale.receiptId, number],
        business().businessId,
      );
    await setNumber(sale.invoiceNumber);
    expect(await confirm(anew)).toMatchObject({ status: 409, body: { code: 'version_conflict' } });
    expect(judged(sale.number)).toHaveLength(2);
    await setNumber(again.invoice_number);
    expect((await confirm(anew)).status).toBe(200);
    await becomes(sale.receiptId, 'signed');
    expect(judged(sale.number).map((each) => String(each.request.orgInvcNo ?? 0))).toEqual([
      '0',
      '0',
      again.invoice_number,
      '0',
    ]);
  });

  test('whose refund loses its answer too is sold anew only once that refund is known to be signed', async () => {
    await allow(true);
    const sale = await lost();
    await first.post(`/receipts/${sale.receiptId}/reversal`, proposal);
    world.vsdc.faults(['drop_after_signing']);
    const confirmed = await confirmShown(second, sale.receiptId, 'reversal');
    const reversalId = confirmed.body.reversal.reversal_receipt_id as string;
    const refund = await until(
      () => present(reversalId),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect((await present(sale.receiptId)).state).toBe('in_doubt');
    expect(judged(sale.number)).toHaveLength(2);
    const held = judged(sale.number)[1];
    const evidence = evidenceOf(held);
    expect((await first.post(`/receipts/${refund.id}/evidence`, evidence)).body.state).toBe(
      'signed',
    );
    await becomes(sale.receiptId, 'signed');
    expect(judged(sale.number)).toHaveLength(3);
  });

  /**
   * A sale whose refund was signed, settled as not signed, and turns out to be in doubt after all,
   * once another document has met its number.
   */
  async function doubtedAgain(meanwhile: (saleId: string) => Promise<void>) {
    await allow(true);
    const sale = await lost();
    const { proposed_at } = (await first.post(`/receipts/${sale.receiptId}/reversal`, proposal))
      .body.reversal;
    world.vsdc.faults(['drop_after_signing', ...Array.from({ length: 40 }, () => 'refuse:910')]);
    const confirmed = await confirmShown(second, sale.receiptId, 'reversal');
    const refundId = confirmed.body.reversal.reversal_receipt_id as string;
    const refund = await becomes(refundId, 'in_doubt');
    await areClosed(refundId);
    await until(
      () =>
        first.post(`/receipts/${refundId}/evidence`, {
          found: false,
          source: 'the portal, list of the day',
        }),
      (each) => each.status === 200,
    );
    await becomes(refundId, 'refused');
    world.vsdc.faults([]);
    await meanwhile(sale.receiptId);
    await becomes((await user.seal('invoices', invoice().id)).body.id, 'signed');
    expect(await becomes(refundId, 'in_doubt')).toMatchObject({
      invoice_number: refund.invoice_number,
      problem: { code: 'signed_answer_lost' },
    });
    return { sale, refundId, proposed_at: proposed_at as string };
  }
  async function isSoldAnew(
    sale: { receiptId: string; number: string },
    refundId: string,
    proposed_at: string,
  ): Promise<void> {
    expect(
      (await first.post(`/receipts/${refundId}/evidence`, evidenceOf(judged(sale.number)[1]))).body
        .state,
    ).toBe('signed');
    expect((await becomes(sale.receiptId, 'signed')).reversal).toMatchObject({
      proposed_at,
      confirmed_name: 'Second admin',
      reversal_receipt_id: refundId,
      reversed_at: expect.any(String),
    });
    expect(judged(sale.number)).toHaveLength(3);
  }

  test('whose refund may be signed after all is refunded no second time on what was proposed meanwhile', async () => {
    const { sale, refundId, proposed_at } = await doubtedAgain(async (id) => {
      expect((await second.post(`/receipts/${id}/reversal`, proposal)).status).toBe(200);
    });
    expect(await confirmShown(first, sale.receiptId, 'reversal')).toMatchObject({
      status: 409,
      body: { code: 'reversal_under_way' },
    });
    expect(await second.post(`/receipts/${sale.receiptId}/reversal`, proposal)).toMatchObject({
      status: 409,
      body: { code: 'reversal_under_way' },
    });
    // Nor is the sale given its data: it would stand for nothing.
    const late = evidenceOf(judged(sale.number)[0]);
    expect(await first.post(`/receipts/${sale.receiptId}/evidence`, late)).toMatchObject({
      status: 409,
      body: { code: 'reversal_under_way' },
    });
    expect(await present(refundId)).toMatchObject({
      state: 'in_doubt',
      problem: { code: 'signed_answer_lost' },
    });
    expect(judged(sale.number)).toHaveLength(2);
    await isSoldAnew(sale, refundId, proposed_at);
  });

  test('whose refund is not signed under its second number, and may be under its first, is not over: what is signed decides', async () => {
    await allow(true);
    const sale = await lost();
    const confirmWith = async (one: Api, other: Api, fault: string) => {
      await one.post(`/receipts/${sale.receiptId}/reversal`, proposal);
      world.vsdc.faults([fault, ...Array.from({ length: 40 }, () => 'refuse:910')]);
      const refundId = (await confirmShown(other, sale.receiptId, 'reversal')).body.reversal
        .reversal_receipt_id as string;
      const refund = await becomes(refundId, 'in_doubt');
      await areClosed(refundId);
      return refund as { id: string; invoice_number: string };
    };
    const isNotThere = (id: string) =>
      until(
        () =>
          first.post(`/receipts/${id}/evidence`, {
            found: false,
            source: 'the portal, list of the day',
          }),
        (each) => each.status === 200,
      );
    const refund = await confirmWith(first, second, 'drop_after_signing');
    await isNotThere(refund.id);
    await becomes(refund.id, 'refused');
    await world.sql(
      "update device set free_numbers = '{}' where branch_id = $1",
      [business().branchIds[0]],
      business().businessId,
    );
    const again = await confirmWith(second, first, 'drop_before_signing');
    expect(again).toMatchObject({
      id: refund.id,
      invoice_number: expect.not.stringMatching(`^${refund.invoice_number}$`),
    });
    // As if another document had met the first number meanwhile.
    await world.sql(
      "update attempt set resolution = 'doubtful' where receipt_id = $1 and invoice_number = $2",
      [refund.id, refund.invoice_number],
      business().businessId,
    );
    await until(
      () => present(refund.id),
      (each) =>
        each.problem?.code === 'signed_answer_lost' &&
        each.invoice_number === refund.invoice_number,
    );
    world.vsdc.faults([]);
    const ended = await world.sql(
      "select 1 from audit where subject = $1 and action = 'receipt.reversal_ended'",
      [sale.receiptId],
      business().businessId,
    );
    expect(ended).toHaveLength(1);
    expect(
      (await first.post(`/receipts/${refund.id}/evidence`, evidenceOf(judged(sale.number)[1]))).body
        .state,
    ).toBe('signed');
    await becomes(sale.receiptId, 'signed');
    expect(judged(sale.number)).toHaveLength(3);
    // Of the number that it was sent under besides nobody is asked any more: a person looks it up,
    // and closes what was told.
    const told = (
      (await first.get('/alerts')).body.alerts as { id: string; subject: string }[]
    ).find((each) => each.subject === refund.id);
    expect(told).toMatchObject({
      problem: { code: 'maybe_signed_twice', invoice_number: again.invoice_number },
    });
    expect((await first.post(`/alerts/${told?.id}/close`)).status).toBe(200);
  });

  test('whose refund may be signed after all is sold anew on the word it was refunded on, also where a later one was taken back', async () => {
    const { sale, refundId, proposed_at } = await doubtedAgain(async (id) => {
      await second.post(`/receipts/${id}/reversal`, proposal);
      expect((await first.post(`/receipts/${id}/reversal/drop`)).body.reversal).toBeNull();
    });
    await isSoldAnew(sale, refundId, proposed_at);
  });

  test('that was confirmed by a server of before, whose refund does not say on whose word, is refunded and sold anew all the same', async () => {
    await allow(true);
    const sale = await lost();
    await first.post(`/receipts/${sale.receiptId}/reversal`, proposal);
    await first.post(`/branches/${business().branchIds[0]}/pause`);
    const confirmed = await confirmShown(second, sale.receiptId, 'reversal');
    const refundId = confirmed.body.reversal.reversal_receipt_id as string;
    const kept = await world.sql(
      "update receipt set signing_input = signing_input #- '{terms,reverses,word}' where id = $1 returning signing_input",
      [refundId],
      business().businessId,
    );
    expect(kept[0]).toMatchObject({
      signing_input: { terms: { reverses: { receiptId: sale.receiptId } } },
    });
    await first.post(`/branches/${business().branchIds[0]}/resume`);
    const anew = await becomes(sale.receiptId, 'signed');
    expect(anew.reversal).toMatchObject({
      source: proposal.source,
      reversal_receipt_id: refundId,
      reversed_at: expect.any(String),
    });
    expect(await present(refundId)).toMatchObject({
      state: 'signed',
      reverses_receipt_id: sale.receiptId,
    });
    expect(judged(sale.number)).toHaveLength(3);
  });
});

describe('alerts', () => {
  test('two documents in doubt on one device are told once, and the alert closes by itself when one is settled', async () => {
    const codes = async () =>
      ((await user.get('/alerts')).body.alerts as { problem: { code: string } }[]).map(
        (each) => each.problem.code,
      );
    world.vsdc.faults(Array.from({ length: 500 }, () => 'drop_then_refuse:910'));
    const one = await user.seal('invoices', invoice().id);
    await becomes(one.body.id, 'in_doubt');
    const others = [];
    for (let i = 0; i < 3; i++)
      others.push((await user.seal('invoices', invoice().id)).body.id as string);
    await until(codes, (all) => all.filter((code) => code === 'two_open_doubts').length === 1);
    world.vsdc.faults([]);
    for (const id of [one.body.id as string, ...others])
      await until(
        () => present(id),
        (each) => ['signed', 'refused'].includes(each.state),
      );
    await until(codes, (all) => !all.includes('two_open_doubts'));
  });

  test('a paused lane is told, and resuming it closes the alert; a stranger sees and closes nothing', async () => {
    world.vsdc.faults(['refuse:901']);
    const document = invoice();
    const sealed = await user.seal('invoices', document.id);
    const [alert] = await until(
      async () => (await user.get('/alerts')).body.alerts as { id: string; subject: string }[],
      (all) => all.length > 0,
    );
    const stranger = await Api.signIn(world, world.businesses[1].admin);
    expect((await stranger.get('/alerts')).body.alerts).toEqual([]);
    expect((await stranger.post(`/alerts/${alert?.id}/close`)).status).toBe(404);
    expect((await user.post(`/alerts/${alert?.id}/close`)).status).toBe(403);
    await first.post(`/branches/${business().branchIds[0]}/resume`);
    expect((await user.get('/alerts')).body.alerts).toEqual([]);
    await becomes(sealed.body.id, 'signed');
  });
});

test('what the column says of every receipt so far is what its facts say', async () => {
  const all = await statesAndFacts(world);
  expect(all.length).toBeGreaterThan(8);
  expect(disagreeing(all)).toEqual([]);
});
