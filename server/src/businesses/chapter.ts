import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { CheckPrinted } from '../ports/paper.ts';
import { listActiveBusinessIds } from './directory.store.ts';
import { readLogo, recheckLogos } from './own-logo.ts';
import { printableBranding } from './check-printed-branding.ts';
import { ownBranding } from './settings.ts';

/** Opens the chapter that knows the businesses, and what each has set. */
export function openBusinesses(
  runtime: Runtime,
  needs: { record: Recorder; alerts: Alerts; paper: { checkPrinted: CheckPrinted } },
) {
  const { database, clock, log } = runtime;
  const read = readLogo(runtime.boundedWorker);
  const activeIds = () => database.platform(listActiveBusinessIds);
  const recheck = recheckLogos({
    contextOf: runtime.contextFor('logos'),
    read,
    record: needs.record,
    alerts: needs.alerts,
    clock,
    log,
  });
  return chapter({
    activeIds,
    readLogo: read,
    ownBranding: printableBranding(ownBranding({ readLogo: read }), needs.paper.checkPrinted),
    begin: async () => recheck(await activeIds()),
  });
}
