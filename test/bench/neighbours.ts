import { type ChildProcess, fork } from 'node:child_process';
import pg from 'pg';
import { Agent, request } from 'undici';
import { startNameServer } from '@muhuri/server/platform/resolver.samples';
import { createServer } from 'node:net';
import { Api } from '../api.ts';
import { startServer } from '../start-server.ts';
import { startWorld, type World } from '../world.ts';
import { line, median } from './measure.ts';
import type { Attack, Told } from './neighbours-attacker.ts';

const pairs = 5;
const atOnce = 2;
const trailEntries = 50_000;

const attacks: [name: Attack, what: string][] = [
  ['logos', 'logos that are no pictures, and dear ones'],
  ['names', 'a device whose name server is silent'],
  ['drips', 'subscribers that drip their answers'],
  ['exports', `exports of a trail of ${trailEntries.toLocaleString('en')}`],
  ['tokens', 'made-up tokens'],
  ['bodies', 'bodies of 2 MiB'],
];

/**
 * One business beside another that does what costs time or memory, at the pace that a person's
 * limit allows: its own calls alone and beside it, in turns. Server, attacker and the business that
 * is measured are processes of their own; PostgreSQL and the simulators share the cores with them.
 */
export async function benchNeighbours(
  postgres: World['postgres'],
  requests: number,
  only = '',
): Promise<void> {
  const nameServer = await startNameServer({ '*.silent.example': { silent: [4, 6] } });
  const world = await startWorld({ postgres, instead: { intakeMs: 3_600_000 } });
  // No limit by business or person, so that the measured one may ask as fast as it is answered; by
  // address the usual one.
  const limits = { businessPerMinute: 1e9, personPerMinute: 1e9, requestsPerDay: 1e12 };
  const { child, url } = await startServer(world, {
    instead: { limits, names: { servers: [nameServer.address] }, intakeMs: 300 },
  });
  const [quiet, loud] = await Promise.all([
    Api.signIn(world, world.businesses[0].admin, url),
    Api.signIn(world, world.businesses[1].admin, url),
  ]);
  const loudId = world.businesses[1].businessId;
  await fillTrail(world, loudId);
  await world.sql('update device set address = $1', ['http://vsdc.silent.example:8080'], loudId);
  const dripping = await listenDripping();
  const notices = await subscribe(world, loud, loudId, dripping.url);
  // Gives the second factor where it is asked for: the attacker has its session only.
  for (const path of ['/trail.csv', '/subscribers', '/notices']) await loud.get(path);
  await loud.post('/businesses/me/branding/preview', { branding: {} });
  const client = new Agent({ connections: atOnce });
  const ask = async (path: string): Promise<number> => {
    const began = performance.now();
    const answer = await request(`${url}/api/v1${path}`, {
      headers: { authorization: `Bearer ${quiet.token}` },
      dispatcher: client,
    });
    await answer.body.dump();
    if (answer.statusCode !== 200) throw new Error(`${path} was answered ${answer.statusCode}`);
    return performance.now() - began;
  };
  const p99 = async (): Promise<number> => {
    const times: number[] = [];
    let asked = 0;
    const worker = async () => {
      while (asked < requests)
        times.push(await ask(asked++ % 2 ? '/auth/me' : '/businesses/me/recent-invoices?limit=20'));
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number;
  };
  await p99();
  for (const [attack, what] of attacks) {
    if (only && !only.split(',').includes(attack)) continue;
    const attacker = await begin({ url, token: loud.token, attack, businessId: loudId, notices });
    const [alone, beside] = [[] as number[], [] as number[]];
    for (let pair = 0; pair < pairs; pair++) {
      // Which of the two comes first changes, so that what the machine does meanwhile falls on
      // both.
      const inTurn = [
        async () => alone.push(await p99()),
        async () => {
          await attacker.go();
          beside.push(await p99());
          await attacker.stop();
        },
      ];
      for (const half of pair % 2 ? inTurn.toReversed() : inTurn) await half();
    }
    const calls = await attacker.end();
    const ratios = beside.map((each, i) => each / (alone[i] as number));
    line(
      `beside ${what}: p99 alone → beside, ms`,
      `${median(alone).toFixed(1)} → ${median(beside).toFixed(1)} = ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`,
      `aim ≤ 1.30; ${calls}`,
    );
  }
  await client.destroy();
  await new Promise((resolve) => child.once('exit', resolve).kill('SIGTERM'));
  nameServer.close();
  dripping.close();
  await world[Symbol.asyncDispose]();
}

type Attacker = { go(): Promise<void>; stop(): Promise<void>; end(): Promise<string> };

async function begin(told: Told): Promise<Attacker> {
  const child: ChildProcess = fork(new URL('./neighbours-attacker.ts', import.meta.url), [
    JSON.stringify(told),
  ]);
  const heard = () =>
    new Promise<string>((resolve) => child.once('message', (said) => resolve(String(said))));
  await heard();
  const say = async (word: string): Promise<string> => {
    const answered = heard();
    child.send(word);
    return answered;
  };
  return {
    go: async () => void (await say('go')),
    stop: async () => void (await say('stop')),
    async end() {
      const calls = await say('end');
      child.kill();
      return calls;
    },
  };
}

async function fillTrail(world: World, businessId: string): Promise<void> {
  const owner = new pg.Client({
    connectionString: world.postgres.urlFor(
      'admin',
      new URL(world.databaseUrls.owner).pathname.slice(1),
    ),
  });
  await owner.connect();
  await owner.query("set session_replication_role = 'replica'");
  await owner.query(
    `insert into audit (business_id, id, at, actor_type, actor_id, action, subject, position, previous_hash, hash)
     select $1, 'aud_' || lpad(n::text, 32, '0'), date_trunc('milliseconds', now()) - interval '40 days', 'job', 'bench', 'receipt.signed', 'F-' || n, 1000000000 + n, 'p', 'h'
       from generate_series(1, $2::int) n`,
    [businessId, trailEntries],
  );
  await owner.query('analyze audit');
  await owner.end();
}

/** Answers a byte ten times a second, and never comes to its end. */
async function listenDripping(): Promise<{ url: string; close(): void }> {
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nx-slow: ');
        const timer = setInterval(() => socket.write('a'), 100);
        socket.on('close', () => clearInterval(timer));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/`,
    close: () => server.close(),
  };
}

/** As many addresses as a business may have, each with messages that wait for it. */
async function subscribe(
  world: World,
  loud: Api,
  businessId: string,
  url: string,
): Promise<string[]> {
  const ids: string[] = [];
  for (let each = 0; each < 10; each++) {
    const made = await loud.post('/subscribers', {
      url: `${url}${each}`,
      events: ['receipt.signed'],
    });
    if (made.status !== 200) throw new Error(JSON.stringify(made.body));
    for (let nth = 0; nth < 50; nth++) {
      const id = `ntc_${String(each * 100 + nth).padStart(32, '0')}`;
      await world.sql(
        `insert into webhook_message (business_id, id, endpoint_id, event, body, state, created_at) values ($1, $2, $3, 'receipt.signed', '{}', 'failed', now())`,
        [businessId, id, made.body.subscriber.id],
        businessId,
      );
      ids.push(id);
    }
  }
  return ids;
}
