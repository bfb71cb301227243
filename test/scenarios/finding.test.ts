import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Api } from '../api.ts';
import { redo } from '../migrations.ts';
import { startWorld, type World } from '../world.ts';

let world: World;
let admin: Api;
beforeAll(async () => {
  world = await startWorld();
  admin = await Api.signIn(world, world.businesses[0].admin);
  await admin.post('/zoho/poll');
  await world.app.settle();
});
afterAll(() => world?.[Symbol.asyncDispose]());

const own = () =>
  world.zoho
    .documents()
    .filter((each) => each.organization_id === world.businesses[0].organizationId && each.canSeal);
const numbersOf = async (query: string): Promise<string[]> =>
  (
    (await admin.get(`/businesses/me/recent-invoices?${query}`)).body.receipts as {
      document_number: string;
    }[]
  ).map((each) => each.document_number);

describe('what is searched for', () => {
  test('is found among receipts by number and buyer, in one state or all, and nothing is where nothing begins like that', async () => {
    const [first, second] = own().filter((each) => each.module === 'invoices');
    const sealed = (await admin.seal('invoices', first?.id ?? '')).body;
    await admin.seal('invoices', second?.id ?? '');
    expect(await numbersOf(`search=${first?.number}`)).toEqual([first?.number]);
    expect(await numbersOf(`state=signed&search=${String(first?.number).toLowerCase()}`)).toEqual([
      first?.number,
    ]);
    expect(await numbersOf(`state=refused&search=${first?.number}`)).toEqual([]);
    expect(
      (await numbersOf(`search=${encodeURIComponent(sealed.buyer_name as string)}`)).length,
    ).toBeGreaterThan(0);
    for (const nothing of ['no-such-number', '%25', '_', "'", '%00a'.slice(3)])
      expect(await numbersOf(`search=x${nothing}x`)).toEqual([]);
    for (const state of ['queued', 'signed', 'refused', 'in_doubt', 'withdrawn'])
      expect((await numbersOf(`state=${state}`)).length, state).toBe(state === 'signed' ? 2 : 0);
  });

  test('is found too where a word is in more documents than are counted', async () => {
    const [{ businessId }] = world.businesses;
    const many = `insert into document (business_id, module, document_id, number, date, status, customer_name, currency, total, seen_at, source, words)
      select $1, 'invoices', '77' || n, 'Z-' || n, $2, 'sent', 'Frequent', 'RWF', n, now(), 'poll', ' z-' || n || ' frequent'
        from generate_series(1, 2500) n`;
    const dates = own()
      .filter((each) => each.module === 'invoices')
      .slice(0, 2)
      .map((each) => String(world.zoho.document('invoices', each.id).date));
    await world.sql(many, [businessId, dates[0]], businessId);
    const found = async (search: string) =>
      (
        (await admin.get(`/documents?limit=3&search=${search}`)).body.documents as {
          document_number: string;
        }[]
      ).length;
    expect(await found('frequent')).toBe(3);
    expect(await found('frequent%20z-2499')).toBe(1);
    expect(await found('frequent%20seldom')).toBe(0);
    const month = dates[0]?.slice(0, 7) ?? '';
    const { body } = await admin.get(`/documents/month?month=${month}`);
    const count = (standing: string) =>
      (body.sums as { module: string; standing: string; count: number }[]).find(
        (each) => each.module === 'invoices' && each.standing === standing,
      )?.count;
    expect(count('to_seal')).toBeGreaterThanOrEqual(2500);
    expect(count('sealed')).toBe(dates.filter((each) => each.startsWith(month)).length);
  });

  test('is listed once each on its pages, of one branch or of all, sealed or not, and whatever else stands open of the same document', async () => {
    const [{ businessId, branchIds }] = world.businesses;
    const [first] = own().filter((each) => each.module === 'invoices');
    // The refund that undoes a lost sale bears the day and the document of the sale itself.
    await world.sql(
      `insert into receipt select (jsonb_populate_record(r, '{"id": "rcp_000000000000000000undoes", "kind": "refund", "state": "refused", "invoice_number": null}')).*
         from receipt r where document_id = $1`,
      [first?.id],
      businessId,
    );
    type Row = { module: string; document_id: string; receipt_id: string | null; standing: string };
    const pagesOf = async (query: string, limit: number) => {
      const rows: string[] = [];
      for (let cursor = ''; ; ) {
        const { status, body } = await admin.get(
          `/documents?limit=${limit}&${query}${cursor && `&cursor=${cursor}`}`,
        );
        expect(status, JSON.stringify(body)).toBe(200);
        rows.push(
          ...(body.documents as Row[]).map(
            (row) => `${row.document_id} ${row.receipt_id} ${row.standing}`,
          ),
        );
        if (!body.next_cursor || rows.length > 60) return rows;
        cursor = body.next_cursor as string;
      }
    };
    for (const query of [
      'standing=sealed,refused,drifted',
      `standing=sealed,refused,drifted&branch_id=${branchIds[0]}`,
    ]) {
      const whole = await pagesOf(query, 200);
      expect(
        whole.filter((row) => row.startsWith(String(first?.id))).length,
        'the sale and what undoes it',
      ).toBe(2);
      expect(whole).toHaveLength(3);
      expect(await pagesOf(query, 1)).toEqual(whole);
    }
    expect(await pagesOf(`standing=sealed&branch_id=${branchIds[0]}`, 1)).toHaveLength(2);
    expect(await pagesOf(`standing=sealed&branch_id=${branchIds[1]}`, 1)).toEqual([]);
    const cursor = Buffer.from(JSON.stringify(['2026-01-01', '1'])).toString('base64url');
    expect(await admin.get(`/documents?cursor=${cursor}`)).toMatchObject({
      status: 400,
      body: { field: 'cursor' },
    });
  });

  test('stands once each on its pages where several were written within one thousandth of a second', async () => {
    const [{ businessId }] = world.businesses;
    const within = "date_trunc('milliseconds', now()) + n * interval '1 microsecond'";
    const fill = [
      `insert into audit (business_id, id, at, actor_type, actor_id, action, subject)
         select $1, 'aud_' || lpad((1000 - n)::text, 20, '0'), ${within}, 'job', 'x', 'tried.within', 'x' from generate_series(1, 5) n`,
      `insert into delivery (business_id, id, webhook_id, at, verdict, module, document_id, modified_at, dedupe_key, digest, bytes)
         select $1, 'dlv_' || lpad(to_hex((extract(epoch from date_trunc('milliseconds', now())) * 1000)::bigint), 12, '0') || lpad(n::text, 12, '0'), 'hok_x', ${within},
           'accepted', 'invoices', '1', now(), 'w' || n, 'd', 1 from generate_series(1, 5) n`,
      `update receipt set opened_at = date_trunc('milliseconds', now()) + length(document_number) * interval '1 microsecond' + case kind when 'sale' then interval '0' else interval '9 microsecond' end`,
    ];
    for (const statement of fill)
      await world.sql(statement, statement.includes('$1') ? [businessId] : [], businessId);
    for (const [path, key] of [
      ['/trail?action=tried.within', 'trail'],
      ['/trail?subject=x', 'trail'],
      ['/webhooks/deliveries?verdict=accepted', 'deliveries'],
      ['/businesses/me/recent-invoices?', 'receipts'],
    ] as const) {
      const pagesOf = async (limit: number) => {
        const ids: string[] = [];
        for (let cursor = ''; ; ) {
          const { status, body } = await admin.get(
            `${path}&limit=${limit}${cursor && `&cursor=${cursor}`}`,
          );
          expect(status, JSON.stringify(body)).toBe(200);
          ids.push(...(body[key] as { id: string }[]).map((each) => each.id));
          if (!body.next_cursor || ids.length > 60) return ids;
          cursor = body.next_cursor as string;
        }
      };
      const whole = await pagesOf(50);
      expect(whole.length, path).toBeGreaterThan(2);
      expect(await pagesOf(1), path).toEqual(whole);
    }
  });

  test('is what was there before the words were, too: the migration goes down and up again over a full database', async () => {
    const [, first] = own().filter((each) => each.module === 'invoices');
    const before = await numbersOf(`search=${first?.number}`);
    expect(before.length).toBe(1);
    const [{ businessId }] = world.businesses;
    // An answer as it was kept before: whole, whatever it held.
    await redo(world.databaseUrls.owner, '0021', async () => {
      await world.sql(
        `insert into idempotency_key (business_id, actor, route, key, body_hash, response, created_at) values ($1, 'x', 'POST /api-keys', 'k', 'h', '{"key": "secret"}', now())`,
        [businessId],
        businessId,
      );
    });
    const kept = await world.sql(
      "select response, ended_at is not null as ended from idempotency_key where key = 'k'",
      [],
      businessId,
    );
    expect(kept).toEqual([{ response: null, ended: true }]);
    expect(await numbersOf(`search=${first?.number}`)).toEqual(before);
    expect(
      ((await admin.get('/documents?limit=3&search=z-2499')).body.documents as unknown[]).length,
    ).toBe(1);
  });
});
