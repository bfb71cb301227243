import { findDeviceOfBranch } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import { requireStepsBefore, viewSetup } from './read-steps.ts';
import type { AdoptInput, DeviceInput, SetupPorts } from './setup-ports.ts';

/** Sets the device of the head office, and initialises or adopts it if it is new. */
export const setUpDevice =
  (ports: SetupPorts) =>
  async (ctx: Context, ask: DeviceInput & { adopt?: AdoptInput | undefined }) => {
    await requireStepsBefore(ports, ctx, 'vsdc');
    const { adopt, ...device } = ask;
    const branchId = await ports.setDevice(ctx, device);
    const isNew = await ctx.transaction(
      async (tx) => (await findDeviceOfBranch(tx, branchId))?.state === 'new',
    );
    if (isNew && adopt) await ports.adoptDevice(ctx, branchId, adopt);
    else if (isNew) await initialiseIfThere(ports, ctx, branchId);
    return viewSetup(ports)(ctx);
  };

/**
 * Initialises a device that answers. Whatever is wrong with its address is shown in the step
 * instead.
 */
async function initialiseIfThere(ports: SetupPorts, ctx: Context, branchId: string): Promise<void> {
  const { result } = await ports.testDevice(ctx, branchId);
  if (result === 'fine' || result === 'not_initialised')
    await ports.initialiseDevice(ctx, branchId);
}
