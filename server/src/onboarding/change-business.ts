import {
  insertInvitation,
  listMembers,
  mailInvitation,
  whilePersonIsActive,
} from '../access/index.ts';
import { compareTaxpayer, listBranches } from '../branches/index.ts';
import {
  type Business,
  findDirectoryEntry,
  getBusiness,
  updateBusinessRow,
  updateDirectoryEntry,
} from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import { json, query } from '../platform/db/query.ts';
import { inBoth, type Ports, shown } from './in-both.ts';

export type BusinessChange = {
  business_name: string;
  email: string;
  location: string;
  tin_number: string;
  phone_number: string;
  vat_registered: boolean;
  version: number;
};

export const updateBusiness =
  (ports: Ports) =>
  async (ctx: Context, to: BusinessChange): Promise<Business> => {
    const at = ports.clock.now();
    const entry = {
      businessId: ctx.businessId,
      name: to.business_name,
      taxpayerId: to.tin_number,
      email: to.email,
    };
    await inBoth(
      ports,
      ctx,
      'business.changed',
      (tx) => updateDirectoryEntry(tx, entry, at),
      async (tx) => {
        const before = await getBusiness(tx, true);
        if (before.version !== to.version)
          throw new AppError('version_conflict', { field: 'version' });
        // A device is initialised for one taxpayer; what it signed cannot become another's.
        if (
          before.taxpayerId !== to.tin_number &&
          (await listBranches(tx)).some((each) => each.device && each.device.state !== 'new')
        )
          throw new AppError('device_in_use', { field: 'tin_number' });
        const after = {
          ...before,
          name: to.business_name,
          email: to.email,
          location: to.location,
          taxpayerId: to.tin_number,
          phone: to.phone_number,
          isVatRegistered: to.vat_registered,
        };
        await updateBusinessRow(tx, after, at);
        await compareTaxpayer(tx, after);
        await ports.record(tx, ctx, {
          action: 'business.changed',
          subject: ctx.businessId,
          before: shown(before),
          after: shown(after),
        });
      },
      { business_name: to.business_name, tin_number: to.tin_number, email: to.email },
    );
    return ctx.transaction((tx) => getBusiness(tx));
  };

/**
 * The business says of itself what its devices tell: the authority's word wins. Its own admins may,
 * because nothing else changes by it: the taxpayer's number stays.
 */
export const correctTaxpayer =
  (ports: Ports) =>
  async (
    ctx: Context,
    to: { business_name: string; vat_registered: boolean; version: number },
  ): Promise<Business> => {
    const at = ports.clock.now();
    const before = await ctx.transaction((tx) => getBusiness(tx));
    await inBoth(
      ports,
      ctx,
      'business.changed',
      (tx) =>
        updateDirectoryEntry(
          tx,
          {
            businessId: ctx.businessId,
            name: to.business_name,
            taxpayerId: before.taxpayerId,
            email: before.email,
          },
          at,
        ),
      async (tx) => {
        const locked = await getBusiness(tx, true);
        if (
          locked.version !== to.version ||
          locked.taxpayerId !== before.taxpayerId ||
          locked.email !== before.email
        )
          throw new AppError('version_conflict', { field: 'version' });
        const after = { ...locked, name: to.business_name, isVatRegistered: to.vat_registered };
        await updateBusinessRow(tx, after, at);
        await compareTaxpayer(tx, after);
        await ports.record(tx, ctx, {
          action: 'business.changed',
          subject: ctx.businessId,
          before: shown(locked),
          after: shown(after),
        });
      },
      { business_name: to.business_name, vat_registered: to.vat_registered },
    );
    return ctx.transaction((tx) => getBusiness(tx));
  };

/** What a business may ask for in a minute and a day; sealing is never held up by a day's quota. */
export const setQuotas =
  (ports: Ports) =>
  (
    ctx: Context,
    to: { requests_per_minute: number | null; requests_per_day: number | null },
  ): Promise<void> =>
    inBoth(
      ports,
      ctx,
      'business.quotas_set',
      async () => {},
      async (tx) => {
        const before = (await getBusiness(tx, true)).quotas;
        await query(tx, 'update business set quotas = $1', [json(to)]);
        await ports.record(tx, ctx, {
          action: 'business.quotas_set',
          subject: ctx.businessId,
          before,
          after: to,
        });
      },
      to,
    );

/**
 * For a business without an admin: one that has not taken up its first invitation, or whose first
 * admin never came. Where there is one, kept out or not, the operator invites nobody: by an
 * invitation to an address of their own they would have a session in the business.
 */
export const inviteAdmin =
  (ports: Ports) =>
  async (ctx: Context, email: string): Promise<{ email: string; expiresAt: Date }> => {
    if (!(await ports.database.platform((tx) => findDirectoryEntry(tx, ctx.businessId))))
      throw new AppError('not_found');
    const { entry, token, businessName } = await whilePersonIsActive(ctx, async (tx) => {
      if (
        (await listMembers(tx)).some(
          ({ status, role }) => status === 'active' && role === 'business_admin',
        )
      )
        throw new AppError('admin_decides');
      const made = await insertInvitation(tx, ctx, ports, {
        email,
        role: 'business_admin',
        permissions: [],
      });
      return { ...made, businessName: (await getBusiness(tx)).name };
    });
    await mailInvitation(ports, ctx, { id: entry.id, email, businessName, token });
    return { email, expiresAt: entry.expiresAt };
  };
