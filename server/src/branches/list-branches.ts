import { describeProblem } from '@muhuri/shared/problems';
import type { Context } from '../context.ts';
import { type ListedDevice, listBranches } from './device.store.ts';

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
    original_paper: branch.originalPaper,
    production_since: branch.productionSince?.toISOString() ?? null,
    device: branch.device && viewOf(branch.device, ctx.language),
    next_device: branch.next && { ...viewOf(branch.next, ctx.language), ready: branch.next.sdcId !== null },
    retired_devices: branch.retired.map((device) => ({
      ...viewOf(device, ctx.language),
      retired_at: device.retiredAt?.toISOString() ?? null,
      burnt_numbers: device.burntNumbers,
    })),
  }));
}

const viewOf = (device: ListedDevice, language: string) => ({
  id: device.id,
  dialect: device.dialect,
  serial: device.serial,
  environment: device.environment,
  address: device.address,
  state: device.state,
  problem: device.problem && describeProblem(device.problem, language),
  difference: device.difference && describeProblem(device.difference, language),
  told: device.told && { name: device.told.name, vat_registered: device.told.isVatRegistered, at: device.told.at.toISOString() },
  sdc_id: device.sdcId,
  mrc_number: device.mrcNumber,
  next_invoice_number: device.nextInvoiceNumber,
  last_contact_at: device.lastContactAt?.toISOString() ?? null,
  queued: device.queued,
  in_doubt: device.inDoubt,
});
