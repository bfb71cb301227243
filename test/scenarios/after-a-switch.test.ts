import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Api, confirmShown, until } from '../api.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { type RwVsdc, startRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';
import { redo } from '../migrations.ts';
import { approvedFor, type DemoBusiness, startWorld, type World } from '../world.ts';

let world: World;
let following: RwVsdc;
beforeAll(async () => {
  world = await startWorld({
    businesses: 3,
    rehearsing: [1],
    instead: {
      vsdc: { answerTimeoutMs: 4_000, lateTimeoutMs: 5_000, connectTimeoutMs: 4_000 },
      timing: {
        retryFirstMs: 100,
        retryMaxMs: 200,
        settleQuietMs: 100,
        settleMaxMs: 200,
        doubtWaitMs: 100,
        leaseMs: 8_000,
        switchPatienceMs: 5_000,
      },
      sweepMs: 200,
      waitMs: 8_000,
    },
  });
  following = await startRwVsdc({ approved: [] });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await following?.close();
});

let made = 0;
function invoice(of: DemoBusiness, more: object = {}): { id: string; number: string } {
  made += 1;
  const source = world.zoho
    .documents()
    .find(
      (each) => each.organization_id === of.organizationId && each.what.startsWith('simple sale'),
    );
  const id = `46000000009${String(made).padStart(8, '0')}`;
  const number = `A-${made}`;
  world.zoho.add('invoices', of.organizationId, {
    ...structuredClone(world.zoho.document('invoices', source?.id ?? '')),
    invoice_id: id,
    invoice_number: number,
    ...more,
  });
  return { id, number };
}
const judged = (at: RwVsdc, number: string) =>
  at.receipts().filter((each) => each.request.remark === number);
const present = async (api: Api, id: string) => (await api.get(`/receipts/${id}`)).body;
const deviceOf = async (api: Api, of: DemoBusiness) =>
  (await api.get('/branches')).body.branches.find(
    (each: { id: string }) => each.id === of.branchIds[0],
  ).device;
const socketsClosed = (of: DemoBusiness) =>
  until(
    () =>
      world.sql(
        'select 1 as open from attempt where ended_at is null or socket_closed_at is null and socket_until > now()',
        [],
        of.businessId,
      ),
    (open) => open.length === 0,
  );
/** A document whose answer nobody got, although its device has signed it. */
async function lost(api: Api, of: DemoBusiness, documentId: string, at: RwVsdc): Promise<string> {
  at.faults(['drop_after_signing'], { tin: of.taxpayerId, bhfId: '00' });
  const { id } = (await api.seal('invoices', documentId)).body as { id: string };
  await until(
    () => present(api, id),
    (each) => each.problem?.code === 'signed_answer_lost',
  );
  await socketsClosed(of);
  return id;
}
/** Somebody at work in the lane of a device. */
async function holdLane(deviceId: string): Promise<pg.Client> {
  const holder = new pg.Client({ connectionString: world.databaseUrls.app });
  await holder.connect();
  onTestFinished(() => holder.end());
  await holder.query(
    `begin; select set_config('role', 'muhuri_worker', true), set_config('app.business_id', '${world.businesses[0].businessId}', true);
     select 1 from device where id = '${deviceId}' for update`,
  );
  return holder;
}
const approve = (of: DemoBusiness, serial: string, lastInvoiceNumber = 0) =>
  following.approve({
    tin: of.taxpayerId,
    bhfId: '00',
    serial,
    name: approvedFor(3).find((each) => each.tin === of.taxpayerId)?.name ?? '',
    sdcId: `SDC0300${of.taxpayerId.slice(-6)}`,
    ...(lastInvoiceNumber
      ? { before: { lastInvoiceNumber, sales: [...world.vsdc.device(of.taxpayerId, '00').sales] } }
      : {}),
  });

describe('the reversal of a lost sale, when its device is replaced', () => {
  let of: DemoBusiness;
  let first: Api;
  let second: Api;
  let sent: { id: string; number: string };
  let waiting: { id: string; number: string };
  let sentSale: string;
  let waitingSale: string;
  let sentReversal: string;
  let refused: { id: string; number: string };
  let refusedSale: string;
  /** Each has the number of a try that was refused before. */
  let afterSales: string[];
  const proposal = { reason_code: '06', source: 'portal and the log of the VSDC: not there' };
  const undo = async (receiptId: string): Promise<string> => {
    expect((await first.post(`/receipts/${receiptId}/reversal`, proposal)).status).toBe(200);
    const confirmed = await confirmShown(second, receiptId, 'reversal');
    expect(confirmed.status).toBe(200);
    return confirmed.body.reversal.reversal_receipt_id as string;
  };
  beforeAll(async () => {
    of = world.businesses[0];
    const colleague = {
      username: 'second@inzozi',
      name: 'Second',
      email: 'second@inzozi.example',
      password: 'second-demo-only',
      role: 'business_admin' as const,
    };
    await world.app.addPerson(of.businessId, colleague);
    await world.sql(
      "update business set settings = settings || jsonb_build_object('reversal_without_data', true)",
      [],
      of.businessId,
    );
    first = await Api.signIn(world, of.admin);
    second = await Api.signIn(world, {
      ...of.admin,
      username: colleague.username,
      password: colleague.password,
    });
    await first.seal('invoices', invoice(of).id);
    [sent, waiting] = [invoice(of), invoice(of)];
    sentSale = await lost(first, of, sent.id, world.vsdc);
    waitingSale = await lost(first, of, waiting.id, world.vsdc);
    // One gives its number back, refused, and another loses its answer under it; and the same twice
    // more.
    refused = invoice(of);
    afterSales = [];
    for (const after of [invoice(of), invoice(of), invoice(of)]) {
      world.vsdc.faults(['refuse:910'], { tin: of.taxpayerId, bhfId: '00' });
      refusedSale = (await first.seal('invoices', refused.id)).body.id;
      afterSales.push(await lost(first, of, after.id, world.vsdc));
    }
    // One is signed and its answer is lost as well; the other never leaves.
    world.vsdc.faults(['drop_after_signing'], { tin: of.taxpayerId, bhfId: '00' });
    sentReversal = await undo(sentSale);
    await until(
      () => present(first, sentReversal),
      (each) => each.problem?.code === 'signed_answer_lost',
    );
    await socketsClosed(of);
    await world.sql(
      "update device set address = 'http://127.0.0.1:9' where branch_id = $1",
      [of.branchIds[0]],
      of.businessId,
    );
    await undo(waitingSale);
    const { next_invoice_number: next } = await deviceOf(first, of);
    const branchId = of.branchIds[0] as string;
    approve(of, 'follows', Number(next) - 1);
    await first.put(`/branches/${branchId}/next-device`, {
      for: 'replacement',
      address: following.url,
      serial: 'follows',
    });
    expect((await first.post(`/branches/${branchId}/initialise`)).status).toBe(200);
    expect(
      (await first.post(`/branches/${branchId}/switch`, { reason: 'the computer is dead' })).status,
    ).toBe(200);
  });

  test('and known to be signed only afterwards, leaves nothing waiting at the retired device: its document is sealed at the successor', async () => {
    const [, refund] = judged(world.vsdc, sent.number);
    expect(
      (await first.post(`/receipts/${sentReversal}/evidence`, evidenceOf(refund))).body,
    ).toMatchObject({ state: 'signed' });
    expect(await present(first, sentSale)).toMatchObject({
      state: 'refused',
      problem: { code: 'device_retired' },
      reversal: { reversed_at: expect.any(String) },
    });
    // Lost there as well, it is not undone once more: the refund that was signed stays where it is.
    const again = await lost(first, of, sent.id, following);
    expect(await first.post(`/receipts/${again}/reversal`, proposal)).toMatchObject({
      status: 409,
      body: { code: 'reversal_done' },
    });
    expect(await present(first, sentReversal)).toMatchObject({ state: 'signed', kind: 'refund' });
    const [held] = judged(following, sent.number);
    expect((await first.post(`/receipts/${again}/evidence`, evidenceOf(held))).body).toMatchObject({
      state: 'signed',
    });
    expect(judged(following, sent.number)).toHaveLength(1);
  });

  test('and closed unsent with it, is opened at the successor where the document is lost there once more', async () => {
    const evidence = { found: 'other', source: 'the portal shows another document under it' };
    await first.post(`/receipts/${waitingSale}/evidence`, evidence);
    expect((await confirmShown(second, waitingSale, 'evidence')).body).toMatchObject({
      state: 'refused',
      problem: { code: 'device_retired' },
    });
    const again = await lost(first, of, waiting.id, following);
    expect(again).not.toBe(waitingSale);
    const reversal = await undo(again);
    await until(
      () => present(first, again),
      (each) => each.state === 'signed',
    );
    expect(await present(first, reversal)).toMatchObject({ state: 'signed', kind: 'refund' });
    expect(judged(following, waiting.number).map((each) => each.request.rcptTyCd)).toEqual([
      'S',
      'R',
      'S',
    ]);
  });

  test('asks at the retired one after all about what it may have signed, once it is known that the successor has not, until somebody has said so', async () => {
    const evidence = { found: 'other', source: 'the portal shows another document under it' };
    const afterSale = afterSales.shift() as string;
    const [{ number } = {}] = await world.sql(
      'select invoice_number::text as number from receipt where id = $1',
      [afterSale],
      of.businessId,
    );
    const isBack = async (movedId: string) => {
      expect(await present(first, refusedSale)).toMatchObject({
        state: 'in_doubt',
        invoice_number: number,
        problem: { code: 'signed_answer_lost' },
      });
      expect(await present(first, movedId)).toMatchObject({
        state: 'withdrawn',
        invoice_number: null,
        problem: { code: 'receipt_moved' },
      });
      expect((await first.seal('invoices', refused.id)).body).toMatchObject({
        id: refusedSale,
        state: 'in_doubt',
      });
      expect(judged(following, refused.number)).toHaveLength(0);
    };
    const toldOf = async () =>
      ((await first.get('/alerts')).body.alerts as { subject: string }[]).filter(
        (each) => each.subject === refusedSale,
      ).length;
    following.faults(['drop_before_signing', ...Array.from({ length: 100 }, () => 'refuse:838')], {
      tin: of.taxpayerId,
      bhfId: '00',
    });
    const moved = (await first.seal('invoices', refused.id)).body;
    expect(moved).toMatchObject({ state: 'in_doubt', problem: { code: 'maybe_signed' } });
    expect(moved.id).not.toBe(refusedSale);
    await socketsClosed(of);
    // Not the later one's: it may be the one's that had it before.
    await first.post(`/receipts/${afterSale}/evidence`, evidence);
    // The successor is asked about it again and again: not while that is under way.
    await until(
      () => confirmShown(second, afterSale, 'evidence'),
      (each) => each.status === 200,
    );
    expect(await toldOf()).toBe(1);
    // Signed at the retired one, it would be signed once more: the successor is asked no more.
    await until(
      () => present(first, moved.id),
      (each) =>
        each.problem?.code === 'maybe_signed_under_either' && each.problem.other_number === number,
    );
    // That it has not signed is said of a list of the authority's that is late enough for what it
    // signed without it.
    const isNotThere = {
      found: false,
      source: 'the portal, list of the days since',
      listed_at: new Date().toISOString(),
    };
    expect((await first.post(`/receipts/${moved.id}/evidence`, isNotThere)).body.code).toBe(
      'evidence_too_early',
    );
    await world.sql(
      "update attempt set started_at = started_at - interval '3 days' where receipt_id = $1",
      [moved.id],
      of.businessId,
    );
    expect(
      (await first.post(`/receipts/${moved.id}/evidence`, { ...isNotThere, listed_at: undefined }))
        .body.field,
    ).toBe('listed_at');
    expect((await first.post(`/receipts/${moved.id}/evidence`, isNotThere)).body).toMatchObject({
      state: 'in_doubt',
      settlement: { evidence: { found: false } },
    });
    expect((await confirmShown(second, moved.id, 'evidence')).status).toBe(200);
    await isBack(moved.id);
    expect(await toldOf()).toBe(0);
    await first.post(`/receipts/${refusedSale}/evidence`, evidence);
    expect((await confirmShown(second, refusedSale, 'evidence')).body).toMatchObject({
      state: 'refused',
      problem: { code: 'device_retired' },
    });

    // Nor where it was refused there since: as if that had been under way when it was asked about.
    following.faults(['refuse:910'], { tin: of.taxpayerId, bhfId: '00' });
    const again = (await first.seal('invoices', refused.id)).body;
    expect(again).toMatchObject({ state: 'refused' });
    following.faults([]);
    const settleAs = (as: string) =>
      world.sql(
        'update attempt set resolution = $1 where receipt_id = $2 and invoice_number = $3',
        [as, refusedSale, number],
        of.businessId,
      );
    await settleAs('doubtful');
    // Whoever has the lane of the retired one can still take what stands at the successor: who
    // brings it back waits for the lane first.
    const [{ device_id: retired } = {}] = await world.sql(
      'select device_id from receipt where id = $1',
      [refusedSale],
      of.businessId,
    );
    const holder = await holdLane(retired as string);
    const sealing = first.seal('invoices', refused.id);
    await until(
      () =>
        holder.query(
          'select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
        ),
      ({ rows }) => rows.length > 0,
    );
    expect(
      (await holder.query('select id from receipt where id = $1 for update nowait', [again.id]))
        .rows,
    ).toEqual([{ id: again.id }]);
    await holder.query('commit');
    expect((await sealing).body).toMatchObject({ id: refusedSale, state: 'in_doubt' });
    await isBack(again.id);
    await first.post(`/receipts/${refusedSale}/evidence`, evidence);
    expect((await confirmShown(second, refusedSale, 'evidence')).body).toMatchObject({
      state: 'refused',
      problem: { code: 'device_retired' },
    });
  });

  test('takes back from the successor what waits there, as often as it may be signed at the retired one after all, until somebody has said so', async () => {
    const evidence = { found: 'other', source: 'the portal shows another document under it' };
    const closed: string[] = [];
    for (const afterSale of afterSales) {
      following.faults(
        Array.from({ length: 400 }, () => 'offline'),
        { tin: of.taxpayerId, bhfId: '00' },
      );
      const sealing = first.seal('invoices', refused.id);
      const waits = await until(
        () =>
          world.sql(
            "select id, device_id, invoice_number::text as number from receipt where document_id = $1 and state = 'queued'",
            [refused.id],
            of.businessId,
          ),
        ([row]) => row?.number != null,
      );
      const moved = waits[0] as { id: string; device_id: string; number: string };
      expect([refusedSale, ...closed]).not.toContain(moved.id);
      // Not while one of its tries is under way.
      expect((await first.post(`/branches/${of.branchIds[0]}/pause`)).status).toBe(200);
      await until(
        () =>
          world.sql(
            'select 1 from device where id = $1 and open_attempt is null',
            [moved.device_id],
            of.businessId,
          ),
        (rows) => rows.length === 1,
      );
      // Not the later one's: it may be the one's that had it before.
      await first.post(`/receipts/${afterSale}/evidence`, evidence);
      const holder = await holdLane(moved.device_id);
      const confirming = confirmShown(second, afterSale, 'evidence');
      await until(
        () =>
          holder.query(
            'select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))',
          ),
        ({ rows }) => rows.length > 0,
      );
      // Whoever has the lane of the successor can still take what waits in it: who takes it back
      // waits for the lane first.
      expect(
        (await holder.query('select id from receipt where id = $1 for update nowait', [moved.id]))
          .rows,
      ).toEqual([{ id: moved.id }]);
      await holder.query('commit');
      expect((await confirming).status).toBe(200);
      expect(await present(first, refusedSale)).toMatchObject({
        state: 'in_doubt',
        problem: { code: 'signed_answer_lost' },
      });
      closed.push(moved.id);
      for (const id of closed)
        expect(await present(first, id)).toMatchObject({
          state: 'withdrawn',
          invoice_number: null,
          problem: { code: 'receipt_moved' },
        });
      following.faults([]);
      expect((await first.post(`/branches/${of.branchIds[0]}/resume`)).status).toBe(200);
      expect((await sealing).body.state).not.toBe('signed');
      // Its number there is the next one's.
      expect((await first.seal('invoices', invoice(of).id)).body).toMatchObject({
        state: 'signed',
        invoice_number: moved.number,
      });
      expect((await first.seal('invoices', refused.id)).body).toMatchObject({
        id: refusedSale,
        state: 'in_doubt',
      });
      expect(judged(following, refused.number)).toHaveLength(0);
      // It was not: it goes to the successor again.
      await first.post(`/receipts/${refusedSale}/evidence`, evidence);
      expect((await confirmShown(second, refusedSale, 'evidence')).body).toMatchObject({
        state: 'refused',
        problem: { code: 'device_retired' },
      });
    }
    expect((await first.seal('invoices', refused.id)).body).toMatchObject({ state: 'signed' });
    expect(judged(following, refused.number)).toHaveLength(1);
  });
});

describe('what a rehearsal leaves', () => {
  test('receipts that are nobody’s stop no lane at a sandbox device: others rehearse with it as well', async () => {
    const of = world.businesses[1] as DemoBusiness;
    const admin = await Api.signIn(world, of.admin);
    expect((await admin.seal('invoices', invoice(of).id)).body).toMatchObject({
      state: 'signed',
      environment: 'sandbox',
    });
    world.vsdc.signElsewhere(of.taxpayerId, '00', '900');
    for (const document of [invoice(of), invoice(of)])
      expect((await admin.seal('invoices', document.id)).body).toMatchObject({ state: 'signed' });
    expect(await deviceOf(admin, of)).toMatchObject({ state: 'active', problem: null });
    expect((await admin.get('/alerts')).body.alerts).toEqual([]);
  });

  test('a device whose serial the authority does not know is entered again, and a late test receipt never stands in the place of the real one', async () => {
    const of = world.businesses[1] as DemoBusiness;
    const admin = await Api.signIn(world, of.admin);
    const [branchId] = of.branchIds as [string];
    const document = invoice(of);
    const test = (await admin.seal('invoices', document.id)).body;
    expect(test).toMatchObject({ state: 'signed', environment: 'sandbox' });
    expect(await admin.post(`/receipts/${test.id}/mail`)).toMatchObject({
      status: 409,
      body: { code: 'test_receipt_only' },
    });
    // Nor does Zoho mail one to the buyer, where real ones are mailed.
    const decide = async (settings: object) => {
      const { version } = (await admin.get('/businesses/me/config')).body;
      expect((await admin.put('/businesses/me/config', { settings, version })).status).toBe(200);
    };
    await world.app.settle();
    await decide({ write_back: true, mail_after_seal: true });
    const tried = (await admin.seal('invoices', invoice(of).id)).body;
    const dueOf = async (id: string) =>
      (await admin.get(`/receipts/${id}/write-back`)).body.steps as { step: string }[];
    const due = await until(
      () => dueOf(tried.id),
      (steps) => steps.length > 0,
    );
    expect(due.map((each) => each.step)).not.toContain('mail');
    await decide({ write_back: false, mail_after_seal: false });
    const dollars = (rate: number) => {
      const { total } = world.zoho.document('invoices', document.id) as { total: number };
      return invoice(of, {
        currency_code: 'USD',
        exchange_rate: rate,
        bcy_total: Math.round(total * rate * 100) / 100,
      });
    };
    expect((await admin.seal('invoices', dollars(1200).id)).body).toMatchObject({
      state: 'signed',
      environment: 'sandbox',
    });
    const unlikely = async () => {
      const { findings } = (
        await admin.get(`/receipts/preflight?module=invoices&document_id=${dollars(1450).id}`)
      ).body as { findings: { code: string }[] };
      return findings.some((each) => each.code === 'exchange_rate_unlikely');
    };
    expect(await unlikely()).toBe(true);
    const { next_invoice_number: next } = await deviceOf(admin, of);
    world.vsdc.signElsewhere(of.taxpayerId, '00', next);
    const met = (await admin.seal('invoices', invoice(of).id)).body;
    expect(met).toMatchObject({ state: 'in_doubt', problem: { code: 'number_collision' } });
    approve(of, 'right');
    const enter = (serial: string) =>
      admin.put(`/branches/${branchId}/next-device`, {
        for: 'production',
        address: following.url,
        serial,
      });
    await enter('wrong');
    expect(await admin.post(`/branches/${branchId}/initialise`)).toMatchObject({
      body: { code: 'device_invalid' },
    });
    expect((await enter('right')).status).toBe(200);
    expect((await admin.post(`/branches/${branchId}/initialise`)).status).toBe(200);
    expect((await admin.post(`/branches/${branchId}/switch`)).status).toBe(200);
    // Whoever else used the sandbox, nobody is asked about it any more.
    expect(await present(admin, met.id)).toMatchObject({
      state: 'withdrawn',
      invoice_number: null,
      problem: { code: 'device_retired' },
    });
    expect((await admin.get('/alerts')).body.alerts).toEqual([]);
    // What the rehearsal converted by is no measure for what is sealed.
    expect(await unlikely()).toBe(false);
    await admin.post('/zoho/installation');
    const { version } = (await admin.get('/businesses/me/config')).body;
    expect(
      (await admin.put('/businesses/me/config', { settings: { write_back: true }, version }))
        .status,
    ).toBe(200);
    const real = (await admin.seal('invoices', document.id, { confirm: ['before_production'] }))
      .body;
    expect(real).toMatchObject({ state: 'signed', environment: 'production' });
    const steps = (id: string) =>
      admin
        .get(`/receipts/${id}/write-back`)
        .then((reply) => reply.body.steps as { state: string }[]);
    await until(
      () => steps(real.id),
      (all) =>
        all.length > 0 && all.every((each) => each.state === 'done' || each.state === 'skipped'),
    );
    // Due since the rehearsal, and kept waiting by Zoho until now.
    await world.sql(
      `insert into write_back (business_id, receipt_id, step, position, state, tries, next_at, created_at)
         values ($1, $2, 'custom_fields', 0, 'waiting', 0, now(), now()), ($1, $2, 'comment', 2, 'waiting', 0, now(), now())`,
      [of.businessId, test.id],
      of.businessId,
    );
    await admin.post(`/receipts/${test.id}/write-back`);
    expect(
      await until(
        () => steps(test.id),
        (all) => all.every((each) => each.state !== 'waiting'),
      ),
    ).toMatchObject([{ state: 'skipped' }, { state: 'skipped' }]);
    const seen = world.zoho.seenOn(document.id);
    expect(seen.fields.cf_fiscal_receipt).not.toContain('TEST');
    expect(JSON.stringify(seen.comments)).not.toContain('TEST');
  });
});

describe('receipts of a device that are nobody’s', () => {
  let of: DemoBusiness;
  let admin: Api;
  beforeAll(async () => {
    of = world.businesses[2] as DemoBusiness;
    admin = await Api.signIn(world, of.admin);
    await admin.seal('invoices', invoice(of).id);
  });
  const resume = async (more: object = {}) => {
    const resumed = await admin.post(`/branches/${of.branchIds[0]}/resume`, {
      ...more,
      evidence: 'the old till, page 3 of its log',
    });
    expect(resumed.status).toBe(200);
  };

  test('are not those that it has signed for us before it was set up anew', async () => {
    const document = invoice(of);
    const doubt = await lost(admin, of, document.id, world.vsdc);
    expect((await admin.seal('invoices', invoice(of).id)).body.state).toBe('signed');
    const [branchId] = of.branchIds as [string];
    const { serial, sdc_id, mrc_number, next_invoice_number: next } = await deviceOf(admin, of);
    await admin.put(`/branches/${branchId}/next-device`, {
      for: 'replacement',
      address: world.vsdc.url,
      serial,
    });
    const known = { sdc_id, mrc_number, last_invoice_number: String(Number(next) - 1) };
    expect((await admin.post(`/branches/${branchId}/adopt`, known)).status).toBe(200);
    expect(
      (
        await admin.post(`/branches/${branchId}/switch`, {
          reason: 'set up anew on another computer',
        })
      ).status,
    ).toBe(200);
    expect((await admin.seal('invoices', invoice(of).id)).body.state).toBe('signed');
    expect(await deviceOf(admin, of)).toMatchObject({ state: 'active', problem: null });
    const [held] = judged(world.vsdc, document.number);
    expect((await admin.post(`/receipts/${doubt}/evidence`, evidenceOf(held))).body.state).toBe(
      'signed',
    );
    expect((await admin.seal('invoices', invoice(of).id)).body.state).toBe('signed');
    expect(await deviceOf(admin, of)).toMatchObject({ state: 'active', problem: null });
  });

  test('under a number that came back to us never move our own run back to numbers that are used', async () => {
    const { next_invoice_number: next } = await deviceOf(admin, of);
    const later = String(Number(next) + 3);
    // Three documents were signed after the one whose number came back.
    await world.sql(
      "update device set free_numbers = array[$1::bigint], next_invoice_number = $2 where branch_id = $3 and state <> 'retired'",
      [next, later, of.branchIds[0]],
      of.businessId,
    );
    world.vsdc.signElsewhere(of.taxpayerId, '00', next);
    expect((await admin.seal('invoices', invoice(of).id)).body).toMatchObject({
      problem: { code: 'number_collision' },
    });
    await resume({ last_invoice_number: next });
    await until(
      () => deviceOf(admin, of),
      (each) => each.queued === 0,
    );
    expect(await deviceOf(admin, of)).toMatchObject({
      state: 'active',
      next_invoice_number: String(Number(later) + 1),
    });
  });

  test('stop the lane as soon as the evidence for a doubt shows them, before another document is sent', async () => {
    world.vsdc.signElsewhere(of.taxpayerId, '00', '900');
    const document = invoice(of);
    const doubt = await lost(admin, of, document.id, world.vsdc);
    const [held] = judged(world.vsdc, document.number);
    expect((await admin.post(`/receipts/${doubt}/evidence`, evidenceOf(held))).body).toMatchObject({
      state: 'signed',
    });
    expect(await deviceOf(admin, of)).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1 },
    });
    const next = invoice(of);
    expect((await admin.seal('invoices', next.id)).body).toMatchObject({ state: 'queued' });
    expect(judged(world.vsdc, next.number)).toEqual([]);
    await resume();
  });

  test('hidden by what is on its way while a doubt is settled, stop the lane with the answer to that very send', async () => {
    await until(
      () => deviceOf(admin, of),
      (each) => each.queued === 0,
    );
    world.vsdc.signElsewhere(of.taxpayerId, '00', '903');
    const document = invoice(of);
    const doubt = await lost(admin, of, document.id, world.vsdc);
    world.vsdc.faults(['hold'], { tin: of.taxpayerId, bhfId: '00' });
    const sealing = admin.seal('invoices', invoice(of).id);
    // It has come to the device, and lies there.
    await until(
      async () =>
        (await (await fetch(`${world.vsdc.url}/_sim/state`)).json()) as {
          faults: { tin?: string; next: string[] }[];
        },
      ({ faults }) => faults.every((each) => each.tin !== of.taxpayerId || each.next.length === 0),
    );
    const [held] = judged(world.vsdc, document.number);
    expect((await admin.post(`/receipts/${doubt}/evidence`, evidenceOf(held))).body).toMatchObject({
      state: 'signed',
    });
    // The total that nobody explains may be its own, for all that is known by now.
    expect(await deviceOf(admin, of)).toMatchObject({ state: 'active', problem: null });
    world.vsdc.release();
    expect((await sealing).body).toMatchObject({ state: 'signed' });
    expect(await deviceOf(admin, of)).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1 },
    });
    const next = invoice(of);
    expect((await admin.seal('invoices', next.id)).body).toMatchObject({ state: 'queued' });
    expect(judged(world.vsdc, next.number)).toEqual([]);
    await resume();
  });

  test('found beside a number that another program has taken, leave no alert behind once a person has said whose all of it is', async () => {
    await until(
      () => deviceOf(admin, of),
      (each) => each.queued === 0,
    );
    world.vsdc.signElsewhere(of.taxpayerId, '00', '902');
    const document = invoice(of);
    const doubt = await lost(admin, of, document.id, world.vsdc);
    const { next_invoice_number: next } = await deviceOf(admin, of);
    world.vsdc.signElsewhere(of.taxpayerId, '00', next);
    expect((await admin.seal('invoices', invoice(of).id)).body).toMatchObject({
      problem: { code: 'number_collision' },
    });
    const [held] = judged(world.vsdc, document.number);
    expect((await admin.post(`/receipts/${doubt}/evidence`, evidenceOf(held))).body).toMatchObject({
      state: 'signed',
    });
    expect(await deviceOf(admin, of)).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped' },
    });
    await resume({ last_invoice_number: next });
    expect((await admin.get('/alerts')).body.alerts).toEqual([]);
  });

  test('are not excused by receipts that a person explained and that the device never signed', async () => {
    await until(
      () => deviceOf(admin, of),
      (each) => each.queued === 0,
    );
    // After a collision somebody named a last number far above what the other writer has really
    // signed.
    await world.sql(
      "update device set totals_explained = 90 where branch_id = $1 and state <> 'retired'",
      [of.branchIds[0]],
      of.businessId,
    );
    expect((await admin.seal('invoices', invoice(of).id)).body).toMatchObject({ state: 'signed' });
    world.vsdc.signElsewhere(of.taxpayerId, '00', '901');
    await admin.seal('invoices', invoice(of).id);
    expect(await deviceOf(admin, of)).toMatchObject({
      state: 'paused',
      problem: { code: 'total_jumped', missing: 1 },
    });
  });

  test('are not forgotten by putting another device in its place', async () => {
    const branchId = of.branchIds[0] as string;
    const { next_invoice_number: next } = await deviceOf(admin, of);
    approve(of, 'another', Number(next) - 1);
    await admin.put(`/branches/${branchId}/next-device`, {
      for: 'replacement',
      address: following.url,
      serial: 'another',
    });
    expect((await admin.post(`/branches/${branchId}/initialise`)).status).toBe(200);
    const replace = () =>
      admin.post(`/branches/${branchId}/switch`, { reason: 'the computer is dead' });
    expect(await replace()).toMatchObject({ body: { code: 'total_jumped', missing: 1 } });
    await resume();
    expect((await replace()).status).toBe(200);
  });
});

test('a database that was brought up to date without them gets its currencies and the age of what is due, of every business', async () => {
  const { businessId } = world.businesses[0];
  await world.sql(
    "update document set due_since = null where not gone and status = 'sent'",
    [],
    businessId,
  );
  await world.sql(
    'update receipt set signing_input = jsonb_set(signing_input, \'{sale,foreign}\', \'{"currency": "USD"}\'), foreign_currency = null',
    [],
    businessId,
  );
  await redo(world.databaseUrls.owner, '0023');
  expect(
    await world.sql('select distinct foreign_currency as is from receipt', [], businessId),
  ).toEqual([{ is: 'USD' }]);
  expect(
    await world.sql(
      "select 1 as found from document where due_since is null and not gone and status = 'sent'",
      [],
      businessId,
    ),
  ).toEqual([]);
});

test('a database from before its words changed says what it kept in those of today, of every business', async () => {
  await redo(world.databaseUrls.owner, '0043', async () => {
    for (const { businessId } of world.businesses) {
      await world.sql(
        `insert into alert (business_id, id, code, subject, problem, opened_at)
       values ($1, $2, 'zoho_reconnect', 'words', '{"code": "zoho_reconnect", "text": "\\"code\\": \\"zoho_limit\\""}', now())`,
        [businessId, `alr_words_${businessId}`],
        businessId,
      );
      await world.sql(
        `update document set problem = '{"code": "sale_unready", "findings": [{"code": "zoho_limit", "until": "x"}]}'
        where document_id = (select min(document_id) from document)`,
        [],
        businessId,
      );
      await world.sql(
        `insert into miss (business_id, id, at, actor_type, actor_id, route, asked) values ($1, 'mis_words', now(), 'x', 'x', 'x', 'x')`,
        [businessId],
        businessId,
      );
      await world.sql(
        `insert into subscriber (business_id, id, url, events, secret, created_at) values ($1, $2, 'https://words.example', '{}', '', now())`,
        [businessId, `sub_${businessId}`],
        businessId,
      );
      await world.sql(
        `insert into notice (business_id, id, subscriber_id, event, body, state, created_at) values ($1, $2, $3, 'x', '{}', 'delivered', now())`,
        [businessId, `ntc_${businessId}`, `sub_${businessId}`],
        businessId,
      );
      // What a send was made of, kept beside a receipt that says something else since.
      await world.sql(
        `update attempt a set sent = jsonb_build_object('sale', r.sale, 'document_hash', 'words') from receipt r
          where r.business_id = a.business_id and r.id = a.receipt_id and r.state = 'signed' and a.sent is null`,
        [],
        businessId,
      );
    }
  });
  for (const { businessId } of world.businesses) {
    const sql = (text: string) => world.sql(text, [], businessId);
    expect(await sql("select code, problem from alert where subject = 'words'")).toEqual([
      {
        code: 'books_reconnect',
        problem: { code: 'books_reconnect', text: '"code": "zoho_limit"' },
      },
    ]);
    expect(
      await sql("select problem from document where problem->>'code' = 'sale_unready'"),
    ).toEqual([
      {
        problem: { code: 'sale_unready', findings: [{ code: 'books_limit', until: 'x' }] },
      },
    ]);
    expect(
      await sql(
        "select m.state from webhook_message m join webhook_endpoint e on e.id = m.endpoint_id where e.url = 'https://words.example'",
      ),
    ).toEqual([{ state: 'delivered' }]);
    const [kept] = await sql(
      `select count(*)::int as receipts, count(*) filter (where signing_input->'terms'->'user' is not null and signing_input->'filing' is null
          and signing_input->'sale' is not null)::int as whole,
        (select count(*)::int from attempt a where a.sent is not null and (a.sent->'signing_input'->'terms'->'user' is null
          or a.sent->'sale' is not null or a.sent->>'document_hash' is null)) as otherwise from receipt`,
    );
    expect(kept).toEqual({ receipts: kept?.receipts, whole: kept?.receipts, otherwise: 0 });
    await sql("update attempt set sent = null where sent->>'document_hash' = 'words'");
    await sql("update webhook_endpoint set ended_at = now() where url = 'https://words.example'");
    await sql("update document set problem = null where problem->>'code' = 'sale_unready'");
    await sql("update alert set closed_at = now() where subject = 'words'");
  }
});
