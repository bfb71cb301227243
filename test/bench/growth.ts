import pg from 'pg';
import { Api } from '../api.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { startWorld, type World } from '../world.ts';
import { line, median } from './measure.ts';

const rounds = 40;

/**
 * What a thing costs where there is little of a business, and where there is much: the same calls
 * over HTTP, in turns, at two servers with a database each in the same PostgreSQL, so that whatever
 * else the machine does meets both alike. The one that is filled is measured at once, with
 * PostgreSQL still writing and its statistics left behind, as on a day on which much came in: a
 * plan that holds only with fresh ones would show.
 */
export async function benchGrowth(postgres: World['postgres'], many: number): Promise<void> {
  const [small, large] = [await openBusiness(postgres), await openBusiness(postgres)];
  await small.fill(0, 1_000);
  await large.fill(0, 1_000);
  for (const each of [small, large]) await each.owner.query('analyze');
  for (let from = 1_000; from < many; from += 100_000)
    await large.fill(from, Math.min(many, from + 100_000));
  for (const [i, [name, inLittle]] of small.works.entries()) {
    const inMuch = large.works[i]?.[1] as () => Promise<void>;
    const [little, much]: [number[], number[]] = [[], []];
    for (let round = -5; round < rounds; round++) {
      const turns: [() => Promise<void>, number[]][] = [
        [inLittle, little],
        [inMuch, much],
      ];
      for (const [work, times] of round % 2 === 0 ? turns : turns.reverse()) {
        const at = performance.now();
        await work();
        if (round >= 0) times.push(performance.now() - at);
      }
    }
    const [before, after] = [median(little), median(much)];
    line(
      `  ${name}, ms: at 1,000 / at ${many.toLocaleString('en')}`,
      `${before.toFixed(1)} / ${after.toFixed(1)} = ${(after / before).toFixed(2)}`,
      'aim ≤ 1.20',
    );
  }
  await small.close();
  await large.close();
}

async function openBusiness(postgres: World['postgres']) {
  const world = await startWorld({ postgres, instead: { intakeMs: 50 } });
  const [business] = world.businesses;
  const api = await Api.signIn(world, business.admin);
  const owner = new pg.Client({
    connectionString: postgres.urlFor('admin', new URL(world.databaseUrls.owner).pathname.slice(1)),
  });
  await owner.connect();
  const hook = (await api.post('/webhooks', { module: 'invoices' })).body as {
    url: string;
    secret: string;
  };
  const source = world.zoho
    .documents()
    .find(
      (each) =>
        each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
    );
  const sale = world.zoho.document('invoices', source?.id ?? '');
  let made = 0;
  const newInvoice = (): string => {
    made += 1;
    const invoice_id = `46000000055${String(made).padStart(8, '0')}`;
    world.zoho.add('invoices', business.organizationId, {
      ...structuredClone(sale),
      invoice_id,
      invoice_number: `G-${made}`,
    });
    return invoice_id;
  };
  const first = (await api.seal('invoices', newInvoice())).body as { id: string; state: string };
  if (first.state !== 'signed') throw new Error(`not signed: ${JSON.stringify(first)}`);
  const ok = async (reply: Promise<{ status: number; body: unknown }>): Promise<void> => {
    const { status, body } = await reply;
    if (status !== 200) throw new Error(`answered ${status}: ${JSON.stringify(body)}`);
  };
  const ids = Array.from({ length: rounds + 5 }, newInvoice);
  const works: [name: string, work: () => Promise<void>][] = [
    ['sign', () => ok(api.seal('invoices', ids.pop() as string))],
    ['read a receipt', () => ok(api.get(`/receipts/${first.id}`))],
    ['find by document', () => ok(api.get(`/receipts?module=invoices&document_id=${source?.id}`))],
    ['list of receipts', () => ok(api.get('/businesses/me/recent-invoices?limit=50'))],
    ['list to seal', () => ok(api.get('/documents?limit=50'))],
    ['list of all sealed', () => ok(api.get('/documents?limit=50&standing=sealed'))],
    [
      'list of the sealed of a branch that has sealed little',
      () => ok(api.get(`/documents?limit=50&standing=sealed&branch_id=${business.branchIds[1]}`)),
    ],
    [
      'list of everything of a branch',
      () =>
        ok(
          api.get(
            `/documents?limit=50&standing=to_seal,waiting,refused,sealed&branch_id=${business.branchIds[1]}`,
          ),
        ),
    ],
    [
      'search of the sealed, few matches',
      () => ok(api.get('/documents?limit=50&standing=sealed&search=F-777')),
    ],
    [
      'search of the sealed, many matches',
      () => ok(api.get('/documents?limit=50&standing=sealed&search=F-1')),
    ],
    [
      'search of the sealed, no match',
      () => ok(api.get('/documents?limit=50&standing=sealed&search=nobody')),
    ],
    [
      'search of the sealed, a receipt’s number',
      () => ok(api.get('/documents?limit=50&standing=sealed&search=10000777')),
    ],
    ['search of what is open, no match', () => ok(api.get('/documents?limit=50&search=nobody'))],
    [
      'month close',
      () => ok(api.get(`/documents/month?month=${new Date().toISOString().slice(0, 7)}`)),
    ],
    [
      'receipts refused, none',
      () => ok(api.get('/businesses/me/recent-invoices?limit=50&state=refused')),
    ],
    [
      'receipts searched, no match',
      () => ok(api.get('/businesses/me/recent-invoices?limit=50&search=nobody')),
    ],
    [
      'receipts searched, many matches',
      () => ok(api.get('/businesses/me/recent-invoices?limit=50&search=Buyer')),
    ],
    [
      'activity by a subject that is not there',
      () => ok(api.get('/trail?limit=50&subject=nobody')),
    ],
    [
      'activity by an action that is not there',
      () => ok(api.get('/trail?limit=50&action=nothing')),
    ],
    [
      'activity by an action that was done once',
      () => ok(api.get('/trail?limit=50&action=webhook.made')),
    ],
    [
      'activity by an action that is done all the time',
      () => ok(api.get('/trail?limit=50&action=receipt.signed')),
    ],
    ['stats', () => ok(api.get('/businesses/me/stats'))],
    ['activity', () => ok(api.get('/trail?limit=50'))],
    ['evidence pack', () => ok(api.get(`/receipts/${first.id}/evidence-pack`))],
    [
      'webhook',
      async () => {
        made += 1;
        const body = JSON.stringify({
          invoice: { ...sale, invoice_id: `46000000066${String(made).padStart(8, '0')}` },
        });
        const answer = await fetch(hook.url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-zoho-webhook-signature': signatureOf(hook.url, body, hook.secret),
          },
          body,
        });
        if (answer.status !== 200) throw new Error(`webhook: ${answer.status}`);
      },
    ],
    ['sweep of the lanes', () => world.app.sweep()],
  ];
  return {
    owner,
    works,
    fill: (from: number, to: number) => fill(owner, business.businessId, first.id, from, to),
    async close() {
      await owner.end();
      await world[Symbol.asyncDispose]();
    },
  };
}

/**
 * Receipts like the first, with everything that belongs to one, straight into the tables; the
 * device's own numbers stay ahead of them.
 */
async function fill(
  owner: pg.Client,
  businessId: string,
  receiptId: string,
  from: number,
  to: number,
): Promise<void> {
  // The rows fit each other as they are made: asking each of millions would take the better part of
  // an hour.
  await owner.query('set session_replication_role = replica');
  const like = async (
    table: string,
    key: string,
    changes: Record<string, string>,
  ): Promise<void> => {
    const { rows } = await owner.query(
      'select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped',
      [table],
    );
    const names = rows.map((row) => row.name as string);
    await owner.query(
      `insert into ${table} (${names.join(', ')}) select ${names.map((name) => changes[name] ?? `t.${name}`).join(', ')}
         from ${table} t, generate_series($3::int + 1, $4::int) n where t.business_id = $1 and t.${key} = $2`,
      [businessId, receiptId, from, to],
    );
  };
  const id = "'rcp_' || lpad(n::text, 32, '0')";
  const day = '(current_date - (n % 25))';
  const number = '10000000 + n';
  await like('receipt', 'id', {
    id,
    document_id: "'99' || n",
    document_number: "'F-' || n",
    invoice_number: number,
    document_date: day,
    words: "' f-' || n || ' f ' || n || ' buyer ' || (n % 500) || ' customer:' || (n % 500)",
  });
  await like('attempt', 'receipt_id', {
    id: "'att_' || lpad(n::text, 32, '0')",
    receipt_id: id,
    invoice_number: number,
  });
  await like('signature', 'receipt_id', {
    receipt_id: id,
    invoice_number: number,
    receipt_number: number,
    total_receipt_number: number,
    receipt_signature: "'F' || n",
  });
  await owner.query(
    `insert into document (business_id, module, document_id, number, date, status, customer_id, customer_name, currency, total, modified_at, seen_at, source, sealed, sealed_branch, words)
     select $1, 'invoices', '99' || n, 'F-' || n, ${day}, 'sent', '1', 'Buyer ' || (n % 500), 'RWF', 1000 + n, now(), now(), 'poll', true, (select branch_id from receipt where business_id = $1 and id = $4),
       ' f-' || n || ' f ' || n || ' buyer ' || (n % 500) || ' ' || (1000 + n) from generate_series($2::int + 1, $3::int) n`,
    [businessId, from, to, receiptId],
  );
  await owner.query(
    `insert into search_word (business_id, word, module, document_id)
     select r.business_id, w.word, r.module, r.document_id from receipt r, generate_series($2::int + 1, $3::int) n,
       unnest(array['f-' || n, 'f', n::text, 'buyer', (n % 500)::text, 'customer:' || (n % 500), (1000 + n)::text]) w(word)
      where r.business_id = $1 and r.module = 'invoices' and r.document_id = '99' || n on conflict do nothing`,
    [businessId, from, to],
  );
  await owner.query(
    `insert into delivery (business_id, id, webhook_id, at, verdict, module, document_id, modified_at, dedupe_key, digest, bytes, origin)
     select $1, 'dlv_' || lpad(n::text, 32, '0'), 'hok_x', now(), 'accepted', 'invoices', '99' || n, now(), 'k' || n, 'd' || n, 3000, null from generate_series($2::int + 1, $3::int) n`,
    [businessId, from, to],
  );
  await owner.query(
    `insert into audit (business_id, id, at, actor_type, actor_id, action, subject, position, previous_hash, hash)
     select $1, 'aud_' || lpad(n::text, 32, '0'), now() - interval '40 days', 'job', 'bench', 'receipt.signed', 'F-' || n, 1000000000 + n, 'p', 'h' from generate_series($2::int + 1, $3::int) n`,
    [businessId, from, to],
  );
}
