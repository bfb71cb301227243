import { describeProblem } from '@muhuri/shared/problems';
import { type Device, findDeviceOfBranch, listBranches } from '../../branches/index.ts';
import { type Business, getBusiness } from '../../businesses/index.ts';
import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { SetupPorts } from './setup-ports.ts';
import {
  businessStep,
  deviceStep,
  missingBefore,
  nextOf,
  openStep,
  rehearsalStep,
  type Step,
  type StepName,
  type Steps,
} from './step.model.ts';

type Progress = { business: Business; device: Device | null; steps: Steps };

/** Asks the device and Zoho how the setup stands now. */
async function readSteps(ports: SetupPorts, ctx: Context): Promise<Progress> {
  const { business, device } = await ctx.transaction(async (tx) => {
    const head = (await listBranches(tx))[0];
    return {
      business: await getBusiness(tx),
      device: head?.device ? await findDeviceOfBranch(tx, head.id) : null,
    };
  });
  const [vsdc, zoho] = await Promise.all([
    device ? testStep(ports, ctx, device) : openStep(),
    connectionStep(ports, ctx),
  ]);
  // Read after the device was asked, because what it says of its taxpayer came with its answer.
  const difference = await ctx.transaction(
    async (tx) =>
      (await listBranches(tx)).find((branch) => branch.device?.difference)?.device?.difference ??
      null,
  );
  const { setup } = business;
  return {
    business,
    device,
    steps: {
      business: businessStep(setup.business, difference),
      vsdc,
      zoho,
      rehearsal: rehearsalStep(setup.rehearsal),
    },
  };
}

const testStep = async (ports: SetupPorts, ctx: Context, device: Device): Promise<Step> =>
  deviceStep(device, await ports.testDevice(ctx, device.branchId));

async function connectionStep(ports: SetupPorts, ctx: Context): Promise<Step> {
  const checkedAt = ports.clock.now().toISOString();
  try {
    const { status } = await ports.readZohoState(ctx, true);
    return status === 'none' ? openStep() : { state: 'done', problem: null, checkedAt };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { state: 'broken', problem: error.problem, checkedAt };
  }
}

/** Shows how the setup stands, in the words of the context. */
export const viewSetup = (ports: SetupPorts) => async (ctx: Context) => {
  const { business, device, steps } = await readSteps(ports, ctx);
  const shown = (step: Step) => ({
    state: step.state,
    problem: step.problem && describeProblem(step.problem, ctx.language),
    checked_at: step.checkedAt,
  });
  return {
    steps: {
      business: shown(steps.business),
      vsdc: shown(steps.vsdc),
      zoho: shown(steps.zoho),
      rehearsal: shown(steps.rehearsal),
    },
    next: nextOf(steps),
    environment: device?.environment ?? null,
    rehearsal: business.setup.rehearsal?.entries ?? [],
  };
};

/** Refuses a step unless those before it are done, as they are now and not as they once were. */
export async function requireStepsBefore(
  ports: SetupPorts,
  ctx: Context,
  name: StepName,
): Promise<Pick<Progress, 'business' | 'device'>> {
  const { business, device, steps } = await readSteps(ports, ctx);
  const missing = missingBefore(steps, name);
  if (missing)
    throw new AppError('setup_order', {
      field: missing,
      ...(steps[missing].problem ? { because: steps[missing].problem?.code } : {}),
    });
  return { business, device };
}
