import { compareTaxpayer, listBranches } from '../branches/index.ts';
import {
  type Business,
  getBusiness,
  updateBusinessRow,
  updateDirectoryEntry,
} from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Tx } from '../platform/db/database.ts';
import { changeInBoth, type ManagePorts, shown } from './update-business-and-directory.ts';

type BusinessChange = {
  business_name: string;
  email: string;
  location: string;
  tin_number: string;
  phone_number: string;
  vat_registered: boolean;
  version: number;
};

/** Updates what the operator keeps of a business. */
export const updateBusiness =
  (ports: ManagePorts) =>
  async (ctx: Context, change: BusinessChange): Promise<Business> => {
    const at = ports.clock.now();
    const { business_name, tin_number, email } = change;
    const entry = {
      businessId: ctx.businessId,
      name: business_name,
      taxpayerId: tin_number,
      email,
    };
    await changeInBoth(ports, ctx, {
      action: 'business.changed',
      after: { business_name, tin_number, email },
      inDirectory: (tx) => updateDirectoryEntry(tx, entry, at),
      async inBusiness(tx) {
        const before = await getBusiness(tx, true);
        await mustBeChangeable(tx, before, change);
        await save(ports, tx, ctx, { before, after: { ...before, ...valuesOf(change) }, at });
      },
    });
    return ctx.transaction((tx) => getBusiness(tx));
  };

/**
 * Refuses a change that another one came before, and another taxpayer of a device in use: a device
 * is initialised for one taxpayer, and what it signed cannot become another's.
 */
async function mustBeChangeable(tx: Tx, before: Business, change: BusinessChange): Promise<void> {
  if (before.version !== change.version)
    throw new AppError('version_conflict', { field: 'version' });
  if (
    before.taxpayerId !== change.tin_number &&
    (await listBranches(tx)).some((each) => each.device && each.device.state !== 'new')
  )
    throw new AppError('device_in_use', { field: 'tin_number' });
}

const valuesOf = (change: BusinessChange) => ({
  name: change.business_name,
  email: change.email,
  location: change.location,
  taxpayerId: change.tin_number,
  phone: change.phone_number,
  isVatRegistered: change.vat_registered,
});

/**
 * Corrects what the business says of itself to what its devices say: the authority's word wins. Its
 * own admins may do so, because nothing else changes by it; the taxpayer's number stays.
 */
export const correctTaxpayer =
  (ports: ManagePorts) =>
  async (
    ctx: Context,
    change: { business_name: string; vat_registered: boolean; version: number },
  ): Promise<Business> => {
    const at = ports.clock.now();
    const { business_name, vat_registered, version } = change;
    const { taxpayerId, email } = await ctx.transaction((tx) => getBusiness(tx));
    const entry = { businessId: ctx.businessId, name: business_name, taxpayerId, email };
    await changeInBoth(ports, ctx, {
      action: 'business.changed',
      after: { business_name, vat_registered },
      inDirectory: (tx) => updateDirectoryEntry(tx, entry, at),
      async inBusiness(tx) {
        const before = await getBusiness(tx, true);
        if (
          before.version !== version ||
          before.taxpayerId !== taxpayerId ||
          before.email !== email
        )
          throw new AppError('version_conflict', { field: 'version' });
        const after = { ...before, name: business_name, isVatRegistered: vat_registered };
        await save(ports, tx, ctx, { before, after, at });
      },
    });
    return ctx.transaction((tx) => getBusiness(tx));
  };

async function save(
  ports: ManagePorts,
  tx: Tx,
  ctx: Context,
  { before, after, at }: { before: Business; after: Business; at: Date },
): Promise<void> {
  await updateBusinessRow(tx, after, at);
  await compareTaxpayer(tx, after);
  await ports.record(tx, ctx, {
    action: 'business.changed',
    subject: ctx.businessId,
    before: shown(before),
    after: shown(after),
  });
}
