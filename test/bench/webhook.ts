import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { Agent, request } from 'undici';
import { Api } from '../api.ts';
import { signatureOf } from '../simulators/zoho/automation.ts';
import { startWorld, type World } from '../world.ts';
import { cpuOf, line, median } from './measure.ts';

const rounds = 6;
const perRound = 1_500;
const atOnce = 20;
type Took = { rate: number; own: number; postgres: number };
const noLimits = {
  businessPerMinute: 1e9,
  personPerMinute: 1e9,
  addressPerMinute: 1e9,
  requestsPerDay: 1e12,
  changesPerMinute: 1e9,
  changesPerDay: 1e12,
  deliveriesPerMinute: 1e9,
  deliveriesPerDay: 1e12,
};

/**
 * Taking webhooks in, proven and kept under their dedupe key, against node:http with one insert of
 * the same bytes.
 */
export async function benchWebhook(postgres: World['postgres']): Promise<void> {
  // What a delivery leads to is done later and elsewhere; here only the answer counts.
  const world = await startWorld({ postgres, instead: { limits: noLimits, intakeMs: 3_600_000 } });
  const agent = new Agent({ connections: atOnce });
  const api = await Api.signIn(world, world.businesses[0].admin);
  const hook = (await api.post('/webhooks', { module: 'invoices' })).body as {
    url: string;
    secret: string;
  };
  const document = world.zoho.document('invoices', world.zoho.documents()[0]?.id ?? '');
  const bodies = (from: number) =>
    Array.from({ length: perRound }, (_, i) =>
      JSON.stringify({
        invoice: {
          ...document,
          invoice_id: `8800000${String(from + i).padStart(9, '0')}`,
          line_items: document.line_items,
        },
      }),
    );
  const admin = new pg.Pool({
    connectionString: postgres.urlFor('admin', new URL(world.databaseUrls.owner).pathname.slice(1)),
    max: 10,
  });
  await admin.query(
    'create table bare_delivery (id bigserial primary key, body text not null, at timestamptz not null default now())',
  );
  const bare = createServer(async (asked, answer) => {
    let text = '';
    for await (const part of asked) text += String(part);
    await admin.query('insert into bare_delivery (body) values ($1)', [text]);
    answer.writeHead(200, { 'content-type': 'application/json' }).end('{"received":true}');
  });
  await new Promise<void>((resolve) => bare.listen(0, '127.0.0.1', resolve));
  const bareUrl = `http://127.0.0.1:${(bare.address() as AddressInfo).port}/`;

  const send = async (
    url: string,
    all: { body: string; signature: string }[],
    times: number[],
  ): Promise<Took> => {
    const left = [...all];
    const before = cpuOf(postgres);
    const begun = performance.now();
    const worker = async () => {
      for (let next = left.pop(); next; next = left.pop()) {
        const at = performance.now();
        const reply = await request(url, {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'x-zoho-webhook-signature': next.signature,
          },
          body: next.body,
          dispatcher: agent,
        });
        await reply.body.text();
        if (reply.statusCode !== 200) throw new Error(`answered ${reply.statusCode}`);
        times.push(performance.now() - at);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const rate = (all.length / (performance.now() - begun)) * 1000;
    const after = cpuOf(postgres);
    return {
      rate,
      own: (after.ours - before.ours) / all.length,
      postgres: (after.postgres - before.postgres) / all.length,
    };
  };
  const [ours, bares]: [Took[], Took[]] = [[], []];
  const [times, bareTimes]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const signed = bodies(round * perRound).map((body) => ({
      body,
      signature: signatureOf(hook.url, body, hook.secret),
    }));
    const [warm, bareWarm] = round === 0 ? [[], []] : [times, bareTimes];
    const rate = await send(hook.url, signed, warm);
    const bareRate = await send(bareUrl, signed, bareWarm);
    if (round > 0) {
      ours.push(rate);
      bares.push(bareRate);
    }
  }
  const at = (values: number[], share: number) =>
    ([...values].sort((a, b) => a - b)[Math.floor(values.length * share)] as number).toFixed(1);
  const ratios = ours.map((each, i) => each.rate / (bares[i] as Took).rate);
  line(
    'webhooks taken in per second, ours / bare insert',
    `${median(ours.map(({ rate }) => rate)).toFixed(0)} / ${median(bares.map(({ rate }) => rate)).toFixed(0)} = ${median(ratios).toFixed(2)}`,
    `aim ≥ 0.60; rounds ${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
  );
  line(
    '  answered within, ms: p50, p99',
    `${at(times, 0.5)}, ${at(times, 0.99)}`,
    `aim p99 < 50, ${atOnce} at once; bare ${at(bareTimes, 0.5)}, ${at(bareTimes, 0.99)}`,
  );
  const cpu = (all: Took[]) =>
    `${median(all.map(({ own }) => own)).toFixed(2)} + ${median(all.map((each) => each.postgres)).toFixed(2)}`;
  line(
    '  CPU a delivery, ms: process (with who sends) + PostgreSQL',
    `${cpu(ours)} / ${cpu(bares)}`,
  );
  await new Promise((resolve) => bare.close(resolve));
  await agent.destroy();
  await admin.end();
  await world[Symbol.asyncDispose]();
}
