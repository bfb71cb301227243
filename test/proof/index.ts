import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, makeTemplate } from '../world.ts';
import { type CrashReport, failuresOf, runCrashes, runCrashesInWorlds } from './crashes.ts';
import { runFaultTable, runsOf, type Verdict } from './fault-table.ts';
import { everyCode } from './codes.ts';
import { proofOf, type Simulated } from './report.ts';
import { sweepTime } from './time-sweep.ts';

/*
 * Everything that is claimed of one receipt per document, run in full, and written down. `pnpm prove` takes an hour or two; `pnpm prove quick`
 * runs a slice of every part in minutes and writes nothing; `codes=12 crashes=200 seeds=1000` sizes the parts, and what is written says how
 * many there were.
 */
const isQuick = process.argv.includes('quick');
const given = (name: string) => process.argv.map((each) => new RegExp(`^${name}=(\\d+)$`).exec(each)?.[1]).find(Boolean);
const size = isQuick
  ? { codes: ['924', '913'], crashes: 20, seeds: 200 }
  : { codes: everyCode.slice(-Number(given('codes') ?? everyCode.length)), crashes: Number(given('crashes') ?? 600), seeds: Number(given('seeds') ?? 10_000) };
const started = new Date();
const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
const progress = (what: string, of: number) => (done: number) => {
  if (done % Math.max(1, Math.round(of / 10)) === 0) say(`${what}: ${done} of ${of}`);
};

const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
await makeTemplate(postgres);
const version = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: checkout, encoding: 'utf8' }).stdout.trim();

const tables: { processes: number; verdicts: Verdict[]; seconds: number }[] = [];
for (const processes of [1, 3]) {
  const runs = runsOf(size.codes);
  const begun = performance.now();
  const verdicts = await runFaultTable(postgres, runs, {
    processes,
    atOnce: isQuick ? 16 : 32,
    progress: progress(`fault table, ${processes} process(es)`, runs.length),
  });
  tables.push({ processes, verdicts, seconds: (performance.now() - begun) / 1_000 });
}
const crashes = await runCrashesInWorlds({ crashes: size.crashes, seed: 20261121, progress: progress('crashes', size.crashes) });
const control: CrashReport = await runCrashes({ crashes: 12, seed: 1, isBroken: true });
say(`the product broken on purpose: ${failuresOf(control)} failures noticed`);
const time = await sweepTime(postgres);
const simulated = await simulateAll(2);
await postgres.stop();

const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}, the embedded PostgreSQL 18 with fsync on`;
const { text, failures } = proofOf({ started, version, machine, tables, crashes, control, time, simulated });
console.log(text);
if (!isQuick) writeFileSync(join(checkout, 'test/proof.md'), text);
console.log(failures === 0 ? 'The proof holds.' : `The proof does not hold: ${failures} failures.`);
process.exit(failures === 0 ? 0 : 1);

/** The seeds, shared among so many processes. */
async function simulateAll(processes: number): Promise<Simulated> {
  const all: Simulated = { seeds: 0, steps: 0, counts: {}, failed: [] };
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: processes }, async (_, i) => {
      const child = spawn(process.execPath, ['test/proof/simulate-process.ts', String(i + 1), String(size.seeds), String(processes)], {
        cwd: checkout,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      for await (const line of createInterface({ input: child.stdout })) {
        const { seed, steps, counts, problem } = JSON.parse(line) as { seed: number; steps: number; counts: Record<string, number>; problem: string | null };
        all.seeds += 1;
        all.steps += steps;
        for (const [what, count] of Object.entries(counts)) all.counts[what] = (all.counts[what] ?? 0) + count;
        if (problem) {
          all.failed.push({ seed, problem });
          say(`seed ${seed}: ${problem}`);
        }
        progress('seeds', size.seeds)(all.seeds);
      }
    }),
  );
  return { ...all, seconds: (performance.now() - begun) / 1_000 };
}
