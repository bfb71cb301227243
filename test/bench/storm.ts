import { Agent, request } from 'undici';
import { Api, until } from '../api.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { startWorld, type World } from '../world.ts';
import { cpuOf, cpuOfProcess, line, startAndWait } from './measure.ts';

const businesses = 20;
const documents = 5_000;
const duplicates = 0.1;
const lost = 0.05;
const forged = 0.02;
const atOnce = 20;

type Delivery = { url: string; body: string; signature: string; isForged: boolean };

/**
 * A day's worth of webhooks at once, as Zoho at its worst sends them: out of order, some twice,
 * some never, some not Zoho's at all. Not a measurement first: whatever is not exactly one receipt
 * per document ends the run. What is lost is found by the poll.
 */
export async function benchStorm(postgres: World['postgres']): Promise<void> {
  const world = await startWorld({ postgres, businesses, instead: { intakeMs: 3_600_000 } });
  const settings = world.settingsOf();
  const secrets = { ...settings.secrets, masterKey: settings.secrets.masterKey.toString('base64') };
  const { child, found: url } = await startAndWait(
    ['test/bench/storm-server.ts', JSON.stringify({ config: settings.config, secrets })],
    /up (\S+)/,
  );
  const chance = seeded(20261121);
  const deliveries: Delivery[] = [];
  const apis: Api[] = [];
  let [lostCount, duplicateCount] = [0, 0];
  for (const [index, business] of world.businesses.entries()) {
    const api = await Api.signIn(world, business.admin, url);
    apis.push(api);
    const config = (await api.get('/businesses/me/config')).body;
    await api.put('/businesses/me/config', {
      settings: { auto_seal: 'sent', write_back: false },
      version: config.version,
    });
    const hook = (await api.post('/webhooks', { module: 'invoices' })).body as {
      url: string;
      secret: string;
    };
    const address = hook.url.replace(new URL(hook.url).origin, url);
    const source = world.zoho.document(
      'invoices',
      world.zoho
        .documents()
        .find(
          (each) =>
            each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
        )?.id ?? '',
    );
    for (let i = 0; i < documents / businesses; i++) {
      const invoice_id = `${business.organizationId.slice(0, 8)}${String(index).padStart(3, '0')}${String(9_000_000 + i)}`;
      const last_modified_time = `${new Date(Date.now() + 7_200_000).toISOString().slice(0, 19)}+0200`;
      world.zoho.add('invoices', business.organizationId, {
        ...structuredClone(source),
        invoice_id,
        invoice_number: `ST-${index}-${i}`,
        last_modified_time,
      });
      const body = JSON.stringify({ invoice: { ...source, invoice_id, last_modified_time } });
      const one = {
        url: address,
        body,
        signature: signatureOf(hook.url, body, hook.secret),
        isForged: false,
      };
      if (chance() < lost) lostCount += 1;
      else deliveries.push(one);
      if (chance() < duplicates) {
        duplicateCount += 1;
        deliveries.push(one);
      }
      if (chance() < forged) {
        const other = body.replace('"total":', '"total":9');
        deliveries.push({
          ...one,
          body: other,
          signature: signatureOf(hook.url, other, `not ${hook.secret}`),
          isForged: true,
        });
      }
    }
  }
  shuffle(deliveries, chance);
  // The poll finds what else is in Zoho, and that is sealed too; only the storm is counted.
  const ofStorm = () =>
    world.vsdc.receipts().filter((each) => String(each.request.remark).startsWith('ST-'));
  const cpu = () => ({ server: cpuOfProcess(child.pid as number), ...cpuOf(postgres) });
  const before = cpu();
  const begun = performance.now();
  const times: number[] = [];
  const forgedNamed = { sent: 0, named: 0 };
  const agent = new Agent({ connections: atOnce });
  const left = [...deliveries];
  const worker = async () => {
    for (let next = left.pop(); next; next = left.pop()) {
      const at = performance.now();
      const reply = await request(next.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-zoho-webhook-signature': next.signature },
        body: next.body,
        dispatcher: agent,
      });
      const { received } = (await reply.body.json()) as { received?: string };
      times.push(performance.now() - at);
      if (reply.statusCode !== 200) throw new Error(`a delivery was answered ${reply.statusCode}`);
      if (next.isForged) {
        forgedNamed.sent += 1;
        if (received === 'forged') forgedNamed.named += 1;
      } else if (received === 'forged')
        throw new Error('a delivery of Zoho’s was taken for a forgery');
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const taken = performance.now() - begun;
  const after = cpu();
  for (const api of apis) {
    const polled = await api.post('/zoho/poll');
    if (polled.status !== 200)
      throw new Error(`a poll was answered ${polled.status}: ${JSON.stringify(polled.body)}`);
  }
  await until(
    () => ofStorm().length,
    (signed) => signed >= documents,
    300_000,
  ).catch(async (error: Error) => {
    throw new Error(`${error.message}; not sealed: ${JSON.stringify(await unsealed(world))}`);
  });
  const sealed = performance.now() - begun;
  // Whatever is still under way comes to its end before it is counted: a second receipt would come
  // late.
  await new Promise((resolve) => child.once('exit', resolve).kill('SIGTERM'));
  const receipts = ofStorm();
  const perDocument = new Map<string, number>();
  for (const each of receipts)
    perDocument.set(
      `${each.request.tin}/${each.request.remark}`,
      (perDocument.get(`${each.request.tin}/${each.request.remark}`) ?? 0) + 1,
    );
  const wrong: string[] = [];
  let [recorded, kept, unanswered] = [0, 0, 0];
  for (const [index, business] of world.businesses.entries()) {
    for (let i = 0; i < documents / businesses; i++) {
      const times = perDocument.get(`${business.taxpayerId}/ST-${index}-${i}`) ?? 0;
      if (times !== 1) wrong.push(`ST-${index}-${i} has ${times} receipts`);
    }
    const [row] = await world.sql(
      "select (select count(*) from receipt where state = 'signed' and document_number like 'ST-%')::int as signed, (select count(*) from receipt where state = 'signed' and document_number like 'ST-%' and document_number not like $1)::int as foreign, (select count(*) from delivery where verdict = 'forged')::int as forged, (select count(*) from zoho_call where status is null)::int as unanswered",
      [`ST-${index}-%`],
      business.businessId,
    );
    recorded += row?.signed as number;
    kept += row?.forged as number;
    unanswered += row?.unanswered as number;
    if (row?.foreign !== 0)
      wrong.push(`${business.businessId} holds ${String(row?.foreign)} documents of others`);
  }
  if (receipts.length !== documents || recorded !== documents)
    wrong.push(
      `${receipts.length} receipts at the judge, ${recorded} recorded, ${documents} documents`,
    );
  if (forgedNamed.named !== forgedNamed.sent || kept !== forgedNamed.sent)
    wrong.push(
      `${forgedNamed.sent} forgeries, ${forgedNamed.named} answered as such, ${kept} kept as such`,
    );
  if (wrong.length > 0)
    throw new Error(`the storm was not weathered:\n${wrong.slice(0, 20).join('\n')}`);
  const at = (share: number) =>
    ([...times].sort((a, b) => a - b)[Math.floor(times.length * share)] as number).toFixed(1);
  line(
    `${documents} documents, ${businesses} businesses: sealed once each`,
    `${recorded} of ${documents}`,
    `${deliveries.length} webhooks: ${duplicateCount} twice, ${lostCount} lost, ${forgedNamed.sent} forged and each named`,
  );
  line(
    '  answered within, ms: p50, p99',
    `${at(0.5)}, ${at(0.99)}`,
    `aim p99 < 50, ${atOnce} at once, while sealing`,
  );
  line(
    '  webhooks taken in, all sealed',
    `${(taken / 1000).toFixed(1)} s, ${(sealed / 1000).toFixed(1)} s`,
    `${unanswered} calls to Zoho without an answer, made again; one server process, the simulators share its two cores`,
  );
  const share = (from: number, to: number) => `${Math.round(((to - from) * 100) / taken)} %`;
  line(
    '  of a core while taking in: server, PostgreSQL, simulators',
    `${share(before.server, after.server)}, ${share(before.postgres, after.postgres)}, ${share(before.ours, after.ours)}`,
  );
  await agent.destroy();
  await world[Symbol.asyncDispose]();
}

/** What stands in the way of what is not sealed, a few of each business. */
const unsealed = (world: World) =>
  Promise.all(
    world.businesses.map((business) =>
      world.sql(
        `select d.document_id, d.source, d.due_at, d.leased_until, d.tries, d.problem, r.state, r.problem as refusal, r.next_try_at
           from document d left join receipt r on r.business_id = d.business_id and r.module = d.module and r.document_id = d.document_id
          where coalesce(r.state, '') <> 'signed' and d.source = 'webhook' limit 3`,
        [],
        business.businessId,
      ),
    ),
  );

/** The same numbers between 0 and 1 at every run. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function shuffle<T>(all: T[], chance: () => number): void {
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(chance() * (i + 1));
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
}
