import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { ListBranchViews } from '../branches/index.ts';
import { chapter } from '../chapter.ts';
import type { Context } from '../context.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import { adoptDevice } from './adopt-device.ts';
import { deviceRoutes } from './device.routes.ts';
import { initialiseDevice } from './initialise-device.ts';
import { pauseLane } from './pause-lane.ts';
import { readProbes, testAndView } from './probes.ts';
import { testDevice } from './test-device.ts';

type Needs = {
  record: Recorder;
  alerts: Alerts;
  dialects: Dialects;
  vsdc: Vsdc;
  branches: { listBranches: ListBranchViews };
  catalogue: { syncLists(ctx: Context, deviceId: string): Promise<void> };
  /** The longest wait between two tries to write down what a device has said. */
  timing: { recordMaxMs: number };
};

/** Opens the chapter that sets devices up and tries them. */
export function openDevices(runtime: Runtime, needs: Needs) {
  const { vault, clock, wait, log } = runtime;
  const { record, alerts, dialects, vsdc, timing } = needs;
  const { listBranches } = needs.branches;
  const { syncLists } = needs.catalogue;
  const asking = new Set<string>();
  const test = testDevice({ vsdc, dialects, clock });
  const initialise = initialiseDevice({
    vsdc,
    asking,
    dialects,
    vault,
    clock,
    record,
    alerts,
    wait,
    log,
    afterActive: syncLists,
    recordMaxMs: timing.recordMaxMs,
    ending: runtime.ending.signal,
  });
  const adopt = adoptDevice({ record, clock, asking, afterActive: syncLists });
  return chapter({
    initialise,
    adopt,
    test,
    testAndView: testAndView(dialects, test),
    readProbes: readProbes(dialects),
    routes: deviceRoutes({
      listBranches,
      initialiseDevice: initialise,
      adoptDevice: adopt,
      pauseLane: pauseLane({ record }),
    }),
  });
}
