import { checkGoLive } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { viewSetup } from './read-steps.ts';
import { saveProgress } from './save-progress.ts';
import type { SetupPorts } from './setup-ports.ts';

type BusinessInput = {
  location: string;
  phone_number: string;
  vat_registered: boolean;
  go_live_date: string;
};

/** Saves what the business says of itself. */
export const setUpBusiness = (ports: SetupPorts) => async (ctx: Context, input: BusinessInput) => {
  await ctx.transaction((tx) => checkGoLive(tx, input.go_live_date));
  await saveProgress(ports, ctx, 'setup.business', (before) => ({
    location: input.location,
    phone: input.phone_number,
    isVatRegistered: input.vat_registered,
    goLiveDate: input.go_live_date,
    setup: { ...before.setup, business: ports.clock.now().toISOString() },
  }));
  return viewSetup(ports)(ctx);
};
