import { listBranches } from '../branches/index.ts';
import type { Context } from '../context.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import { type ProbeView, probeView } from './probe-view.ts';
import type { TestDevice } from './test-device.ts';

/** Shows what the device of each branch last answered when it was tried. */
export const readProbes =
  (dialects: Dialects) =>
  async (ctx: Context): Promise<Record<string, ProbeView | null>> => {
    const view = probeView(dialects);
    return Object.fromEntries(
      (await ctx.transaction((tx) => listBranches(tx))).map(({ id, device }) => [
        id,
        device?.probe ? view(ctx, { ...device.probe, dialect: device.dialect }) : null,
      ]),
    );
  };

/** Tries the device of a branch now, and shows what it answered. */
export const testAndView =
  (dialects: Dialects, testDevice: TestDevice) =>
  async (ctx: Context, branchId: string | null): Promise<ProbeView> =>
    probeView(dialects)(ctx, await testDevice(ctx, branchId));
