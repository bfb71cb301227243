import { LRUCache } from 'lru-cache';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { Alerts } from '../alerts/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import {
  addFailure,
  addPlatformFailure,
  endFailure,
  endPlatformFailure,
  type FailingJob,
  type FailingPlatformJob,
  listFailures,
  listPlatformFailures,
} from './job-health.store.ts';

export type { FailingPlatformJob };

export type JobHealth = {
  /**
   * Runs a job for one business. How it went is written down beside the
   * business's data: a failure with its reason, a success by taking that away again; the third
   * failure in a row raises an alert, which closes itself. Never throws: one business's failure is
   * nobody else's. Says whether it succeeded.
   */
  run(businessId: string, job: string, work: () => Promise<unknown>): Promise<boolean>;
  /**
   * The same for work that belongs to no business: it stands where the operator sees it, and the
   * third failure is told to their hook.
   */
  runPlatform(job: string, work: () => Promise<unknown>): Promise<boolean>;
  /** What fails just now for a business. */
  list(tx: Tx): Promise<FailingJob[]>;
  listPlatform(): Promise<FailingPlatformJob[]>;
  /**
   * Takes away what has not failed for a while: it does not run any more, or succeeded where nobody
   * knew that it had failed.
   */
  forgetOld(ctx: Context): Promise<void>;
};

type Ports = {
  database: Database;
  clock: Clock;
  log: Log;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  contextOf(businessId: string): Context;
  /** Tells the operator's hook, where there is one. */
  tell(about: { job: string; failures: number; reason: string }): Promise<void>;
};

const alertsAfter = 3;
const knownMax = 20_000;
const oldMs = 60 * 60_000;
const codes: StoredProblem['code'][] = ['job_failing', 'poll_failing'];

export function jobHealth(ports: Ports): JobHealth {
  const failing = knownFailures(ports);
  return {
    run: runForBusiness(ports, failing),
    runPlatform: runForPlatform(ports),
    list: listFailures,
    listPlatform: () => ports.database.platform(listPlatformFailures),
    async forgetOld(ctx) {
      const before = ports.clock.now().getTime() - oldMs;
      await ctx.transaction(async (tx) => {
        for (const { job, lastAt } of await listFailures(tx)) {
          if (lastAt.getTime() > before) continue;
          await endFailure(tx, job);
          await ports.alerts.resolve(tx, ctx, job, codes);
        }
      });
    },
  };
}

/** The jobs of businesses that fail, as this process knows them. */
type KnownFailures = {
  of(businessId: string): Promise<Set<string>>;
  add(businessId: string, job: string): void;
};

/**
 * Remembers what is known to fail, by business, so that a success costs nothing if nothing has
 * failed: read once per business and process. What another process has written since is found when
 * that job fails here, or is forgotten with its age.
 */
function knownFailures(ports: Ports): KnownFailures {
  const known = new LRUCache<string, Set<string>>({ max: knownMax });
  return {
    async of(businessId) {
      const have = known.get(businessId);
      if (have) return have;
      const found = new Set(
        (await ports.contextOf(businessId).transaction(listFailures)).map((each) => each.job),
      );
      known.set(businessId, found);
      return found;
    },
    add: (businessId, job) => void known.get(businessId)?.add(job),
  };
}

function runForBusiness(ports: Ports, failing: KnownFailures): JobHealth['run'] {
  return async (businessId, job, work) => {
    try {
      await work();
    } catch (error) {
      await quietly(
        ports.log,
        { business_id: businessId, job },
        recordFailure(ports, failing, { businessId, job }, error),
      );
      return false;
    }
    await quietly(
      ports.log,
      { business_id: businessId, job },
      recordSuccess(ports, failing, { businessId, job }),
    );
    return true;
  };
}

/** A job, and the business it runs for. */
type Running = { businessId: string; job: string };

async function recordFailure(
  ports: Ports,
  failing: KnownFailures,
  { businessId, job }: Running,
  error: unknown,
): Promise<void> {
  const isOurs = error instanceof AppError;
  ports.log[isOurs ? 'warn' : 'error'](
    { business_id: businessId, job, error: isOurs ? error.code : (error as Error).stack },
    'a job failed',
  );
  const ctx = ports.contextOf(businessId);
  const problem = problemOf(error);
  await ctx.transaction(async (tx) => {
    const failures = await addFailure(tx, businessId, job, problem, ports.clock.now());
    if (failures < alertsAfter) return;
    const code = job.startsWith('poll.') ? 'poll_failing' : 'job_failing';
    await ports.alerts.raise(tx, ctx, job, { code, job, failures, because: problem.code });
  });
  failing.add(businessId, job);
}

async function recordSuccess(
  ports: Ports,
  failing: KnownFailures,
  { businessId, job }: Running,
): Promise<void> {
  const jobs = await failing.of(businessId);
  if (!jobs.has(job)) return;
  const ctx = ports.contextOf(businessId);
  await ctx.transaction(async (tx) => {
    await endFailure(tx, job);
    await ports.alerts.resolve(tx, ctx, job, codes);
  });
  jobs.delete(job);
}

function runForPlatform(ports: Ports): JobHealth['runPlatform'] {
  /** The jobs that succeeded in this process since they failed last. */
  const succeeded = new Set<string>();
  return async (job, work) => {
    try {
      await work();
    } catch (error) {
      ports.log.error({ job, error: (error as Error).stack ?? String(error) }, 'a job failed');
      const reason = reasonOf(error);
      const recorded = ports.database
        .platform((tx) => addPlatformFailure(tx, job, reason, ports.clock.now()))
        .then(async (failures) => {
          succeeded.delete(job);
          if (failures === alertsAfter) await ports.tell({ job, failures, reason });
        });
      await quietly(ports.log, { job }, recorded);
      return false;
    }
    // The first success in each process takes away what one before it may have left.
    if (!succeeded.has(job)) {
      const ended = ports.database
        .platform((tx) => endPlatformFailure(tx, job))
        .then(() => void succeeded.add(job));
      await quietly(ports.log, { job }, ended);
    }
    return true;
  };
}

/** That a failure, or its end, cannot be written down must not become a failure of its own. */
const quietly = (log: Log, about: object, work: Promise<void>): Promise<void> =>
  work.catch((error: Error) =>
    log.error({ ...about, error: error.stack }, 'how a job went could not be written down'),
  );

/**
 * Why, in words that hold no secret: a problem of ours is one; of anything else only the kind, and
 * the log has the rest.
 */
function problemOf(error: unknown): StoredProblem {
  if (!(error instanceof AppError)) return { code: 'internal', kind: reasonOf(error) };
  const { findings: _findings, ...problem } = error.problem;
  return problem;
}

/** The name and code of an error; never its sentence, which may quote what it was about. */
function reasonOf(error: unknown): string {
  if (error instanceof AppError) return error.code;
  const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown };
  return (
    [name, code]
      .filter((each) => typeof each === 'string' && /^[\w.]{1,60}$/.test(each))
      .join(' ') || 'Error'
  );
}
