import { describeProblem } from '@muhuri/shared/problems';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Vault } from '../platform/vault.ts';
import { type ListedDevice, listBranches } from './branch.store.ts';
import { readAside, type ShownAside } from './superseded-device-keys.ts';

export type ListBranchViews = (ctx: Context) => Promise<BranchView[]>;
export type BranchView = Awaited<ReturnType<typeof viewsOf>>[number];

/** The branches with their devices, as an admin sees them. */
export const listBranchViews =
  (ports: { vault: Vault }): ListBranchViews =>
  (ctx) =>
    viewsOf(ports, ctx);

/** One of them, for an answer about it. */
export const findBranchView =
  (list: ListBranchViews) =>
  async (ctx: Context, id: string): Promise<BranchView> => {
    const found = (await list(ctx)).find((branch) => branch.id === id);
    if (!found) throw new AppError('not_found');
    return found;
  };

async function viewsOf(ports: { vault: Vault }, ctx: Context) {
  const { branches, aside } = await ctx.transaction(async (tx) => ({
    branches: await listBranches(tx),
    aside: await readAside(ports, tx, ctx),
  }));
  const viewOf = (device: ListedDevice) =>
    viewOfDevice(device, aside.get(device.id) ?? [], ctx.language);
  return branches.map((branch) => ({
    id: branch.id,
    branch_code: branch.code,
    name: branch.name,
    address: branch.address,
    original_paper: branch.originalPaper,
    production_since: branch.productionSince?.toISOString() ?? null,
    device: branch.device && viewOf(branch.device),
    next_device: branch.next && { ...viewOf(branch.next), ready: branch.next.sdcId !== null },
    retired_devices: branch.retired.map((device) => ({
      ...viewOf(device),
      retired_at: device.retiredAt?.toISOString() ?? null,
    })),
  }));
}

const viewOfDevice = (device: ListedDevice, aside: ShownAside[], language: string) => ({
  id: device.id,
  dialect: device.dialect,
  serial: device.serial,
  environment: device.environment,
  address: device.address,
  state: device.state,
  problem: device.problem && describeProblem(device.problem, language),
  difference: device.difference && describeProblem(device.difference, language),
  told: device.told && {
    name: device.told.name,
    vat_registered: device.told.isVatRegistered,
    at: device.told.at.toISOString(),
  },
  sdc_id: device.sdcId,
  mrc_number: device.mrcNumber,
  next_invoice_number: device.nextInvoiceNumber,
  last_contact_at: device.lastContactAt?.toISOString() ?? null,
  queued: device.queued,
  in_doubt: device.inDoubt,
  burnt_numbers: device.burntNumbers,
  keys_aside: aside,
});
