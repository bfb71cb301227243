import { createHash, createHmac } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api, until } from '../api.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
let other: Api;
beforeAll(async () => {
  const limits = {
    businessPerMinute: 1e6,
    personPerMinute: 1e6,
    addressPerMinute: 1e6,
    requestsPerDay: 1e9,
    changesPerMinute: 1e9,
    changesPerDay: 1e9,
    deliveriesPerMinute: 1e9,
    deliveriesPerDay: 1e9,
  };
  world = await startWorld({ instead: { intakeMs: 30, limits } });
  admin = await Api.signIn(world, world.businesses[0].admin);
  other = await Api.signIn(world, world.businesses[1].admin);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const business = () => world.businesses[0];
const settings = async (api: Api, change: object) => {
  const { body } = await api.get('/businesses/me/config');
  const saved = await api.put('/businesses/me/config', { settings: change, version: body.version });
  expect(saved.status, JSON.stringify(saved.body)).toBe(200);
};
let count = 0;
/** A sale nobody has seen yet, as if made in Zoho just now. */
const newInvoice = (patch: object = {}): string => {
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
    );
  const invoice_id = `4600000000${String(900_000_000 + ++count)}`;
  const now = `${new Date(Date.now() + 7_200_000).toISOString().slice(0, 19)}+0200`;
  const document = structuredClone(world.zoho.document('invoices', source?.id ?? ''));
  world.zoho.add('invoices', business().organizationId, {
    ...document,
    invoice_id,
    invoice_number: `N-${count}`,
    last_modified_time: now,
    ...patch,
  });
  return invoice_id;
};
const receiptOf = async (id: string, api = admin) =>
  (await api.get(`/receipts?module=invoices&document_id=${id}`)).body.receipts[0] as
    | { id: string; state: string; drift: unknown }
    | undefined;
const signed = (id: string) =>
  until(
    () => receiptOf(id),
    (receipt) => receipt?.state === 'signed',
  );
const hook = async (api = admin) =>
  (await api.post('/webhooks', { module: 'invoices' })).body as {
    webhook: { id: string };
    url: string;
    secret: string;
  };
const send = async (
  url: string,
  body: string,
  secret: string | null,
  signature = secret ? signatureOf(url, body, secret) : '',
) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-zoho-webhook-signature': signature },
    body,
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const about = (id: string, modified = '2026-11-20T10:00:00+0200') =>
  JSON.stringify({ invoice: { invoice_id: id, last_modified_time: modified } });
const deliveries = async (verdict: string) =>
  (await admin.get(`/webhooks/deliveries?limit=200&verdict=${verdict}`)).body.deliveries as {
    webhook_id: string;
  }[];

describe('a private installation', () => {
  test('is shown before it is made, made once, and makes an invoice sealed and its seal stand on it from the moment it is sent', async () => {
    const plan = await admin.get('/zoho/installation');
    expect(plan.body.parts).toHaveLength(9);
    expect(plan.body.parts.every((each: { is_there: boolean }) => !each.is_there)).toBe(true);
    for (let i = 0; i < 2; i++)
      expect(
        (await admin.post('/zoho/installation')).body.parts.every(
          (each: { is_there: boolean }) => each.is_there,
        ),
      ).toBe(true);
    expect(
      world.zoho
        .fieldsOf(business().organizationId)
        .filter((each) => each.label.startsWith('Fiscal')),
    ).toHaveLength(5);
    await settings(admin, { auto_seal: 'sent', write_back: true, mail_after_seal: true });
    const id = newInvoice({ status: 'draft' });
    await world.zoho.fire('invoices', id, 'add');
    await until(
      async () =>
        (
          await world.sql(
            'select status, due_at from document where document_id = $1',
            [id],
            business().businessId,
          )
        )[0],
      (row) => row?.status === 'draft' && row.due_at === null,
    );
    expect(await receiptOf(id), 'never a draft').toBeUndefined();
    world.zoho.change('invoices', id, { status: 'sent' });
    const receipt = await signed(id);
    const steps = await until(
      () =>
        admin
          .get(`/receipts/${receipt?.id}/write-back`)
          .then((reply) => reply.body.steps as { step: string; state: string }[]),
      (found) => found.length === 4 && found.every((each) => each.state === 'done'),
    );
    expect(steps.map((each) => each.step)).toEqual([
      'custom_fields',
      'attachment',
      'comment',
      'mail',
    ]);
    const seen = world.zoho.seenOn(id);
    expect(seen.fields).toMatchObject({
      cf_fiscal_sdc_id: expect.stringMatching(/^SDC/),
      cf_fiscal_receipt: expect.stringMatching(/^\d+\/\d+ NS$/),
    });
    expect(
      Buffer.from(seen.attachments[0]?.base64 ?? '', 'base64')
        .subarray(0, 5)
        .toString(),
    ).toBe('%PDF-');
    expect(seen.comments).toHaveLength(1);
    expect(seen.mails).toMatchObject([
      { attachments: [expect.stringMatching(/^fiscal-receipt-N-\d+-\d+-COPY\.pdf$/)] },
    ]);
    // Our own writing fired Zoho's rules; none of it came back as work, and nothing was written
    // twice.
    await world.app.settle();
    expect(world.zoho.seenOn(id).comments).toHaveLength(1);
    expect(world.zoho.seenOn(id).mails).toHaveLength(1);
    expect((await receiptOf(id))?.drift).toBeNull();
  });

  test('mails nothing where another worker has taken the mail, because this one was slower than its lease', async () => {
    const owner = new pg.Client({ connectionString: world.databaseUrls.owner });
    await owner.connect();
    await owner.query(`create function take_mail() returns trigger language plpgsql as $$ begin
      update write_back set state = 'begun', leased_until = now() + interval '1 day' where receipt_id = new.receipt_id and step = 'mail'; return null; end $$`);
    await owner.query(
      "create trigger take_mail after update on write_back for each row when (new.step = 'attachment' and new.state = 'done') execute function take_mail()",
    );
    const id = newInvoice();
    await world.zoho.fire('invoices', id, 'add');
    const receipt = await signed(id);
    await until(
      () =>
        admin
          .get(`/receipts/${receipt?.id}/write-back`)
          .then((reply) => reply.body.steps as { step: string; state: string }[]),
      (found) => found.some((each) => each.step === 'comment' && each.state === 'done'),
    );
    await world.app.settle();
    await owner.query('drop trigger take_mail on write_back');
    await owner.query('drop function take_mail');
    await owner.end();
    expect(world.zoho.seenOn(id).mails).toHaveLength(0);
    const { steps } = (await admin.get(`/receipts/${receipt?.id}/write-back`)).body as {
      steps: { step: string; state: string }[];
    };
    expect(steps.find((each) => each.step === 'mail')?.state, 'it is said by whoever has it').toBe(
      'begun',
    );
    await world.sql(
      "update write_back set state = 'skipped', leased_until = null where receipt_id = $1 and step = 'mail'",
      [receipt?.id],
      business().businessId,
    );
  });

  test('leaves alone what the business exempts, what is dated before go-live, and what nobody sealed by itself may', async () => {
    const exempt = newInvoice({ invoice_number: 'POS-77' });
    await settings(admin, {
      exempt: { customer_ids: [], location_ids: [], number_prefixes: ['POS-'] },
    });
    const early = newInvoice({ date: '2020-01-05' });
    await world.zoho.fire('invoices', exempt);
    await world.zoho.fire('invoices', early);
    await until(
      () =>
        world.sql(
          'select document_id, exempt, problem from document where document_id = any($1) and due_at is null',
          [[exempt, early]],
          business().businessId,
        ),
      (rows) => rows.length === 2,
    );
    expect(await receiptOf(exempt)).toBeUndefined();
    expect(await receiptOf(early)).toBeUndefined();
    await settings(admin, { exempt: { customer_ids: [], location_ids: [], number_prefixes: [] } });
  });

  test('keeps what came in while a business was suspended, and seals it once it is active again', async () => {
    const id = newInvoice();
    await world.sql("update business set status = 'suspended'", [], business().businessId);
    await world.zoho.fire('invoices', id);
    const waiting = await until(
      async () =>
        (
          await world.sql(
            'select due_at, problem, tries from document where document_id = $1',
            [id],
            business().businessId,
          )
        )[0],
      (row) => Number(row?.tries) > 0,
    );
    expect(JSON.stringify(waiting?.problem)).toContain('business_suspended');
    expect(await receiptOf(id)).toBeUndefined();
    await world.sql("update business set status = 'active'", [], business().businessId);
    await world.sql(
      'update document set due_at = $2 where document_id = $1',
      [id, new Date().toISOString()],
      business().businessId,
    );
    await world.app.settle();
    await signed(id);
  });

  test('finds a change after sealing by itself, as drift', async () => {
    const id = newInvoice();
    await world.zoho.fire('invoices', id);
    await signed(id);
    world.zoho.change('invoices', id, { total: 1, sub_total: 1 });
    const drifted = await until(
      () => receiptOf(id),
      (receipt) => receipt?.drift !== null,
    );
    expect(drifted?.drift).toMatchObject({ code: 'drift_changed' });
  });
});

describe('a webhook', () => {
  test('is believed only with the right key, organization and signature; everything else is kept as what it is and seals nothing', async () => {
    const { url, secret, webhook } = await hook();
    const theirs = await hook(other);
    const id = newInvoice({ status: 'draft' });
    const body = about(id);
    const unknown = url.replace(/\.[A-Za-z0-9]{32}/, `.${'A'.repeat(32)}`);
    const kept = async () =>
      (
        await world.sql(
          'select count(*)::int as n from delivery where webhook_id = $1',
          [webhook.id],
          business().businessId,
        )
      )[0]?.n;
    expect((await send(unknown, body, secret)).status).toBe(404);
    expect(await kept(), 'an unknown key leaves nothing').toBe(0);
    expect((await send(url, body, null)).body.received).toBe('forged');
    expect((await send(url, body, theirs.secret)).body.received).toBe('forged');
    expect(
      (await send(url, `${body} `, null, signatureOf(url, body, secret))).body.received,
      'a changed body',
    ).toBe('forged');
    expect((await send(theirs.url, body, secret)).body.received, 'another business’s address').toBe(
      'forged',
    );
    const elsewhere = url.replace(/org=\d+/, `org=${world.businesses[1].organizationId}`);
    expect((await send(elsewhere, body, secret)).body.received).toBe('foreign');
    expect((await send(url, '{"invoice": ', secret)).body.received).toBe('malformed');
    expect(
      (await send(url, `{"invoice":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, secret)).body
        .received,
    ).toBe('malformed');
    expect(
      (await send(url, JSON.stringify({ creditnote: { creditnote_id: '5' } }), secret)).body
        .received,
    ).toBe('malformed');
    expect((await send(url, '', secret)).body.received).toBe('ping');
    expect((await send(url, 'x'.repeat(10 << 20), secret)).status).toBe(413);
    expect((await send(url, body, secret)).body.received).toBe('accepted');
    expect((await send(url, body, secret)).body.received).toBe('repeated');
    expect((await deliveries('forged')).length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify((await admin.get('/webhooks/deliveries')).body)).not.toContain(secret);
    expect(JSON.stringify((await admin.get('/webhooks')).body)).not.toContain(secret);
    for (let i = 0; i < 5; i++) await send(url, about(id, `2026-11-20T10:00:0${i}+0200`), null);
    const alerts = (await admin.get('/alerts')).body.alerts as {
      subject: string;
      problem: { code: string };
    }[];
    expect(
      alerts.some((each) => each.subject === webhook.id && each.problem.code === 'webhooks_forged'),
    ).toBe(true);
  });

  test('in the form of chosen keys is heard like any other; what names no document is never silent, and the business is told of it', async () => {
    const { url, secret, webhook } = await hook();
    const alerts = async () =>
      (
        (await admin.get('/alerts')).body.alerts as { subject: string; problem: { code: string } }[]
      ).filter((each) => each.subject === webhook.id);
    const post = async (body: string) => {
      const pairs = [...new URL(url).searchParams, ...new URLSearchParams(body)].sort(([a], [b]) =>
        a < b ? -1 : 1,
      );
      const signature = createHmac('sha256', secret)
        .update(pairs.map(([key, value]) => key + value).join(''))
        .digest('hex');
      const headers = {
        'content-type': 'application/x-www-form-urlencoded',
        'x-zoho-webhook-signature': signature,
      };
      return (
        (await (await fetch(url, { method: 'POST', headers, body })).json()) as { received: string }
      ).received;
    };
    for (let i = 0; i < 5; i++) expect(await post(`status=sent&i=${i}`)).toBe('malformed');
    expect(await alerts()).toMatchObject([
      {
        problem: {
          code: 'webhooks_malformed',
          field: 'body',
          title: expect.stringContaining('x-www-form-urlencoded'),
        },
      },
    ]);
    expect((await deliveries('malformed')).length).toBeGreaterThanOrEqual(5);
    const [chosen, whole] = [newInvoice(), newInvoice()];
    expect(await post(`invoice_id=${chosen}&status=sent`)).toBe('accepted');
    expect(await post(`payload=${encodeURIComponent(about(whole))}`)).toBe('accepted');
    await signed(chosen);
    await signed(whole);
    // It works again: nobody has to close it.
    expect(await alerts()).toEqual([]);
  });

  test('is heard where a list had said that its document changes only in an hour', async () => {
    const { url, secret } = await hook();
    const ahead = `${new Date(Date.now() + 3_600_000 + 7_200_000).toISOString().slice(0, 19)}+0200`;
    const id = newInvoice({ status: 'draft', last_modified_time: ahead });
    await admin.post('/zoho/poll');
    await until(
      () =>
        world.sql(
          'select 1 from document where document_id = $1 and due_at is null',
          [id],
          business().businessId,
        ),
      (rows) => rows.length === 1,
    );
    // Changed without a rule of Zoho's own firing.
    Object.assign(world.zoho.document('invoices', id), { status: 'sent' });
    expect(
      (
        await send(
          url,
          about(id, `${new Date(Date.now() + 7_200_000).toISOString().slice(0, 19)}+0200`),
          secret,
        )
      ).body.received,
    ).toBe('accepted');
    await signed(id);
  });

  test('names an id as a number beyond 2^53 and it is read exactly', async () => {
    const { url, secret } = await hook();
    const id = newInvoice();
    await send(url, `{"invoice":{"invoice_id":${id}}}`, secret);
    await signed(id);
  });

  test('keeps working with the old address and secret while a new one is being put in, and ends when removed', async () => {
    const old = await hook();
    const next = (await admin.post(`/webhooks/${old.webhook.id}/rotate`)).body as {
      webhook: { id: string };
      url: string;
      secret: string;
    };
    const id = newInvoice({ status: 'draft' });
    // Later than what Zoho says of the document, which is read again meanwhile: else the second
    // would be stale by then.
    expect(
      (await send(old.url, about(id, '2036-11-20T11:00:00+0200'), old.secret)).body.received,
    ).toBe('accepted');
    expect(
      (await send(next.url, about(id, '2036-11-20T11:00:01+0200'), next.secret)).body.received,
    ).toBe('accepted');
    expect(
      (await send(next.url, about(id, '2036-11-20T11:00:02+0200'), old.secret)).body.received,
      'either secret holds meanwhile',
    ).toBe('accepted');
    await admin.post(`/webhooks/${next.webhook.id}/remove`);
    await until(
      () => send(next.url, about(id, '2036-11-20T11:00:03+0200'), next.secret),
      (reply) => reply.status === 404,
    );
  });

  test('without a secret is a hint: it is read again, and never seals by itself', async () => {
    const { url, webhook } = await hook();
    await world.sql('update zoho_webhook set secret = null', [], business().businessId);
    await until(
      () => send(url, about(newInvoice({ status: 'draft' })), null),
      (reply) => reply.body.received === 'hint',
    );
    const id = newInvoice();
    expect((await send(url, about(id), null)).body.received).toBe('hint');
    await until(
      async () =>
        (
          await world.sql(
            'select due_at, status from document where document_id = $1',
            [id],
            business().businessId,
          )
        )[0],
      (row) => row?.status === 'sent' && row.due_at === null,
    );
    expect(await receiptOf(id)).toBeUndefined();
    // The poll, which asks Zoho itself, then seals it.
    world.zoho.change('invoices', id, {});
    await admin.post('/zoho/poll');
    await signed(id);
    expect(webhook.id).toMatch(/^hok_/);
  });
});

describe('what Zoho loses', () => {
  test('is found by whoever asks for a look, also while something else writes to the connection at that very moment', async () => {
    const id = newInvoice({ status: 'draft' });
    const client = new pg.Client({
      connectionString: world.postgres.urlFor(
        'admin',
        new URL(world.databaseUrls.owner).pathname.slice(1),
      ),
    });
    await client.connect();
    try {
      await client.query('begin');
      await client.query('select 1 from connection where business_id = $1 for update', [
        business().businessId,
      ]);
      let answered: unknown;
      const asked = admin.post('/zoho/poll').then((reply) => {
        answered = reply;
        return reply;
      });
      const waits =
        'select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))';
      await until(
        async () => answered !== undefined || (await client.query(waits)).rowCount !== 0,
        (isSo) => isSo,
      );
      await client.query('rollback');
      expect((await asked).body.changed).toBeGreaterThan(0);
    } finally {
      await client.end();
    }
    expect(
      await world.sql(
        'select status from document where document_id = $1',
        [id],
        business().businessId,
      ),
    ).toMatchObject([{ status: 'draft' }]);
  });

  test('is found by the poll: every document changed since the last look, after an outage too', async () => {
    await settings(admin, { write_back: false });
    world.zoho.webhookFaults({ loss: 1 });
    const ids = Array.from({ length: 12 }, () => newInvoice());
    for (const id of ids) await world.zoho.fire('invoices', id);
    world.zoho.faults(['html', 'error', 'limit'], business().organizationId);
    await admin.post('/zoho/poll');
    world.zoho.faults([]);
    await until(
      async () => {
        await admin.post('/zoho/poll');
        return (await Promise.all(ids.map((id) => receiptOf(id)))).filter(
          (each) => each?.state === 'signed',
        ).length;
      },
      (found) => found === ids.length,
      60_000,
    );
    world.zoho.webhookFaults({ loss: 0 });
    await world.app.settle();
    const health = await admin.get('/zoho/health');
    expect(health.body).toMatchObject({
      status: 'active',
      organization_id: business().organizationId,
      quota: { limit: 10_000 },
    });
    expect(health.body.calls_today).toBeGreaterThan(10);
  });

  test('a storm of webhooks in disorder, some twice, some lost, some forged: every document sealed once, every forgery named', async () => {
    const made = await hook();
    const ids = Array.from({ length: 60 }, () => newInvoice());
    const judged = world.vsdc.receipts().length;
    const sends = ids.flatMap((id, i) => {
      const body = about(id, `2026-11-21T08:00:${String(i % 60).padStart(2, '0')}+0200`);
      const one = () => send(made.url, body, made.secret);
      const chance = createHash('sha256').update(id).digest()[0] as number;
      if (chance < 13) return [];
      return [
        one,
        ...(chance > 225 ? [one] : []),
        ...(i % 20 === 0 ? [() => send(made.url, body.replace('08:00', '09:00'), null)] : []),
      ];
    });
    const mixed = sends.sort((a, b) =>
      createHash('md5')
        .update(a.toString() + sends.indexOf(a))
        .digest('hex') <
      createHash('md5')
        .update(b.toString() + sends.indexOf(b))
        .digest('hex')
        ? -1
        : 1,
    );
    const replies: { status: number; body: Record<string, unknown> }[] = [];
    const worker = async () => {
      for (let next = mixed.pop(); next; next = mixed.pop()) replies.push(await next());
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(replies.every((each) => each.status === 200)).toBe(true);
    await admin.post('/zoho/poll');
    await until(
      async () =>
        (await Promise.all(ids.map((id) => receiptOf(id)))).filter(
          (each) => each?.state === 'signed',
        ).length,
      (found) => found === ids.length,
      90_000,
    );
    expect(world.vsdc.receipts().length - judged).toBe(ids.length);
    // Rules of before, whose secret was taken away, may tell of what is still being written to
    // earlier documents.
    const forged = (await deliveries('forged')).filter(
      (each) => each.webhook_id === made.webhook.id,
    );
    expect(forged).toHaveLength(replies.filter((each) => each.body.received === 'forged').length);
  });
});

describe('the seal of a refund on its credit note', () => {
  beforeAll(() => settings(admin, { write_back: true, auto_seal: 'off' }));
  afterAll(() => settings(admin, { auto_seal: 'sent' }));
  let notes = 0;
  const sealedNote = async (patch: object = {}): Promise<{ id: string; receiptId: string }> => {
    const sale = newInvoice();
    expect((await admin.seal('invoices', sale)).status).toBe(200);
    const whole = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business().organizationId &&
          each.what.startsWith('credit note of the whole sale'),
      );
    const { line_items, sub_total, tax_total, total, taxes } = world.zoho.document(
      'invoices',
      sale,
    );
    const id = `4600000007${String(++notes).padStart(9, '0')}`;
    const invoice = { invoice_id: sale, invoice_number: `N-${count}` };
    world.zoho.add('creditnotes', business().organizationId, {
      ...structuredClone(world.zoho.document('creditnotes', whole?.id ?? '')),
      ...structuredClone({ line_items, sub_total, tax_total, total, taxes }),
      ...invoice,
      invoices: [{ ...invoice, amount: 1 }],
      creditnote_id: id,
      creditnote_number: `CN-${notes}`,
      ...patch,
    });
    const refund = await admin.seal('creditnotes', id, { reason_code: '06' });
    expect(refund.body.state, JSON.stringify(refund.body)).toBe('signed');
    return { id, receiptId: refund.body.id as string };
  };
  const steps = async (receiptId: string) => {
    const found = await until(
      () =>
        admin.get(`/receipts/${receiptId}/write-back`).then(
          (reply) =>
            reply.body.steps as {
              step: string;
              state: string;
              problem: { code: string } | null;
            }[],
        ),
      (all) => all.length === 2 && all.every((each) => !['waiting', 'begun'].includes(each.state)),
    );
    return found.map((each) => [each.step, each.state, each.problem?.code ?? null]);
  };

  test('is a comment where credit notes have no fields for it', async () => {
    const { id, receiptId } = await sealedNote();
    expect(await steps(receiptId)).toEqual([
      ['custom_fields', 'skipped', null],
      ['comment', 'done', null],
    ]);
    expect(
      world.zoho
        .seenOn(id)
        .comments.map((each) => each.description)
        .join(),
    ).toContain('Fiscal receipt');
  });

  test('is written to those they have, every line given back by its id, amounts and lines as before, and is no drift', async () => {
    for (const label of ['Fiscal Receipt', 'Fiscal SDC ID'])
      world.zoho.makeField(business().organizationId, 'creditnote', label);
    const { id, receiptId } = await sealedNote();
    const before = structuredClone(world.zoho.document('creditnotes', id).line_items);
    expect(await steps(receiptId)).toEqual([
      ['custom_fields', 'done', null],
      ['comment', 'done', null],
    ]);
    expect(world.zoho.seenOn(id).fields).toMatchObject({
      cf_fiscal_sdc_id: expect.stringMatching(/^SDC/),
      cf_fiscal_receipt: expect.stringContaining('NR'),
    });
    expect(world.zoho.document('creditnotes', id).line_items).toEqual(before);
    await world.zoho.fire('creditnotes', id);
    await world.app.settle();
    expect((await admin.get(`/receipts/${receiptId}`)).body.drift).toBeNull();
  });

  test('is left to the comment where a line has no id to be named by: given back without one it would be deleted', async () => {
    const source = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business().organizationId && each.what.startsWith('simple sale'),
      );
    const lines = structuredClone(
      world.zoho.document('invoices', source?.id ?? '').line_items,
    ) as Record<string, unknown>[];
    const { id, receiptId } = await sealedNote({
      line_items: lines.map((line) => ({ ...line, line_item_id: '' })),
    });
    expect((await steps(receiptId))[0]).toEqual(['custom_fields', 'skipped', null]);
    expect(world.zoho.document('creditnotes', id).line_items).toHaveLength(lines.length);
  });

  test('stops at once and tells a person where the note has other amounts afterwards', async () => {
    world.zoho.alterNotes(true);
    const { receiptId } = await sealedNote();
    expect((await steps(receiptId))[0]).toEqual(['custom_fields', 'failed', 'note_changed']);
    world.zoho.alterNotes(false);
    const alerts = (await admin.get('/alerts')).body.alerts as {
      problem: { code: string; because?: string };
    }[];
    expect(alerts.map((each) => each.problem)).toContainEqual(
      expect.objectContaining({ code: 'write_back_failed', because: 'note_changed' }),
    );
  });
});

describe('a grant that dies', () => {
  test('turns its business to needs reconnecting with one alert, fails nothing, and everything resumes after reconnecting', async () => {
    const id = newInvoice();
    for (const grant of world.zoho.grantsAlive())
      if (grant.userId === '1') world.zoho.killGrant(grant.refreshToken);
    await world.sql('update document set due_at = null', [], business().businessId);
    const made = await hook();
    await send(made.url, about(id, '2026-11-21T12:00:00+0200'), made.secret);
    await until(
      async () => {
        await world.app.settle();
        return (await admin.get('/zoho/health')).body.status;
      },
      (status) => status === 'needs_reconnecting',
      60_000,
    );
    const alerts = (
      (await admin.get('/alerts')).body.alerts as { problem: { code: string } }[]
    ).filter((each) => each.problem.code === 'books_reconnect');
    expect(alerts).toHaveLength(1);
    expect((await other.get('/zoho/health')).body.status).toBe('active');
    expect(await receiptOf(id)).toBeUndefined();
    const begun = await admin.post('/oauth/connect', {});
    const back = Object.fromEntries(
      new URL(world.zoho.accept(begun.body.consent_url as string, '1')).searchParams,
    );
    expect((await admin.post('/oauth/callback', back)).status).toBe(200);
    await world.sql(
      'update document set due_at = $1 where document_id = $2',
      [new Date().toISOString(), id],
      business().businessId,
    );
    await world.app.settle();
    await signed(id);
    expect((await admin.get('/zoho/health')).body.status).toBe('active');
    expect(
      ((await admin.get('/alerts')).body.alerts as { problem: { code: string } }[]).filter(
        (each) => each.problem.code === 'books_reconnect',
      ),
    ).toEqual([]);
  });

  test('is refreshed once however many ask at its expiry', async () => {
    const grant = world.zoho.grantsAlive().at(-1);
    const before = world.zoho.refreshes(grant?.refreshToken ?? '');
    const second = await world.anotherApp();
    const third = await world.anotherApp();
    const apis = await Promise.all(
      [world.app.url, second.url, third.url].map((url) => Api.signIn(world, business().admin, url)),
    );
    world.zoho.faults(['expired_token'], business().organizationId);
    const id = newInvoice();
    await Promise.all(
      Array.from({ length: 99 }, (_, i) =>
        (apis[i % 3] as Api).get(`/receipts/preflight?module=invoices&document_id=${id}`),
      ),
    );
    expect(world.zoho.refreshes(grant?.refreshToken ?? '') - before).toBe(1);
  });
});

describe('disconnecting', () => {
  test('takes webhooks and rules away at Zoho, ends the addresses, and leaves fields and seals where they are', async () => {
    const [connection] = await world.sql(
      "select id from connection where status <> 'ended'",
      [],
      business().businessId,
    );
    const ended = await admin.post(`/oauth/disconnect/${connection?.id}`);
    expect(ended.body.status, JSON.stringify(ended.body)).toBe('ended');
    expect((await admin.get('/webhooks')).body.webhooks).toEqual([]);
    expect(
      world.zoho
        .fieldsOf(business().organizationId)
        .filter((each) => each.entity === 'invoice' && each.label.startsWith('Fiscal')),
    ).toHaveLength(5);
  });
});
