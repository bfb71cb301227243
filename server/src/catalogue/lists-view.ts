import { describeProblem } from '@muhuri/shared/problems';
import { findDeviceOfBranch } from '../branches/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { readLists } from './code-list.store.ts';
import { findListSync, type ListSync, listRateChanges } from './list-sync.store.ts';

/** How many lists one refresh asks for. */
const steps = 2;

/**
 * Reads the authority's rates as a branch's device knows them, when its lists were last fetched, and
 * what changed.
 */
export const readListsView = (ports: { clock: Clock }) => async (ctx: Context, branchId: string) =>
  ctx.transaction(async (tx) => {
    const device = await findDeviceOfBranch(tx, branchId);
    if (!device || device.state === 'new') throw new AppError('not_found');
    const sync = await findListSync(tx, device.id, ports.clock.now());
    const rates = (await readLists(tx, device.id)).tax_class ?? [];
    const changes = await listRateChanges(tx, device.id);
    return {
      ...(sync ? viewOfSync(sync, ctx.language) : never),
      rates: rates.map(({ code, name, data }) => ({
        tax_class: code,
        name,
        percent: data.percent ?? null,
      })),
      rate_changes: changes.map(({ taxClass, before, after, since }) => ({
        tax_class: taxClass,
        before,
        after,
        since: since.toISOString(),
      })),
    };
  });

const viewOfSync = (sync: ListSync, language: string) => ({
  is_running: sync.step !== null,
  step: sync.step ?? 0,
  steps,
  refreshed_at: sync.doneAt?.toISOString() ?? null,
  next_at: sync.nextAt.toISOString(),
  problem: sync.problem ? describeProblem(sync.problem, language) : null,
  changes: sync.changes,
});

/** The view of lists that were never fetched. */
const never = {
  is_running: false,
  step: 0,
  steps,
  refreshed_at: null,
  next_at: null,
  problem: null,
  changes: null,
};

export type ListsView = ReturnType<typeof readListsView>;
