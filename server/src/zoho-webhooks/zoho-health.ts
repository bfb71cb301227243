import type { StoredProblem } from '@muhuri/shared/problems';
import { findConnection, readCallHealth, readConnectionHealth } from '../connections/index.ts';
import type { Context } from '../context.ts';
import type { JobHealth } from '../job-health/index.ts';
import type { Clock } from '../platform/clock.ts';
import { queryOne } from '../platform/db/query.ts';

/** The connection of one business with Zoho, as its own record of calls tells. */
export const readZohoHealth =
  (ports: { clock: Clock; jobs: Pick<JobHealth, 'list'> }) => (ctx: Context) =>
    ctx.transaction(async (tx) => {
      const connection = await findConnection(tx);
      const calls = await readCallHealth(tx, new Date(ports.clock.now().getTime() - 86_400_000));
      const { quota, polled } = await readConnectionHealth(tx);
      const failing = await ports.jobs.list(tx);
      const waiting = await queryOne<{ documents: number; writes: number; failed: number }>(
        tx,
        `select (select count(*)::int from document where due_at is not null) as documents,
         count(*) filter (where state in ('waiting', 'begun'))::int as writes, count(*) filter (where state = 'failed')::int as failed from write_back`,
      );
      return {
        organizationId: connection?.organizationId ?? null,
        status: connection?.status ?? ('none' as const),
        calls,
        quota,
        polled: polled as Record<string, { at: string | null; problem: StoredProblem | null }>,
        waitingDocuments: waiting?.documents ?? 0,
        waitingWrites: waiting?.writes ?? 0,
        failedWrites: waiting?.failed ?? 0,
        failing,
      };
    });
