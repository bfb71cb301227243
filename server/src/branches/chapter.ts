import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { CheckPrinted } from '../ports/paper.ts';
import { branchRoutes } from './branch.routes.ts';
import { addBranch, updateBranch } from './change-branch.ts';
import { listBranchViews } from './list-branches.ts';
import { printableBranches } from './check-printed-branch.ts';
import { setDevice, setNextDevice } from './set-device.ts';

type Needs = { record: Recorder; dialects: Dialects; paper: { checkPrinted: CheckPrinted } };

/** Opens the chapter that knows the branches of a business and the device of each. */
export function openBranches({ clock, newId, vault }: Runtime, needs: Needs) {
  const changing = { clock, newId, record: needs.record, dialects: needs.dialects };
  const listBranches = listBranchViews({ vault });
  return chapter({
    listBranches,
    setDevice: setDevice(changing),
    routes: branchRoutes({
      listBranches,
      ...printableBranches(
        { add: addBranch(changing), update: updateBranch(changing) },
        needs.paper.checkPrinted,
      ),
      setNextDevice: setNextDevice(changing),
    }),
  });
}
