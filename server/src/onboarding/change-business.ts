import {
  listMembers,
  mailInvitation,
  insertInvitation,
  whilePersonIsActive,
} from '../access/index.ts';
import type { OperatorLogRecorder, Recorder } from '../audit/index.ts';
import { compareTaxpayer, eraseDevices, listBranches, stopLanes } from '../branches/index.ts';
import {
  eraseKey,
  findDirectoryEntry,
  getBusiness,
  setDirectoryStatus,
  updateBusinessRow,
  updateDirectoryEntry,
  type Business,
} from '../businesses/index.ts';
import { endEveryConnection, endIfUnused, findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import { json, query } from '../platform/db/query.ts';
import type { SendMail } from '../platform/mail.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts } from '../ports/accounts.ts';
import { takenError } from './register-by-operator.ts';

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  recordPlatform: OperatorLogRecorder;
  sendMail: SendMail;
  publicUrl: string;
  vault: Vault;
  accounts: Accounts;
};

export type BusinessChange = {
  business_name: string;
  email: string;
  location: string;
  tin_number: string;
  phone_number: string;
  vat_registered: boolean;
  version: number;
};

/**
 * What is unique among businesses stands in both schemas and changes in both at once, or in none.
 */
async function inBoth(
  ports: Ports,
  ctx: Context,
  action: string,
  inDirectory: (tx: Tx) => Promise<unknown>,
  inside: (tx: Tx) => Promise<unknown>,
  shown: object,
): Promise<void> {
  await ports.database
    .registration(async (tx, enter) => {
      if (!(await findDirectoryEntry(tx, ctx.businessId))) throw new AppError('not_found');
      await inDirectory(tx);
      const by = {
        type: ctx.actor.type,
        id: ctx.actor.id,
        origin: ctx.origin,
        requestId: ctx.requestId,
      };
      await ports.recordPlatform(tx, by, { action, subject: ctx.businessId, after: shown });
      await enter(ctx.businessId);
      await inside(tx);
    })
    .catch((error: unknown) => {
      throw takenError(error) ?? error;
    });
}

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
          throw new AppError('changed_meanwhile', { field: 'version' });
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
          throw new AppError('changed_meanwhile', { field: 'version' });
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

const allowed: Record<'active' | 'suspended' | 'closed', Business['status'][]> = {
  active: ['suspended', 'pending'],
  suspended: ['active', 'pending'],
  closed: ['active', 'pending', 'suspended'],
};
const verbs = {
  active: 'business.activated',
  suspended: 'business.deactivated',
  closed: 'business.closed',
} as const;

/**
 * Suspended: nothing new is done in its name, history stays. Closed: for good; its secrets are
 * erased with its data key.
 */
export const setBusinessStatus =
  (ports: Ports) =>
  async (
    ctx: Context,
    status: 'active' | 'suspended' | 'closed',
    reason: string | undefined,
  ): Promise<Business> => {
    const at = ports.clock.now();
    const grants =
      status === 'closed'
        ? await ctx.transaction(async (tx) =>
            [(await findConnection(tx))?.grantId, (await getBusiness(tx)).setup.grant].filter(
              (each) => each !== undefined,
            ),
          )
        : [];
    await inBoth(
      ports,
      ctx,
      verbs[status],
      (tx) => setDirectoryStatus(tx, ctx.businessId, status, at),
      async (tx) => {
        const before = await getBusiness(tx, true);
        if (!allowed[status].includes(before.status))
          throw new AppError('wrong_state', { state: before.status });
        await updateBusinessRow(tx, { ...before, status }, at);
        if (status === 'suspended') await stopLanes(tx);
        if (status === 'closed') {
          await query(tx, 'delete from session', []);
          await query(tx, 'update api_key set revoked_at = $1 where revoked_at is null', [at]);
          await endEveryConnection(tx, at);
          await eraseDevices(tx);
          await eraseKey(tx);
        }
        await ports.record(tx, ctx, {
          action: verbs[status],
          subject: ctx.businessId,
          before: { status: before.status },
          after: { status, reason },
        });
      },
      { status, reason },
    );
    // The last business that lived by a grant takes its secrets along.
    for (const grantId of new Set(grants)) await endIfUnused(ports, ctx, grantId);
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

/** Once the setup has proved every step, a pending business becomes active by itself. */
export const activateAfterSetup =
  (ports: Ports) =>
  async (ctx: Context): Promise<void> => {
    const at = ports.clock.now();
    await ports.database.platform((tx) => setDirectoryStatus(tx, ctx.businessId, 'active', at));
    await ctx.transaction(async (tx) => {
      const before = await getBusiness(tx, true);
      if (before.status !== 'pending') return;
      await updateBusinessRow(tx, { ...before, status: 'active' }, at);
      await ports.record(tx, ctx, {
        action: 'business.activated',
        subject: ctx.businessId,
        before: { status: 'pending' },
        after: { status: 'active' },
      });
    });
  };

const shown = (
  is: Pick<Business, 'name' | 'email' | 'location' | 'taxpayerId' | 'phone' | 'isVatRegistered'>,
) => ({
  business_name: is.name,
  email: is.email,
  location: is.location,
  tin_number: is.taxpayerId,
  phone_number: is.phone,
  vat_registered: is.isVatRegistered,
});
