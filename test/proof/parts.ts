import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { checkout } from '../world.ts';
import { type CrashReport, runCrashes, sumOf } from './crashes.ts';
import { runFaultTable, runsOf, type Verdict } from './fault-table.ts';
import type { Part, Size } from './part.ts';
import { crashSection, faultSection, simulationSection, timeSection } from './report.ts';
import { sweepTime, type TimeReport } from './time-sweep.ts';

/** What servers are made of, and what is found instead of named. */
const product = [
  'server/src/main.ts',
  'server/src/dialects',
  'server/src/migrations',
  'test/scenarios/server-process.ts',
];
const runsPerPiece = 1_100;
const crashesPerPiece = 100;
const seedsPerPiece = 500;
const count = (n: number) => n.toLocaleString('en');

/** Everything that is claimed of one receipt per document, part by part. */
export function parts(size: Size): Part[] {
  return [faultTable(size, 1), faultTable(size, 3), crashes(size), simulation(size), time()];
}

function faultTable({ codes }: Size, processes: number): Part {
  const runs = runsOf(codes);
  return {
    name: `fault-table-${processes}`,
    title: processes === 1 ? 'Fault table, one process' : `Fault table, ${processes} processes`,
    entries: ['test/proof/fault-table.ts', ...product],
    size: `${runs.length} runs`,
    pieces: inPieces(runs.length, runsPerPiece).map(([from, to]) => ({
      id: `${from}-${to}`,
      run: (postgres) =>
        runFaultTable(postgres, runs.slice(from, to), {
          processes,
          atOnce: Math.min(32, runs.length),
        }),
    })),
    section: (results, seconds) =>
      faultSection({ processes, verdicts: (results as Verdict[][]).flat(), seconds }),
  };
}

function crashes(size: Size): Part {
  return {
    name: 'crashes',
    title: 'Crashes',
    entries: [
      'test/proof/crashes.ts',
      'test/proof/vsdc-process.ts',
      'test/proof/attempt-after-send.ts',
      ...product,
    ],
    size: `${size.crashes} crashes`,
    // Worlds one after the other: in a single one, what the simulators have to remember would slow
    // the last crashes down.
    pieces: [
      ...inPieces(size.crashes, crashesPerPiece).map(([from, to], i) => ({
        id: `${from}-${to}`,
        run: () => runCrashes({ crashes: to - from, seed: 20_261_121 + i }),
      })),
      { id: 'control', run: () => runCrashes({ crashes: 12, seed: 1, isBroken: true }) },
    ],
    section: (results) =>
      crashSection(sumOf(results.slice(0, -1) as CrashReport[]), results.at(-1) as CrashReport),
  };
}

type Seed = { seed: number; steps: number; counts: Record<string, number>; problem: string | null };

function simulation(size: Size): Part {
  return {
    name: 'simulation',
    title: 'Seeded simulation',
    entries: [
      'test/proof/simulate-process.ts',
      'server/src/dialects',
      'server/src/migrations',
      'test/authorities',
    ],
    size: `${size.seeds} seeds`,
    pieces: inPieces(size.seeds, seedsPerPiece).map(([from, to]) => ({
      id: `${from}-${to}`,
      run: () => simulate(from + 1, to, 2),
    })),
    section: (results) => simulationSection((results as Seed[][]).flat()),
  };
}

function time(): Part {
  return {
    name: 'time',
    title: 'Time',
    entries: ['test/proof/time-sweep.ts', ...product],
    size: 'all',
    pieces: [{ id: 'all', run: (postgres) => sweepTime(postgres) }],
    section: ([result]) => timeSection(result as TimeReport),
  };
}

const inPieces = (total: number, each: number): [number, number][] =>
  Array.from({ length: Math.ceil(total / each) }, (_, i) => [
    i * each,
    Math.min(total, (i + 1) * each),
  ]);

/** The seeds from the first to the last, shared among so many processes. */
async function simulate(first: number, last: number, processes: number): Promise<Seed[]> {
  const seeds: Seed[] = [];
  await Promise.all(
    Array.from({ length: processes }, async (_, i) => {
      const child = spawn(
        process.execPath,
        ['test/proof/simulate-process.ts', String(first + i), String(last), String(processes)],
        {
          cwd: checkout,
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      for await (const line of createInterface({ input: child.stdout }))
        seeds.push(JSON.parse(line) as Seed);
    }),
  );
  // A process that died on the way would otherwise look like a run in which nothing failed.
  if (seeds.length !== last - first + 1)
    throw new Error(`seeds ${first} to ${last}: only ${count(seeds.length)} came to an end`);
  return seeds;
}
