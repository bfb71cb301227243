import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { disagreeing, statesAndFacts } from '../states.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let api: Api;
let other: Api;

beforeAll(async () => {
  world = await startWorld({
    instead: {
      vsdc: { answerTimeoutMs: 1_200, lateTimeoutMs: 6_000 },
      timing: {
        retryFirstMs: 150,
        retryMaxMs: 400,
        settleQuietMs: 250,
        settleMaxMs: 600,
        doubtWaitMs: 600,
        leaseMs: 8_000,
      },
      sweepMs: 300,
      waitMs: 10_000,
    },
  });
  api = await Api.signIn(world, world.businesses[0].user);
  other = await Api.signIn(world, world.businesses[1].admin);
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => world.vsdc.faults([]));

const ours = () =>
  world.zoho
    .documents()
    .filter((each) => each.organization_id === world.businesses[0].organizationId);
const named = (what: string) => {
  const found = ours().find((each) => each.what.startsWith(what));
  if (!found) throw new Error(`no document "${what}"`);
  return found;
};
const judged = (documentNumber: string) =>
  world.vsdc.receipts().filter((each) => each.request.remark === documentNumber);
const present = async (id: string) => (await api.get(`/receipts/${id}`)).body;

describe('sealing a document', () => {
  test('every document that can be sealed is sealed once, with the total Zoho shows', async () => {
    for (const document of ours().filter((each) => each.canSeal && each.module === 'invoices')) {
      const reply = await api.seal(document.module, document.id);
      expect({ what: document.what, status: reply.status, state: reply.body.state }).toEqual({
        what: document.what,
        status: 200,
        state: 'signed',
      });
      const zoho = world.zoho.document(document.module, document.id);
      const total = zoho.currency_code === 'RWF' ? zoho.total : zoho.bcy_total;
      expect(Number(reply.body.totals.total)).toBeCloseTo(total as number, 6);
      expect(judged(document.number)).toHaveLength(1);
    }
  });

  test('a credit note of a whole sale becomes its refund on the same device, and a second one is refused', async () => {
    const note = named('credit note of the whole sale');
    const reply = await api.seal('creditnotes', note.id, { reason_code: '06' });
    expect(reply.body).toMatchObject({ state: 'signed', kind: 'refund', label: 'NR' });
    const [judge] = judged(note.number);
    const sale = await api.get(`/receipts/${reply.body.sale_receipt_id}`);
    expect(String(judge?.request.orgInvcNo)).toBe(sale.body.invoice_number);
    expect(judge?.request.rfdRsnCd).toBe('06');
    const copy = structuredClone(world.zoho.document('creditnotes', note.id));
    world.zoho.change('creditnotes', named('credit note without an invoice').id, {
      invoices: copy.invoices,
      line_items: copy.line_items,
      total: copy.total,
      sub_total: copy.sub_total,
      tax_total: copy.tax_total,
      bcy_total: copy.bcy_total,
    });
    const second = await api.seal('creditnotes', named('credit note without an invoice').id, {
      reason_code: '06',
    });
    expect(second).toMatchObject({ status: 422, body: { code: 'refund_second' } });
  });

  test('twenty calls at once for one document make one receipt at the judge', async () => {
    const fresh = cloneInvoice('twenty');
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => api.seal('invoices', fresh.id)),
    );
    expect(new Set(replies.map((each) => each.body.id)).size).toBe(1);
    expect(replies.every((each) => each.body.state === 'signed')).toBe(true);
    expect(judged(fresh.number)).toHaveLength(1);
  });

  test('numbers run without a gap over refusals: a refused number is given to the next document', async () => {
    const refused = cloneInvoice('refused');
    const next = cloneInvoice('next');
    world.vsdc.faults(['refuse:910']);
    const first = await api.seal('invoices', refused.id);
    expect(first).toMatchObject({
      status: 200,
      body: { state: 'refused', problem: { code: 'refused_amounts', device_code: '910' } },
    });
    const second = await api.seal('invoices', next.id);
    expect(second.body.state).toBe('signed');
    const again = await api.seal('invoices', refused.id);
    expect(again.body).toMatchObject({ id: first.body.id, state: 'signed' });
    expect(Number(again.body.invoice_number)).toBe(Number(second.body.invoice_number) + 1);
    expect(judged(refused.number)).toHaveLength(1);
  });

  test('the same Idempotency-Key does not try a refused document again; with other content it is a conflict', async () => {
    const document = cloneInvoice('key');
    world.vsdc.faults(['refuse:884']);
    const key = { 'idempotency-key': `key-${document.id}` };
    expect((await api.seal('invoices', document.id, {}, key)).body.state).toBe('refused');
    expect((await api.seal('invoices', document.id, {}, key)).body.state).toBe('refused');
    expect(judged(document.number)).toHaveLength(0);
    expect(
      await api.seal('invoices', document.id, { buyer_mobile: '0788111222' }, key),
    ).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
    expect((await api.seal('invoices', document.id)).body.state).toBe('signed');
  });
});

describe('when the answer is lost', () => {
  test('lost before signing: the same bytes go again under the same number, and there is one receipt', async () => {
    const document = cloneInvoice('before');
    world.vsdc.faults(['drop_before_signing']);
    const reply = await api.seal('invoices', document.id);
    expect(['in_doubt', 'signed']).toContain(reply.body.state);
    const settled = await until(
      () => present(reply.body.id),
      (each) => each.state === 'signed',
    );
    expect(judged(document.number)).toHaveLength(1);
    expect(String(judged(document.number)[0]?.request.invcNo)).toBe(settled.invoice_number);
  });

  test('of a document that was refused before and corrected since: what goes again is what went last, not what was refused', async () => {
    const document = cloneInvoice('corrected');
    world.vsdc.faults(['refuse:910']);
    const refused = await api.seal('invoices', document.id);
    expect(refused.body.state).toBe('refused');
    world.zoho.change('invoices', document.id, { customer_name: 'Corrected since' });
    world.vsdc.faults(['drop_before_signing']);
    const reply = await api.seal('invoices', document.id);
    const settled = await until(
      () => present(reply.body.id),
      (each) => each.state === 'signed',
    );
    expect(judged(document.number).map((each) => each.request.custNm)).toEqual(['Corrected since']);
    expect(settled.buyer_name).toBe('Corrected since');
  });

  test.each(['drop_after_signing', 'garbage', 'empty_success'])(
    'lost after signing (%s): never a second receipt; a person enters what the authority holds',
    async (fault) => {
      const document = cloneInvoice(fault);
      world.vsdc.faults([fault]);
      const reply = await api.seal('invoices', document.id);
      expect(reply.body.state).toBe('in_doubt');
      const lost = await until(
        () => present(reply.body.id),
        (each) => each.problem?.code === 'signed_answer_lost',
      );
      expect(lost).toMatchObject({ state: 'in_doubt', receipt_number: null });
      const [held] = judged(document.number);
      expect(judged(document.number)).toHaveLength(1);
      const evidence = evidenceOf(held);
      expect(await api.post(`/receipts/${lost.id}/evidence`, evidence)).toMatchObject({
        status: 403,
      });
      const admin = await Api.signIn(world, world.businesses[0].admin);
      expect(
        await admin.post(`/receipts/${lost.id}/evidence`, { ...evidence, sdc_id: 'SDC010099999' }),
      ).toMatchObject({
        status: 422,
        body: { code: 'evidence_mismatch', field: 'sdc_id' },
      });
      const settled = await admin.post(`/receipts/${lost.id}/evidence`, evidence);
      expect(settled.body).toMatchObject({
        state: 'signed',
        receipt_signature: held?.reply.rcptSign,
        invoice_number: String(held?.request.invcNo),
      });
      expect((await api.seal('invoices', document.id)).body.state).toBe('signed');
      expect(judged(document.number)).toHaveLength(1);
    },
  );

  test.each(['html_404', 'drop_before_signing'])(
    'no answer of a VSDC (%s) is a doubt that ends as one receipt',
    async (fault) => {
      const document = cloneInvoice(fault);
      world.vsdc.faults([fault]);
      const reply = await api.seal('invoices', document.id);
      await until(
        () => present(reply.body.id),
        (each) => each.state === 'signed',
      );
      expect(judged(document.number)).toHaveLength(1);
    },
  );

  test('an answer that comes after the time-out is recorded as the receipt', async () => {
    const document = cloneInvoice('stall');
    world.vsdc.faults(['stall:2000']);
    const reply = await api.seal('invoices', document.id);
    expect(reply.body).toMatchObject({ state: 'in_doubt', problem: { code: 'maybe_signed' } });
    const settled = await until(
      () => present(reply.body.id),
      (each) => each.state === 'signed',
    );
    expect(settled.receipt_signature).toBe(judged(document.number)[0]?.reply.rcptSign);
    expect(judged(document.number)).toHaveLength(1);
  });

  test.each([
    ['of a receipt known when its document was sent', (total: number) => total],
    ['below those known when its document was sent', () => 1],
  ])(
    'a late answer with a total %s is not believed, and somebody is told',
    async (what, totalSaid) => {
      const document = cloneInvoice(`late ${what}`);
      const newest = Number(world.vsdc.receipts().at(-1)?.reply.totRcptNo);
      world.vsdc.faults([`stall:2000:${totalSaid(newest)}`]);
      const reply = await api.seal('invoices', document.id);
      const waiting = await until(
        () => present(reply.body.id),
        (each) => each.state === 'signed' || each.problem?.code === 'signed_answer_lost',
      );
      expect(waiting).toMatchObject({ state: 'in_doubt', receipt_signature: null });
      const alerts = (await api.get('/alerts')).body.alerts as {
        subject: string;
        problem: { code: string };
      }[];
      expect(
        alerts.filter((each) => each.subject === reply.body.id).map((each) => each.problem.code),
      ).toContain('late_signature');
      // An alert can be closed: what the device said stands in the receipt's history and evidence
      // whatever becomes of it.
      const said = judged(document.number)[0]?.reply.rcptSign;
      const admin = await Api.signIn(world, world.businesses[0].admin);
      const trail = (await admin.get(`/trail?subject=${reply.body.id}`)).body.trail as {
        action: string;
        after: Record<string, unknown> | null;
      }[];
      expect(
        trail.filter((each) => each.action === 'receipt.late_signature').map((each) => each.after),
      ).toEqual([
        expect.objectContaining({
          receipt_signature: said,
          total_receipt_number: String(totalSaid(newest)),
        }),
      ]);
      await world.app.settle();
      const file = JSON.parse(
        (await admin.file(`/receipts/${reply.body.id}/evidence-pack`)).bytes.toString('utf8'),
      ) as { pack: string };
      const { sends } = JSON.parse(file.pack) as { sends: { response: string | null }[] };
      expect(sends.some((each) => each.response?.includes(String(said)))).toBe(true);
      await settle(reply.body.id, document.number);
    },
  );

  test('later documents go past one open doubt after a probe, and the resend tells that it was signed', async () => {
    const doubtful = cloneInvoice('jump');
    const later = cloneInvoice('later');
    world.vsdc.faults([
      'drop_after_signing',
      ...Array.from({ length: 3 }, () => 'drop_before_signing'),
      'none',
    ]);
    const first = await api.seal('invoices', doubtful.id);
    expect(first.body.state).toBe('in_doubt');
    const reply = await api.seal('invoices', later.id);
    await until(
      () => present(reply.body.id),
      (each) => each.state === 'signed',
    );
    await until(
      () => present(first.body.id),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    expect(judged(doubtful.number)).toHaveLength(1);
    expect(judged(later.number)).toHaveLength(1);
    await settle(first.body.id, doubtful.number);
  });

  test.each(['894', '999', '921', '896', '805', '995', '777'])(
    'code %s proves nothing: the document stays in doubt until the device signs it',
    async (code) => {
      const document = cloneInvoice(`code ${code}`);
      world.vsdc.faults([`refuse:${code}`]);
      const reply = await api.seal('invoices', document.id);
      expect(reply.body).toMatchObject({
        state: 'in_doubt',
        problem: { code: 'maybe_signed', device_code: code },
      });
      await until(
        () => present(reply.body.id),
        (each) => each.state === 'signed',
      );
      expect(judged(document.number)).toHaveLength(1);
    },
  );

  test('after a doubt a refusal changes nothing by itself; with a later receipt right behind it the doubt ends as not signed', async () => {
    const doubtful = cloneInvoice('refused after');
    world.vsdc.faults(['drop_before_signing', 'refuse:910']);
    const reply = await api.seal('invoices', doubtful.id);
    const waiting = await until(
      () => present(reply.body.id),
      (each) => each.problem?.device_code === '910',
    );
    expect(waiting.state).toBe('in_doubt');
    const later = cloneInvoice('behind');
    const behind = await api.seal('invoices', later.id);
    await until(
      () => present(behind.body.id),
      (each) => each.state === 'signed',
    );
    const ended = await until(
      () => present(reply.body.id),
      (each) => each.state !== 'in_doubt',
    );
    expect(['refused', 'signed']).toContain(ended.state);
    expect(judged(doubtful.number)).toHaveLength(ended.state === 'signed' ? 1 : 0);
  });
});

describe('a person settles', () => {
  test('that the authority holds nothing: only after the device has refused the last resend; the number goes to the next document', async () => {
    const admin = await Api.signIn(world, world.businesses[0].admin);
    const document = cloneInvoice('nothing there');
    const nothing = { found: false, source: 'authority portal, list of the day' };
    world.vsdc.faults(['stall:2200']);
    const early = await api.seal('invoices', document.id);
    expect(await admin.post(`/receipts/${early.body.id}/evidence`, nothing)).toMatchObject({
      status: 409,
      body: { code: 'wrong_state' },
    });
    await until(
      () => present(early.body.id),
      (each) => each.state === 'signed',
    );
    const doubtful = cloneInvoice('nothing at all');
    world.vsdc.faults(['drop_before_signing', ...Array.from({ length: 20 }, () => 'refuse:910')]);
    const reply = await api.seal('invoices', doubtful.id);
    const waiting = await until(
      () => present(reply.body.id),
      (each) => each.problem?.device_code === '910',
    );
    const settled = await until(
      () => admin.post(`/receipts/${waiting.id}/evidence`, nothing),
      (each) => each.status === 200,
    );
    world.vsdc.faults([]);
    expect(settled.body).toMatchObject({ state: 'refused', invoice_number: null });
    const next = await api.seal('invoices', cloneInvoice('takes the number').id);
    expect(next.body).toMatchObject({ state: 'signed', invoice_number: waiting.invoice_number });
    expect(judged(doubtful.number)).toHaveLength(0);
  });
});

describe('when the device cannot serve', () => {
  test('without its link (838) the document keeps number and place, and goes when the link is back', async () => {
    const document = cloneInvoice('offline');
    world.vsdc.faults(['offline', 'offline']);
    const reply = await api.seal('invoices', document.id);
    expect(reply).toMatchObject({
      status: 202,
      body: { state: 'queued', problem: { code: 'device_offline' } },
    });
    const signed = await until(
      () => present(reply.body.id),
      (each) => each.state === 'signed',
    );
    expect(signed.invoice_number).toBe(String(judged(document.number)[0]?.request.invcNo));
  });

  test.each([
    ['836', 'device_sequence'],
    ['901', 'device_invalid'],
  ])(
    'code %s pauses the lane with its sentence until a person resumes it',
    async (code, problem) => {
      const document = cloneInvoice(`pause ${code}`);
      world.vsdc.faults([`refuse:${code}`]);
      const reply = await api.seal('invoices', document.id);
      expect(reply.body).toMatchObject({ state: 'queued', problem: { code: problem } });
      const admin = await Api.signIn(world, world.businesses[0].admin);
      const branchId = world.businesses[0].branchIds[0];
      expect((await admin.get('/branches')).body.branches[0].device).toMatchObject({
        state: 'paused',
        problem: { code: problem },
      });
      expect((await admin.post(`/branches/${branchId}/resume`)).body.device.state).toBe('active');
      await until(
        () => present(reply.body.id),
        (each) => each.state === 'signed',
      );
      expect(judged(document.number)).toHaveLength(1);
    },
  );

  test.each(['924', '994', '899'] as const)(
    'a number another program took (%s) pauses the lane; evidence moves the counter and the document is numbered anew',
    async (duplicate) => {
      world.vsdc.set({ duplicate_answer: duplicate });
      const document = cloneInvoice(`collision ${duplicate}`);
      const admin = await Api.signIn(world, world.businesses[0].admin);
      const branchId = world.businesses[0].branchIds[0];
      const device = (await admin.get('/branches')).body.branches[0].device;
      world.vsdc.signElsewhere(world.businesses[0].taxpayerId, '00', device.next_invoice_number);
      const reply = await api.seal('invoices', document.id);
      expect(reply.body).toMatchObject({
        state: 'in_doubt',
        problem: { code: 'number_collision' },
      });
      expect(await admin.post(`/branches/${branchId}/resume`)).toMatchObject({
        status: 400,
        body: { field: 'last_invoice_number' },
      });
      await admin.post(`/branches/${branchId}/resume`, {
        last_invoice_number: device.next_invoice_number,
        evidence: 'portal, list of sales',
      });
      const signed = await until(
        () => present(reply.body.id),
        (each) => each.state === 'signed',
      );
      expect(Number(signed.invoice_number)).toBe(Number(device.next_invoice_number) + 1);
      expect(judged(document.number)).toHaveLength(1);
      world.vsdc.set({ duplicate_answer: '924' });
    },
  );
});

test('numbers that wait for a document when another program has gone past them are never used, and are listed as that', async () => {
  const admin = await Api.signIn(world, world.businesses[0].admin);
  const branchId = world.businesses[0].branchIds[0];
  const deviceNow = async () => (await admin.get('/branches')).body.branches[0].device;
  const first = BigInt((await deviceNow()).next_invoice_number);
  const numbers = [0n, 1n, 2n, 3n].map((n) => (first + n).toString());
  const [met, passed, kept, next] = numbers as [string, string, string, string];
  // As if three documents had been sent before, refused, and left.
  const wereFree =
    'update device set free_numbers = $1::bigint[], next_invoice_number = $2::bigint where branch_id = $3';
  await world.sql(wereFree, [[met, passed, kept], next, branchId], world.businesses[0].businessId);
  world.vsdc.signElsewhere(world.businesses[0].taxpayerId, '00', met);
  const document = cloneInvoice('gone past');
  const { body } = await api.seal('invoices', document.id);
  expect(body).toMatchObject({
    state: 'in_doubt',
    problem: { code: 'number_collision', invoice_number: met },
  });
  await admin.post(`/branches/${branchId}/resume`, {
    last_invoice_number: passed,
    evidence: 'portal, list of sales',
  });
  const signed = await until(
    () => present(body.id),
    (each) => each.state === 'signed',
  );
  expect(signed.invoice_number).toBe(kept);
  expect((await deviceNow()).burnt_numbers).toEqual([passed]);
});

describe('the world moves', () => {
  test('a document changed, voided or deleted after sealing is shown as drift, and stays sealed', async () => {
    const document = cloneInvoice('drift');
    const sealed = await api.seal('invoices', document.id);
    const drift = async () =>
      (await api.get(`/receipts/preflight?module=invoices&document_id=${document.id}`)).body;
    expect((await drift()).receipt.drift).toBeNull();
    world.zoho.change('invoices', document.id, { total: 1 });
    expect((await drift()).receipt.drift.code).toBe('drift_changed');
    world.zoho.change('invoices', document.id, { status: 'void' });
    expect((await drift()).receipt.drift.code).toBe('drift_void');
    world.zoho.change('invoices', document.id, null);
    expect(await drift()).toMatchObject({ code: 'document_unknown' });
    expect(await present(sealed.body.id)).toMatchObject({
      state: 'signed',
      drift: { code: 'drift_deleted' },
    });
  });

  test('a document moved after sealing to a place that is not its branch’s is shown as drift until it is back', async () => {
    const document = cloneInvoice('moved');
    await api.seal('invoices', document.id);
    const [home, other] = world.zoho.organization(world.businesses[0].organizationId).locations;
    const drift = async () =>
      (await api.get(`/receipts/preflight?module=invoices&document_id=${document.id}`)).body.receipt
        .drift;
    expect(await drift()).toBeNull();
    world.zoho.change('invoices', document.id, { location_id: other?.location_id });
    expect(await drift()).toMatchObject({
      code: 'drift_moved',
      detail: expect.stringContaining('Zoho'),
    });
    world.zoho.change('invoices', document.id, { location_id: home?.location_id });
    expect(await drift()).toBeNull();
  });

  test('while the device is unreachable a document may be withdrawn, changed or voided; nothing of it was sent', async () => {
    const [withdrawn, voided, changed] = [
      cloneInvoice('withdrawn'),
      cloneInvoice('voided'),
      cloneInvoice('changed'),
    ];
    const admin = await Api.signIn(world, world.businesses[0].admin);
    const branchId = world.businesses[0].branchIds[0] as string;
    await admin.post(`/branches/${branchId}/pause`);
    const opened = await Promise.all([withdrawn, voided, changed].map((each) => quick(each.id)));
    const [first, second, third] = opened.map((each) => each.body.id as string) as [
      string,
      string,
      string,
    ];
    expect((await api.post(`/receipts/${first}/withdraw`)).body.state).toBe('withdrawn');
    await stale(voided.id, changed.id);
    world.zoho.change('invoices', voided.id, { status: 'void' });
    world.zoho.change('invoices', changed.id, {
      notes: 'changed',
      customer_name: 'Hotel Ikirezi Annex',
    });
    await admin.post(`/branches/${branchId}/resume`);
    await until(
      () => present(second),
      (each) => each.state === 'withdrawn',
    );
    expect(await present(second)).toMatchObject({
      problem: { code: 'document_void' },
      invoice_number: null,
    });
    await until(
      () => present(third),
      (each) => each.state === 'signed',
    );
    expect(judged(changed.number)[0]?.request.custNm).toBe('Hotel Ikirezi Annex');
    expect(judged(withdrawn.number)).toHaveLength(0);
    expect(judged(voided.number)).toHaveLength(0);
    expect((await api.seal('invoices', withdrawn.id)).body).toMatchObject({
      id: first,
      state: 'signed',
    });
  });

  test('a document that cannot be read stands aside: those behind it go on, it is asked for less and less often, and goes once it can be read', async () => {
    const [torn, behind] = [cloneInvoice('torn'), cloneInvoice('behind')];
    const admin = await Api.signIn(world, world.businesses[0].admin);
    const branchId = world.businesses[0].branchIds[0] as string;
    const { businessId } = world.businesses[0];
    const resumed = async () => {
      expect((await admin.post(`/branches/${branchId}/pause`)).status).toBe(200);
      expect((await admin.post(`/branches/${branchId}/resume`)).status).toBe(200);
    };
    const setAside = async (times: number) => {
      const [row] = await until(
        () =>
          world.sql(
            `select state, problem->>'code' as code, invoice_number, extract(epoch from next_try_at - updated_at)::int as seconds, tries from receipt
              where document_id = $1 and tries >= $2 and next_try_at is not null`,
            [torn.id, times],
            businessId,
          ),
        (rows) => rows.length === 1,
      );
      expect(row).toMatchObject({
        state: 'queued',
        code: 'document_unreadable',
        invoice_number: null,
        seconds: 5 * 2 ** ((row?.tries as number) - 1),
      });
      return row?.tries as number;
    };
    await admin.post(`/branches/${branchId}/pause`);
    const first = (await quick(torn.id)).body.id as string;
    const second = (await quick(behind.id)).body.id as string;
    await stale(torn.id);
    const { total } = world.zoho.document('invoices', torn.id) as { total: number };
    world.zoho.change('invoices', torn.id, { total: 'a lot' });
    expect((await admin.post(`/branches/${branchId}/resume`)).status).toBe(200);
    const tries = await setAside(1);
    await until(
      () => present(second),
      (each) => each.state === 'signed',
    );
    await resumed();
    await setAside(tries + 1);
    world.zoho.change('invoices', torn.id, { total });
    await resumed();
    await until(
      () => present(first),
      (each) => each.state === 'signed',
    );
    expect([torn, behind].map(({ number }) => judged(number).length)).toEqual([1, 1]);
  });
});

test('what the column says of every receipt so far is what its facts say', async () => {
  const all = await statesAndFacts(world);
  expect(all.length).toBeGreaterThan(10);
  expect(disagreeing(all)).toEqual([]);
});

describe('another business', () => {
  test('sees neither document nor receipt, and cannot tell them from what does not exist', async () => {
    const document = cloneInvoice('wall');
    const { body } = await api.seal('invoices', document.id);
    const foreign = await other.get(`/receipts/${body.id}`);
    const unknown = await other.get('/receipts/rcp_00000000000000000000000000000000');
    expect(foreign).toMatchObject({ status: 404, body: unknown.body });
    expect(await other.seal('invoices', document.id)).toMatchObject({
      status: 404,
      body: { code: 'document_unknown' },
    });
    expect(
      (await other.get(`/receipts?module=invoices&document_id=${document.id}`)).body.receipts,
    ).toEqual([]);
    for (const path of [`/receipts/${body.id}/withdraw`, `/receipts/${body.id}/prints`])
      expect((await other.post(path, { paper: 'a4' })).status).toBe(404);
  });
});

let made = 0;
/** A fresh invoice like the simple sale. */
function cloneInvoice(label: string): { id: string; number: string } {
  made += 1;
  const source = structuredClone(world.zoho.document('invoices', named('simple sale').id));
  const id = `46000000009${String(made).padStart(8, '0')}`;
  const number = `T-${label.replaceAll(' ', '-')}-${made}`;
  world.zoho.add('invoices', world.businesses[0].organizationId, {
    ...source,
    invoice_id: id,
    invoice_number: number,
  });
  return { id, number };
}

/** Opens without waiting for the device. */
async function quick(documentId: string) {
  const reply = await Promise.race([
    api.seal('invoices', documentId),
    until(
      () => api.get(`/receipts?module=invoices&document_id=${documentId}`),
      (each) => each.body.receipts?.length === 1,
    ).then((each) => ({ status: 202, body: each.body.receipts[0] })),
  ]);
  return reply;
}

/** As if the documents had waited for long: they were read before the world moved. */
async function stale(...documentIds: string[]): Promise<void> {
  await world.sql(
    "update receipt set read_at = read_at - interval '1 hour' where document_id = any($1::text[])",
    [documentIds],
    world.businesses[0].businessId,
  );
}

async function settle(receiptId: string, documentNumber: string): Promise<void> {
  const admin = await Api.signIn(world, world.businesses[0].admin);
  const [held] = judged(documentNumber);
  const reply = await admin.post(`/receipts/${receiptId}/evidence`, evidenceOf(held));
  expect(reply.body.state).toBe('signed');
}
