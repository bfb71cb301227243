import { describeProblem } from '@muhuri/shared/problems';
import { findDeviceOfBranch } from '../branches/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { readLists } from './code-list.store.ts';
import { findListSync, listRateChanges } from './list-sync.store.ts';

/** How many lists one refresh asks for. */
const steps = 2;

/**
 * The authority's rates as a branch's device knows them, when its lists were last had, and what
 * changed.
 */
export const readListsView = (ports: { clock: Clock }) => async (ctx: Context, branchId: string) =>
  ctx.transaction(async (tx) => {
    const device = await findDeviceOfBranch(tx, branchId);
    if (!device || device.state === 'new') throw new AppError('not_found');
    const sync = await findListSync(tx, device.id, ports.clock.now());
    const rates = (await readLists(tx, device.id)).tax_class ?? [];
    return {
      is_running: sync?.step !== null && sync?.step !== undefined,
      step: sync?.step ?? 0,
      steps,
      refreshed_at: sync?.doneAt?.toISOString() ?? null,
      next_at: sync?.nextAt.toISOString() ?? null,
      problem: sync?.problem ? describeProblem(sync.problem, ctx.language) : null,
      changes: sync?.changes ?? null,
      rates: rates.map(({ code, name, data }) => ({
        tax_class: code,
        name,
        percent: data.percent ?? null,
      })),
      rate_changes: (await listRateChanges(tx, device.id)).map(
        ({ taxClass, before, after, since }) => ({
          tax_class: taxClass,
          before,
          after,
          since: since.toISOString(),
        }),
      ),
    };
  });

export type ListsView = ReturnType<typeof readListsView>;
