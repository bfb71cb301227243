import { nameActors } from '../access/index.ts';
import {
  type AuditCheck,
  type AuditEntry,
  type AuditFilter,
  listEntries,
  type Recorder,
  verifyAuditLog,
} from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Context } from '../context.ts';
import { type oneAtATime, sharedWhileRunning } from '../platform/one-at-a-time.ts';
import type { Runtime } from '../platform/runtime.ts';
import { activityRoutes } from './activity.routes.ts';

type Needs = {
  record: Recorder;
  /** The place of the one export that a business may have under way. */
  worklist: { oneExport: ReturnType<typeof oneAtATime> };
  onboarding: { readBusinessTrail(ctx: Context, filter: AuditFilter): Promise<AuditEntry[]> };
};

/** Opens the chapter that shows who did what, with the names of those who did it. */
export function openActivity({ database }: Runtime, needs: Needs) {
  const { record, worklist, onboarding } = needs;
  const named = nameActors({ database });
  const oneVerification = sharedWhileRunning<AuditCheck>();
  return chapter({
    routes: activityRoutes({
      listTrail: async (ctx, filter) =>
        named(await ctx.transaction((tx) => listEntries(tx, 'audit', filter))),
      verifyAuditLog: (ctx, isWhole) =>
        oneVerification(`${ctx.businessId} ${isWhole}`, () => verifyAuditLog(ctx, isWhole)),
      oneExport: worklist.oneExport,
      exported: (ctx) =>
        ctx.transaction((tx) =>
          record(tx, ctx, { action: 'trail.exported', subject: ctx.businessId }),
        ),
      listBusinessTrail: async (ctx, filter) =>
        named(await onboarding.readBusinessTrail(ctx, filter)),
      listPlatformTrail: async (filter) =>
        named(await database.platform((tx) => listEntries(tx, 'reference.platform_audit', filter))),
    }),
  });
}
