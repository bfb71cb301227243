import { setUpBusiness } from './business-step.ts';
import { setUpDevice } from './device-step.ts';
import { viewSetup } from './read-steps.ts';
import { rehearse } from './rehearsal-step.ts';
import type { SetupPorts } from './setup-ports.ts';
import { setUpZoho } from './zoho-step.ts';

/**
 * Four steps from a registered business to its first rehearsal. Nothing is remembered as done that
 * can be asked: each time the device and Zoho are tried again, so that a step turns red when its
 * thing breaks.
 */
export const setup = (ports: SetupPorts) => ({
  status: viewSetup(ports),
  business: setUpBusiness(ports),
  vsdc: setUpDevice(ports),
  zoho: setUpZoho(ports),
  rehearse: rehearse(ports),
});

export type Setup = ReturnType<typeof setup>;
