import type { Context } from '../context.ts';
import { type BusinessWorker, openBusinessTurns, openBusinessWorker } from './business-worker.ts';
import type { Clock } from './clock.ts';
import type { Database, Tx } from './db/database.ts';
import type { Log } from './log.ts';
import type { RunJob } from './run-job.ts';
import type { Signals, Topic } from './signals.ts';

/**
 * When a job has its turn while everything is drained: what is held in memory is written down
 * first, and what counts or chains the work of all others comes last.
 */
type DrainTurn = 'first' | 'work' | 'last';

/** Work of the platform's own. What it does for one business stands with that business. */
type PlatformJob = {
  /** Its name in the operator's health. */
  name: string;
  everyMs: number;
  run(): Promise<void>;
  /** Begun when the server starts, besides. */
  atStart?: boolean;
  drain?: DrainTurn;
};

/** Work by business: every business in a while, and at once those that a topic was raised for. */
export type Round = {
  /** The look at every business, by its name in the operator's health. */
  name: string;
  everyMs: number;
  /** The look at the businesses that were woken, by its own name in the operator's health. */
  woken?: { name: string; everyMs: number; by: Topic[] };
  /** Who acts, in what the work writes down. */
  actor: string;
  /** Several businesses at once, with what the log calls the work; else one after the other. */
  severalAs?: string;
  drain?: DrainTurn;
};

/**
 * What a chapter does for a business in a round. The steps of a round follow each other in the
 * order of their chapters.
 */
type Step = {
  round: Round;
  /** Its name in the health of the business. */
  name: string;
  forBusiness(ctx: Context): Promise<unknown>;
  /** Left out where the business was woken. */
  isOnlyWhenDue?: boolean;
  /** Unless it answers true, the rest of the round is left out for this business. */
  isGate?: boolean;
  /** Once nothing that it has begun runs on. */
  idle?(): Promise<void>;
};

/** Work that no request asked for. */
export type Job = PlatformJob | Step;

/** Rows kept for a time; deleted within the hour after it. */
export type Retention = {
  what: string;
  keepDays: number;
  scope: 'business' | 'reference';
  delete(tx: Tx, before: Date): Promise<unknown>;
};

export type Jobs = {
  /** Runs jobs of these names now, one after the other, and throws what they throw. */
  now(...names: string[]): Promise<void>;
  /** Does what is due, instead of in a moment. */
  drain(): Promise<void>;
  /** Begins nothing more. */
  stop(): void;
  /** Once no business is worked on any more. */
  idle(): Promise<void>;
};

type Ports = {
  jobs: Job[];
  retention: Retention[];
  signals: Signals;
  businessIds(): Promise<string[]>;
  contextFor(actor: string): (businessId: string) => Context;
  database: Database;
  clock: Clock;
  log: Log;
  health: { run: RunJob; runPlatform(job: string, work: () => Promise<unknown>): Promise<boolean> };
  /** Other times than declared, by the name in the operator's health. */
  everyMs: Record<string, number | undefined>;
};

type Timed = Pick<PlatformJob, 'name' | 'everyMs' | 'run' | 'atStart'>;
type Drained = { turn: DrainTurn | undefined; drain(): Promise<void> };

const dayMs = 86_400_000;

/** Starts everything that runs by itself: the one owner of timers. */
export function startJobs(ports: Ports): Jobs {
  const alone = ports.jobs.filter((job): job is PlatformJob => !('round' in job));
  const rounds = roundsOf(ports);
  const tidy: PlatformJob = { name: 'tidy', everyMs: 3_600_000, run: deleteExpired(ports) };
  const timed: Timed[] = [...alone, tidy, ...rounds.flatMap((round) => round.timed)];
  const drained: Drained[] = [
    ...alone.map((job) => ({ turn: job.drain, drain: () => job.run() })),
    ...rounds,
  ];

  const begin = ({ name, run }: Timed) => void ports.health.runPlatform(name, run);
  const timers = timed.map((job) =>
    setInterval(() => begin(job), ports.everyMs[job.name] ?? job.everyMs).unref(),
  );
  for (const job of timed) if (job.atStart) begin(job);

  return {
    async now(...names) {
      for (const name of names) await timed.find((job) => job.name === name)?.run();
    },
    async drain() {
      for (const turn of ['first', 'work', 'last'] as const)
        for (const each of drained) if (each.turn === turn) await each.drain();
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
    },
    async idle() {
      await Promise.all(rounds.map((round) => round.idle()));
    },
  };
}

type OpenRound = Drained & { timed: Timed[]; idle(): Promise<void> };

function roundsOf(ports: Ports): OpenRound[] {
  const steps = ports.jobs.filter((job): job is Step => 'round' in job);
  return [...new Set(steps.map(({ round }) => round))].map((round) =>
    openRound(
      ports,
      round,
      steps.filter((step) => step.round === round),
    ),
  );
}

function openRound(ports: Ports, round: Round, steps: Step[]): OpenRound {
  const worker = workerOf(ports, round, steps);
  const { woken } = round;
  for (const topic of woken?.by ?? []) ports.signals.on(topic, worker.touch);
  const idle = async () => {
    await worker.idle();
    for (const step of steps) await step.idle?.();
  };
  return {
    timed: [
      { name: round.name, everyMs: round.everyMs, run: worker.sweep },
      ...(woken ? [{ name: woken.name, everyMs: woken.everyMs, run: worker.run }] : []),
    ],
    turn: round.drain,
    // A business whose round is under way is only noted by a sweep: what is new is worked on in
    // the one after it.
    async drain() {
      await worker.idle();
      await worker.sweep();
      if (round.severalAs) await worker.run();
      await idle();
    },
    idle,
  };
}

function workerOf(ports: Ports, round: Round, steps: Step[]): BusinessWorker {
  const contextOf = ports.contextFor(round.actor);
  const work = async (businessId: string, isSweep: boolean): Promise<boolean> => {
    const ctx = contextOf(businessId);
    let isDone = true;
    for (const step of steps) {
      if (step.isOnlyWhenDue && !isSweep) continue;
      let answer: unknown;
      const isStepDone = await ports.health.run(businessId, step.name, async () => {
        answer = await step.forBusiness(ctx);
      });
      isDone &&= isStepDone;
      if (step.isGate && answer !== true) break;
    }
    return isDone;
  };
  const { businessIds, log } = ports;
  return round.severalAs
    ? openBusinessWorker({ work, businessIds, log, name: round.severalAs })
    : openBusinessTurns({ work, businessIds });
}

/** Deletes what was kept long enough: of each business in one transaction, then of the platform. */
function deleteExpired(ports: Ports): () => Promise<void> {
  const ofScope = (scope: Retention['scope']) =>
    ports.retention.filter((each) => each.scope === scope);
  const expired = async (tx: Tx, scope: Retention['scope'], now: Date): Promise<void> => {
    for (const each of ofScope(scope))
      await each.delete(tx, new Date(now.getTime() - each.keepDays * dayMs));
  };
  return async () => {
    const now = ports.clock.now();
    for (const businessId of await ports.businessIds())
      await ports.health.run(businessId, 'tidy', () =>
        ports.database.transaction(businessId, (tx) => expired(tx, 'business', now)),
      );
    await ports.database.platform((tx) => expired(tx, 'reference', now));
  };
}
