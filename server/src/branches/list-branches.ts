import { describeProblem } from '@muhuri/shared/problems';
import type { Context } from '../context.ts';
import { listBranches } from './device.store.ts';

export type ListBranchViews = (ctx: Context) => Promise<BranchView[]>;
export type BranchView = Awaited<ReturnType<typeof viewsOf>>[number];

/** The branches with their devices, as an admin sees them. */
export const listBranchViews: ListBranchViews = (ctx) => viewsOf(ctx);

async function viewsOf(ctx: Context) {
  const branches = await ctx.transaction((tx) => listBranches(tx));
  return branches.map((branch) => ({
    id: branch.id,
    branch_code: branch.code,
    name: branch.name,
    address: branch.address,
    device: branch.device && {
      id: branch.device.id,
      dialect: branch.device.dialect,
      serial: branch.device.serial,
      environment: branch.device.environment,
      address: branch.device.address,
      state: branch.device.state,
      problem: branch.device.problem && describeProblem(branch.device.problem, ctx.language),
      sdc_id: branch.device.sdcId,
      mrc_number: branch.device.mrcNumber,
      next_invoice_number: branch.device.nextInvoiceNumber,
      last_contact_at: branch.device.lastContactAt?.toISOString() ?? null,
      queued: branch.device.queued,
      in_doubt: branch.device.inDoubt,
    },
  }));
}
