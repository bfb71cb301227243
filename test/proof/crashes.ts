import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Postgres, startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import pg from 'pg';
import { Api, until } from '../api.ts';
import { makeRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';
import { evidenceOf } from '../authorities/rw-vsdc/evidence.ts';
import { said, startServer } from '../start-server.ts';
import { approvedFor, checkout, makeTemplate, startWorld, type World } from '../world.ts';
import { Random } from './simulation/random.ts';

/**
 * What is killed hard; `sleeper` is a server that sleeps past its lease and wakes up believing that
 * it still has it.
 */
type Victim = 'server' | 'postgres' | 'device' | 'sleeper';
export type CrashReport = {
  crashes: Record<Victim, number>;
  documents: number;
  once: number;
  /** Settled by people with the authority's data. */
  listed: number;
  double: number;
  lost: number;
  unmarked: number;
  outOfOrder: number;
  gaps: number;
  brokenTrails: number;
  /**
   * Of each crash, until everything that was under way at that moment was settled or listed, in
   * milliseconds.
   */
  recoveries: number[];
  notes: string[];
};

const businesses = 6;
const processes = 3;
const openAtOnce = 12;
const underWayMin = 4;
const instead = {
  vsdc: { connectTimeoutMs: 1_000, answerTimeoutMs: 1_000, lateTimeoutMs: 1_500 },
  timing: {
    retryFirstMs: 50,
    retryMaxMs: 300,
    settleQuietMs: 100,
    settleMaxMs: 300,
    doubtWaitMs: 300,
    leaseMs: 1_500,
  },
  sweepMs: 200,
  waitMs: 1,
};

/**
 * Three servers on one PostgreSQL, devices beside them, documents coming in all the time; and at
 * random moments one of them is killed hard and started again, or a server sleeps for longer than
 * its lease. `isBroken`: the product broken on purpose, which this has to notice.
 */
export async function runCrashes(options: {
  crashes: number;
  seed: number;
  isBroken?: boolean;
  progress?: (done: number) => void;
}): Promise<CrashReport> {
  const random = new Random(options.seed);
  const folder = mkdtempSync(join(tmpdir(), 'muhuri-crashes-'));
  const journalFile = join(folder, 'devices.jsonl');
  const approved = approvedFor(businesses);
  let postgres: Postgres = await startEmbeddedPostgres(folder, join(folder, '.data'));
  await makeTemplate(postgres);
  const world = await startWorld({ postgres, businesses, journalFile });
  await world.app.close();
  if (options.isBroken)
    await once(
      postgres,
      `alter database "${new URL(world.databaseUrls.owner).pathname.slice(1)}" set synchronous_commit = off`,
    );
  await world.vsdc.close();
  const databaseName = new URL(world.databaseUrls.owner).pathname.slice(1);

  let device = await startDevice(0);
  const devicePort = device.port;
  await once(
    postgres,
    `update device set address = 'http://127.0.0.1:${devicePort}'`,
    databaseName,
  );
  const servers: { child: ChildProcess; url: string }[] = await Promise.all(
    Array.from({ length: processes }, startOne),
  );
  let isOver = false;

  async function startDevice(port: number) {
    const child = spawn(
      process.execPath,
      ['test/proof/vsdc-process.ts', JSON.stringify({ approved, journalFile, port })],
      {
        cwd: checkout,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    return { child, port: Number(await said(child, /port (\d+)/)) };
  }

  async function startOne(): Promise<{ child: ChildProcess; url: string }> {
    const flags = options.isBroken ? ['--import', './test/proof/attempt-after-send.ts'] : [];
    for (;;) {
      const started = await startServer(world, { instead, flags, isQuiet: true }).catch(() => null);
      // Started while PostgreSQL was away: it says so and ends, and is started again.
      if (started) return started;
      await pause(100);
    }
  }

  /* Who opens documents, all the time. */
  const opened: { id: string; number: string; business: number; accepted: boolean }[] = [];
  const signedIn = new Map<string, Promise<Api>>();
  const apiOf = async (
    index: number,
    url: string,
    who: 'user' | 'admin' = 'user',
  ): Promise<Api> => {
    const key = `${index}/${who}`;
    // One sign-in at a time: several at once, some of them cut off, would be taken for somebody who
    // guesses.
    const first =
      signedIn.get(key) ??
      Api.signIn(world, (world.businesses[index] as World['businesses'][0])[who], url);
    signedIn.set(key, first);
    first.catch(() => signedIn.delete(key));
    const { token, person } = await first;
    return Object.assign(new Api(url, token), { person });
  };
  const sales = world.businesses.map((business) => {
    const source = world.zoho
      .documents()
      .find(
        (each) =>
          each.organization_id === business.organizationId && each.what.startsWith('simple sale'),
      );
    return world.zoho.document('invoices', source?.id ?? '');
  });
  for (const index of world.businesses.keys()) await apiOf(index, servers[0]?.url ?? '');
  const open = async (): Promise<void> => {
    const index = random.below(businesses);
    const n = opened.length + 1;
    const document = {
      id: `99${String(n).padStart(12, '0')}`,
      number: `K-${n}`,
      business: index,
      accepted: false,
    };
    opened.push(document);
    world.zoho.add('invoices', (world.businesses[index] as World['businesses'][0]).organizationId, {
      ...structuredClone(sales[index]),
      invoice_id: document.id,
      invoice_number: document.number,
    });
    const until = performance.now() + 60_000;
    while (!document.accepted && performance.now() < until) {
      const { url } = random.pick(servers);
      const reply = await apiOf(index, url)
        .then((api) =>
          Promise.race([api.seal('invoices', document.id), pause(5_000).then(() => null)]),
        )
        .catch(() => null);
      document.accepted = reply !== null && (reply.status === 200 || reply.status === 202);
      // A session that PostgreSQL has forgotten is opened anew.
      if (reply?.status === 401) signedIn.delete(`${index}/user`);
      if (!document.accepted) await pause(50);
    }
  };
  const feeder = async () => {
    while (!isOver) {
      await open();
      await pause(random.between(5, 150));
    }
  };

  /* Who looks what is under way. */
  let underWay = new Set<string>();
  const waiting: { at: number; documents: string[]; after: number }[] = [];
  const recoveries: number[] = [];
  let looks = 0;
  const look = async (): Promise<void> => {
    const { rows } = await once(
      postgres,
      "select document_id from receipt where state = 'queued' or (state = 'in_doubt' and problem->>'code' = 'maybe_signed')",
      databaseName,
    );
    underWay = new Set(rows.map((row) => row.document_id as string));
    looks += 1;
    const now = performance.now();
    for (const each of waiting.slice())
      if (looks > each.after && each.documents.every((id) => !underWay.has(id))) {
        recoveries.push(now - each.at);
        waiting.splice(waiting.indexOf(each), 1);
      }
  };
  const looker = async () => {
    while (!isOver) {
      await look().catch(() => {});
      await pause(60);
    }
  };

  const crashes: Record<Victim, number> = { server: 0, postgres: 0, device: 0, sleeper: 0 };
  const crash = async (): Promise<void> => {
    const victim = random.weighted({ server: 6, postgres: 2, device: 2, sleeper: 2 });
    crashes[victim] += 1;
    waiting.push({ at: performance.now(), documents: [...underWay], after: looks + 1 });
    if (victim === 'server') {
      const index = random.below(servers.length);
      await killed((servers[index] as { child: ChildProcess }).child);
      servers[index] = await startOne();
    } else if (victim === 'sleeper') {
      const { child } = random.pick(servers);
      child.kill('SIGSTOP');
      await pause(random.between(instead.timing.leaseMs, 3 * instead.timing.leaseMs));
      child.kill('SIGCONT');
    } else if (victim === 'device') {
      await killed(device.child);
      device = await startDevice(devicePort);
    } else {
      killTree(postgres.pid);
      postgres = await startAgain(folder);
    }
  };

  const work = [feeder(), ...Array.from({ length: openAtOnce - 1 }, feeder), looker()];
  for (let done = 0; done < options.crashes; done++) {
    // In the middle of work, on a slow machine too: what is killed while nothing is under way
    // proves nothing.
    await until(
      () => underWay.size,
      (size) => size >= underWayMin,
      20_000,
    ).catch(() => {});
    await pause(random.between(0, 300));
    await crash();
    options.progress?.(done + 1);
  }
  // Everything comes to its end; then it is counted.
  isOver = true;
  await Promise.all(work);
  const settled = await until(
    async () => {
      await look().catch(() => {});
      return underWay.size;
    },
    (count) => count === 0,
    options.isBroken ? 5_000 : 60_000,
  ).catch((error: Error) => error);
  await look();
  const load = opened.length / options.crashes;
  const report = await count(
    settled instanceof Error
      ? [`not settled within a minute: ${[...underWay].slice(0, 5).join(' ')}`]
      : [],
  );
  if (load < 8 && !options.isBroken)
    report.notes.push(`only ${opened.length} documents: that was no load`);
  for (const { child } of servers) await killed(child);
  await killed(device.child);
  await world[Symbol.asyncDispose]().catch(() => {});
  await postgres.stop().catch(() => {});
  const kept = JSON.parse(readFileSync(join(folder, '.data/postgres.json'), 'utf8')) as {
    directory: string;
  };
  rmSync(kept.directory, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
  return report;

  async function count(notes: string[]): Promise<CrashReport> {
    const judge = makeRwVsdc({ approved, journalFile }).receipts();
    const report: CrashReport = {
      crashes,
      documents: opened.length,
      once: 0,
      listed: 0,
      double: 0,
      lost: 0,
      unmarked: 0,
      outOfOrder: 0,
      gaps: 0,
      brokenTrails: 0,
      recoveries: recoveries.toSorted((a, b) => a - b),
      notes,
    };
    const { rows } = await once(
      postgres,
      `select r.id, r.document_id, r.document_number, r.device_id, r.state, r.problem->>'code' as code, r.invoice_number::text as number, r.opened_at,
          (select s.receipt_signature from signature s where s.business_id = r.business_id and s.receipt_id = r.id) as signature,
          (select count(*)::int from attempt a where a.business_id = r.business_id and a.receipt_id = r.id) as attempts
         from receipt r order by r.device_id, r.opened_at, r.id`,
      databaseName,
    );
    const judged = Map.groupBy(judge, (each) => String(each.request.remark));
    const ours = new Map(rows.map((row) => [row.document_id as string, row]));
    for (const document of opened) {
      const held = judged.get(document.number) ?? [];
      const row = ours.get(document.id);
      if (held.length > 1) report.double += 1;
      else if (document.accepted && !row)
        notes.push(`${document.number} was accepted, and nothing is left of it`);
      if (document.accepted && !row) report.lost += 1;
      else if (held.length === 1 && row?.signature === held[0]?.reply.rcptSign) report.once += 1;
      else if (
        held.length === 1 &&
        row?.state === 'in_doubt' &&
        row.code === 'signed_answer_lost'
      ) {
        // Somebody brings what the authority holds; it must be taken.
        const admin = await apiOf(document.business, servers[0]?.url ?? '', 'admin');
        const brought = await admin.post(`/receipts/${row.id}/evidence`, {
          ...evidenceOf(held[0]),
          invoice_number: String(row.number),
        });
        if (brought.body.state === 'signed') report.listed += 1;
        else notes.push(`${document.number}: ${JSON.stringify(brought.body).slice(0, 200)}`);
      } else if (held.length === 1) {
        report.unmarked += 1;
        notes.push(
          `${document.number} is signed at the device, and with us ${row?.state} ${row?.code ?? ''}`,
        );
      } else if (held.length === 0) {
        report.unmarked += 1;
        notes.push(
          `${document.number} has no receipt, and with us ${row?.state} ${row?.code ?? ''}`,
        );
      }
    }
    // In order: what went through at its first send was signed in the order in which it was opened,
    // but for what was opened at once.
    const straight = rows.filter((row) => row.attempts === 1 && row.signature);
    for (const of of Map.groupBy(straight, (row) => row.device_id).values()) {
      let later = 0;
      for (const row of of) {
        while (
          later < of.length &&
          of[later]?.opened_at.getTime() - row.opened_at.getTime() <= 2_000
        )
          later += 1;
        const next = of[later];
        if (next && BigInt(next.number) < BigInt(row.number)) report.outOfOrder += 1;
      }
    }
    const { rows: devices } = await once(
      postgres,
      `select d.next_invoice_number::int as next, d.free_numbers::int[] as free, array(select r.invoice_number::int from receipt r where r.business_id = d.business_id and r.device_id = d.id and r.invoice_number is not null) as held from device d`,
      databaseName,
    );
    for (const each of devices) {
      const numbers = [...each.free, ...each.held] as number[];
      if (new Set(numbers).size !== numbers.length || numbers.length !== each.next - 1)
        report.gaps += 1;
    }
    const app = await world.anotherApp({ lanesMax: 0 });
    // What was written last has its place within seconds; a chain that is broken does not get one.
    for (const { businessId } of world.businesses) {
      const { brokenAt } = await app.verifyAuditLog(app.contextOf(businessId));
      if (brokenAt !== null) report.brokenTrails += 1;
    }
    await app.close();
    return report;
  }
}

/** Reports of several worlds as one. */
export function sumOf(reports: CrashReport[]): CrashReport {
  const sum = (of: (report: CrashReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  return {
    crashes: {
      server: sum(({ crashes }) => crashes.server),
      postgres: sum(({ crashes }) => crashes.postgres),
      device: sum(({ crashes }) => crashes.device),
      sleeper: sum(({ crashes }) => crashes.sleeper),
    },
    documents: sum((each) => each.documents),
    once: sum((each) => each.once),
    listed: sum((each) => each.listed),
    double: sum((each) => each.double),
    lost: sum((each) => each.lost),
    unmarked: sum((each) => each.unmarked),
    outOfOrder: sum((each) => each.outOfOrder),
    gaps: sum((each) => each.gaps),
    brokenTrails: sum((each) => each.brokenTrails),
    recoveries: reports.flatMap((each) => each.recoveries).toSorted((a, b) => a - b),
    notes: reports.flatMap((each) => each.notes),
  };
}

/** The worst that is left of a report: nothing of it may be above nothing. */
export const failuresOf = ({
  double,
  lost,
  unmarked,
  outOfOrder,
  gaps,
  brokenTrails,
  notes,
}: CrashReport): number =>
  double + lost + unmarked + outOfOrder + gaps + brokenTrails + notes.length;

async function once(
  postgres: Postgres,
  text: string,
  database?: string,
): Promise<{ rows: Record<string, any>[] }> {
  const client = new pg.Client({
    connectionString: postgres.urlFor('admin', database ?? 'postgres'),
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => {});
  await client.connect();
  try {
    return await client.query(text);
  } finally {
    await client.end().catch(() => {});
  }
}

async function startAgain(folder: string): Promise<Postgres> {
  for (;;) {
    try {
      return await startEmbeddedPostgres(folder, join(folder, '.data'));
    } catch {
      await pause(100);
    }
  }
}

/** The postmaster and all of its children at once, as a machine that loses its power. */
function killTree(pid: number): void {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim().split(' ').filter(Boolean),
  );
  for (const each of [String(pid), ...children]) {
    try {
      process.kill(Number(each), 'SIGKILL');
    } catch {
      // It was gone already.
    }
  }
}

const killed = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
    if (child.exitCode !== null || child.signalCode !== null) resolve();
  });
