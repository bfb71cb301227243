import type { StoredProblem } from '@muhuri/shared/problems';
import type { Tx } from '../platform/db/database.ts';
import { fromJson, json, query, queryOne, toDate } from '../platform/db/query.ts';

/**
 * Work of a business that failed each time since a moment; gone once it succeeds. `problem`: why it
 * failed last.
 */
export type FailingJob = {
  job: string;
  since: Date;
  lastAt: Date;
  failures: number;
  problem: StoredProblem;
};
/** The same of the platform itself; its reason is for the operator. */
export type FailingPlatformJob = {
  job: string;
  since: Date;
  lastAt: Date;
  failures: number;
  reason: string;
};

/** One failure more; answers how many there were in a row. */
export async function addFailure(
  tx: Tx,
  businessId: string,
  job: string,
  problem: StoredProblem,
  at: Date,
): Promise<number> {
  const row = await queryOne<{ failures: number }>(
    tx,
    `insert into failing_job (business_id, job, since, last_at, failures, problem) values ($1, $2, $3, $3, 1, $4)
     on conflict (business_id, job) do update set last_at = excluded.last_at, failures = failing_job.failures + 1, problem = excluded.problem
     returning failures`,
    [businessId, job, at, json(problem)],
  );
  return row?.failures ?? 1;
}

export const endFailure = (tx: Tx, job: string) =>
  query(tx, 'delete from failing_job where job = $1', [job]);

export const listFailures = async (tx: Tx): Promise<FailingJob[]> =>
  (
    await query(
      tx,
      'select job, since, last_at, failures, problem from failing_job order by since, job',
    )
  ).map((row) => ({
    job: row.job as string,
    since: toDate(row.since),
    lastAt: toDate(row.last_at),
    failures: row.failures as number,
    problem: fromJson(row.problem),
  }));

export async function addPlatformFailure(
  tx: Tx,
  job: string,
  reason: string,
  at: Date,
): Promise<number> {
  const row = await queryOne<{ failures: number }>(
    tx,
    `insert into reference.failing_job as f (job, since, last_at, failures, reason) values ($1, $2, $2, 1, $3)
     on conflict (job) do update set last_at = excluded.last_at, failures = f.failures + 1, reason = excluded.reason returning failures`,
    [job, at, reason],
  );
  return row?.failures ?? 1;
}

export const endPlatformFailure = (tx: Tx, job: string) =>
  query(tx, 'delete from reference.failing_job where job = $1', [job]);

export const listPlatformFailures = async (tx: Tx): Promise<FailingPlatformJob[]> =>
  (
    await query(
      tx,
      'select job, since, last_at, failures, reason from reference.failing_job order by since, job',
    )
  ).map((row) => ({
    job: row.job as string,
    since: toDate(row.since),
    lastAt: toDate(row.last_at),
    failures: row.failures as number,
    reason: row.reason as string,
  }));
