import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, operatorOf, until } from '../api.ts';
import { startWorld, today, type World } from '../world.ts';

let world: World;
let admin: Api;
let user: Api;
beforeAll(async () => {
  world = await startWorld();
  admin = await Api.signIn(world, world.businesses[0].admin);
  user = await Api.signIn(world, world.businesses[0].user);
  expect((await admin.post('/zoho/poll')).status).toBe(200);
  await world.app.settle();
});
afterAll(() => world?.[Symbol.asyncDispose]());

type Row = {
  module: string;
  document_id: string;
  document_number: string;
  standing: string;
  who: string;
  problem: { title: string; detail: string; code: string } | null;
  receipt_label: string | null;
};
const list = async (query = '', api = user): Promise<Row[]> => {
  const rows: Row[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await api.get(
      `/documents?limit=7${query}${cursor && `&cursor=${cursor}`}`,
    );
    expect(status, JSON.stringify(body)).toBe(200);
    rows.push(...(body.documents as Row[]));
    if (!body.next_cursor) return rows;
    cursor = body.next_cursor as string;
  }
};
const of = (what: string) =>
  world.zoho
    .documents()
    .find(
      (each) => each.organization_id === world.businesses[0].organizationId && each.what === what,
    );

describe('the list To seal', () => {
  test('holds every document since go-live that is not settled, each once, with a sentence, a next step and who must act', async () => {
    const rows = await list();
    const own = world.zoho
      .documents()
      .filter((each) => each.organization_id === world.businesses[0].organizationId);
    const left = ['draft', 'void', 'dated before go-live', 'draft credit note'];
    expect(rows.map((row) => row.document_id).sort()).toEqual(
      own
        .filter((each) => !left.includes(each.what))
        .map((each) => each.id)
        .sort(),
    );
    for (const row of rows) {
      expect(row.problem?.title, row.document_number).toBeTruthy();
      expect(row.problem?.detail, row.document_number).toBeTruthy();
      expect(['person', 'admin', 'wait']).toContain(row.who);
    }
    expect(rows.find((row) => row.document_id === of('unmapped location')?.id)).toMatchObject({
      who: 'admin',
      problem: { code: 'location_unmapped' },
    });
  });

  test('is searched by number, buyer and amount, and by receipt once sealed; a sealed document leaves it', async () => {
    const simple = of('simple sale, unpaid');
    expect((await list(`&search=${simple?.number}`)).map((row) => row.document_id)).toEqual([
      simple?.id,
    ]);
    expect((await list('&search=kivu')).length).toBeGreaterThan(0);
    const total = String(world.zoho.document('invoices', simple?.id ?? '').total);
    expect((await list(`&search=${total}`)).map((row) => row.document_id)).toContain(simple?.id);
    expect((await list('&search=%25')).length, 'a sign of the database’s is a sign').toBe(0);
    const sealed = await user.seal('invoices', simple?.id ?? '');
    expect(sealed.body.state).toBe('signed');
    expect((await list(`&search=${simple?.number}`)).length).toBe(0);
    const label = `${sealed.body.receipt_number}/${sealed.body.total_receipt_number}`;
    expect(await list(`&standing=sealed&search=${label}`)).toMatchObject([
      { document_id: simple?.id, receipt_label: `${label} NS` },
    ]);
    world.zoho.change('invoices', simple?.id ?? '', { total: 3 });
    await admin.post('/zoho/poll');
    await world.app.settle();
    expect(await list(`&search=${simple?.number}`)).toMatchObject([
      { standing: 'drifted', problem: { code: 'drift_changed' } },
    ]);
  });

  test('knows of a document sealed before the list had seen it, back when it changes, and gone again when it is as it was sealed', async () => {
    const simple = world.zoho.document('invoices', of('simple sale, unpaid')?.id ?? '');
    const invoice_id = '4600000000999000001';
    const total = Number(simple.sub_total) + Number(simple.tax_total);
    world.zoho.add('invoices', world.businesses[0].organizationId, {
      ...structuredClone(simple),
      invoice_id,
      invoice_number: 'L-1',
      total,
    });
    expect((await user.seal('invoices', invoice_id)).body.state).toBe('signed');
    const lists = async () => {
      await admin.post('/zoho/poll');
      await world.app.settle();
      return [
        (await list('&search=L-1')).map((row) => row.standing),
        (await list('&search=L-1&standing=sealed')).map((row) => row.standing),
      ];
    };
    world.zoho.change('invoices', invoice_id, {});
    expect(await lists()).toEqual([[], ['sealed']]);
    world.zoho.change('invoices', invoice_id, { total: 3 });
    await until(lists, ([open, sealed]) => open?.join() === 'drifted' && sealed?.length === 0);
    world.zoho.change('invoices', invoice_id, { total });
    await until(lists, ([open, sealed]) => open?.length === 0 && sealed?.join() === 'sealed');
  });

  test('prints the chosen into one file, each print recorded, all or none, and has Zoho mail an invoice once', async () => {
    const ids: string[] = [];
    for (const what of ['exempt only', 'zero-rated only'])
      ids.push((await user.seal('invoices', of(what)?.id ?? '')).body.id as string);
    const print = (receipt_ids: string[]) =>
      fetch(`${world.app.url}/api/v1/receipts/prints`, {
        method: 'POST',
        headers: { authorization: `Bearer ${user.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ receipt_ids }),
      });
    expect((await print([...ids, `rcp_${'0'.repeat(32)}`])).status).toBe(404);
    expect((await user.get(`/receipts/${ids[0]}`)).body.prints, 'nothing was recorded').toBe(0);
    const file = Buffer.from(await (await print(ids)).arrayBuffer());
    expect(file.subarray(0, 5).toString()).toBe('%PDF-');
    expect(file.toString('latin1').match(/\/Type \/Page\b/g)?.length).toBe(2);
    for (const id of ids) expect((await user.get(`/receipts/${id}`)).body.prints).toBe(1);
    for (let i = 0; i < 2; i++)
      expect((await user.post(`/receipts/${ids[0]}/mail`)).status).toBe(200);
    await until(
      () => world.zoho.seenOn(of('exempt only')?.id ?? ''),
      (seen) => seen.mails.length > 0,
    );
    await world.app.settle();
    expect(world.zoho.seenOn(of('exempt only')?.id ?? '')).toMatchObject({
      attachments: [{ can_send_in_mail: true }],
      mails: [{ attachments: [expect.any(String)] }],
    });
  });

  test('has Zoho mail once even where Zoho refuses to be read right after the mail', async () => {
    const document = of('with taxed shipping');
    const sealed = await user.seal('invoices', document?.id ?? '');
    // The file: read, written, read; the mail: read, sent, and then the look that is refused.
    world.zoho.faults(
      ['none', 'none', 'none', 'none', 'none', 'limit'],
      undefined,
      `/invoices/${document?.id}`,
    );
    await user.post(`/receipts/${sealed.body.id}/mail`);
    const steps = await until(
      async () =>
        (await user.get(`/receipts/${sealed.body.id}/write-back`)).body.steps as {
          step: string;
          state: string;
          tries: number;
        }[],
      (found) =>
        found.some((each) => each.step === 'mail' && (each.state === 'done' || each.tries > 0)),
    );
    expect(steps.find((each) => each.step === 'mail')).toMatchObject({ state: 'done', tries: 0 });
    expect(world.zoho.seenOn(document?.id ?? '').mails).toHaveLength(1);
  });

  test('is exported without a cell that a spreadsheet would run, and shows one business nothing of another', async () => {
    const file = await user.file('/documents.csv');
    expect(file.status).toBe(200);
    const lines = file.bytes.toString('utf8').trim().split('\n');
    expect(lines).toHaveLength((await list()).length + 1);
    const other = await Api.signIn(world, world.businesses[1].admin);
    const theirs = await list('', other);
    expect(theirs.length).toBeGreaterThan(0);
    expect(
      theirs.filter((row) =>
        world.zoho
          .documents()
          .some(
            (each) =>
              each.id === row.document_id &&
              each.organization_id === world.businesses[0].organizationId,
          ),
      ),
    ).toEqual([]);
  });

  test('says at month-end what is missing, and never that nothing is where it does not know', async () => {
    // The demo's documents are of the last three weeks, and those may lie in two months.
    const month = today().slice(0, 7);
    const is = (await user.get(`/documents/month?month=${month}`)).body;
    expect(is.missing).toBeGreaterThan(5);
    expect(is.complete).toBe(false);
    const { date } = world.zoho.document('invoices', of('simple sale, unpaid')?.id ?? '');
    expect(
      (await user.get(`/documents/month?month=${String(date).slice(0, 7)}`)).body,
    ).toMatchObject({ complete: false, drifted: 1 });
    expect((await user.get('/documents/month?month=2020-01')).body).toMatchObject({
      complete: true,
      missing: 0,
      sums: [],
    });
    await world.sql("update connection set polled = '{}'", [], world.businesses[1].businessId);
    await world.sql('delete from document', [], world.businesses[1].businessId);
    const unconnected = (
      await (
        await Api.signIn(world, world.businesses[1].admin)
      ).get(`/documents/month?month=${month}`)
    ).body;
    expect(unconnected, 'Zoho was never looked through').toMatchObject({
      complete: false,
      missing: 0,
      looked_at: null,
    });
    expect((await user.get('/documents/month?month=2026-13')).status).toBe(400);
  });
});

describe('the platform’s health', () => {
  test('is no more than up to anybody, and to the operator how every connection with Zoho does', async () => {
    const health = async (token = '') =>
      (
        await fetch(`${world.app.url}/health`, {
          headers: token ? { authorization: `Bearer ${token}` } : {},
        })
      ).json();
    expect(await health()).toEqual({ status: 'up' });
    expect(await health(admin.token)).toEqual({ status: 'up' });
    const operator = await operatorOf(world);
    for (const grant of world.zoho.grantsAlive())
      if (grant.userId === '2') world.zoho.killGrant(grant.refreshToken);
    world.zoho.faults(['expired_token'], world.businesses[1].organizationId);
    const neighbour = await Api.signIn(world, world.businesses[1].admin);
    // Asked for again where a poll was under way that had its answer before.
    const ended = await until(
      async () => {
        await neighbour.post('/zoho/poll');
        await world.app.settle();
        return health(operator.token);
      },
      (told) =>
        (told as { companies_with_expired_tokens: number }).companies_with_expired_tokens > 0,
    );
    expect(ended).toEqual({
      status: 'up',
      failing_jobs: [],
      total_companies: 2,
      active_companies: 2,
      companies_with_expired_tokens: 1,
      last_sync: expect.stringMatching(/^20/),
    });
    const listed = (await operator.get('/businesses')).body.businesses as {
      id: string;
      totals: { zoho: { status: string; calls: number } };
    }[];
    expect(
      listed.find((each) => each.id === world.businesses[0].businessId)?.totals.zoho,
    ).toMatchObject({ status: 'active' });
    expect(
      listed.find((each) => each.id === world.businesses[1].businessId)?.totals.zoho.status,
    ).toBe('needs_reconnecting');
    expect(JSON.stringify(listed)).not.toMatch(/INZ-|UMU-/);
  });
});
