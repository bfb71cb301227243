import { businesses, type InputOf } from '@muhuri/shared/contract/index';
import { route, type Call, FileResponse } from '../platform/http/route.ts';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import type { Branding, Business } from './business.model.ts';
import type { SettingsChange, OwnBranding } from './settings.ts';
import type { BusinessTotals, DirectoryEntry, PlatformTotals } from './directory.model.ts';

type Ctx = Call['ctx'];
type Page = { limit: number; after: { at: string; id: string } | null };
type Listed = DirectoryEntry & { totals: BusinessTotals | null };
type Support = {
  id: string;
  operatorName: string;
  reason: string;
  begunAt: Date;
  until: Date;
  endedAt?: Date | null | undefined;
};
type Attempt = {
  id: string;
  at: Date;
  businessId: string;
  actorId: string;
  route: string;
  asked: string;
  origin: string | null;
};

type Use = {
  register(
    call: Call,
    ask: InputOf<typeof businesses.registerBusiness>,
  ): Promise<{ business: Business; expiresAt: Date; isMailed: boolean }>;
  list(
    call: Call,
    page: Page & { search: string | null; status: string | null },
  ): Promise<Listed[]>;
  get(ctx: Ctx): Promise<{ business: Business; organizationId: string | null }>;
  update(ctx: Ctx, to: InputOf<typeof businesses.updateBusiness>): Promise<Business>;
  setStatus(
    ctx: Ctx,
    status: 'active' | 'suspended' | 'closed',
    reason: string | undefined,
  ): Promise<Business>;
  setQuotas(
    ctx: Ctx,
    to: { requests_per_minute: number | null; requests_per_day: number | null },
  ): Promise<void>;
  inviteAdmin(ctx: Ctx, email: string): Promise<{ email: string; expiresAt: Date }>;
  correctTaxpayer(ctx: Ctx, to: InputOf<typeof businesses.correctTaxpayer>): Promise<Business>;
  getSettings(ctx: Ctx): Promise<Business>;
  updateSettings(ctx: Ctx, to: SettingsChange, withFactor: () => void): Promise<Business>;
  /** Throws unless the second factor was given in this session a short while ago. */
  withFactor(session: Call['session']): void;
  ownBranding: OwnBranding;
  drawTraining(
    ctx: Ctx,
    branding: Partial<Branding>,
    paper: 'a4' | 'a5' | '80mm' | '58mm',
  ): Promise<Buffer>;
  beginSupport(ctx: Ctx, ask: { reason: string; minutes: number }): Promise<Support>;
  endSupport(ctx: Ctx): Promise<Support>;
  listSupport(ctx: Ctx): Promise<Support[]>;
  totals(): Promise<PlatformTotals & { attemptsToday: number }>;
  listAttempts(page: Page): Promise<Attempt[]>;
};

/**
 * Businesses as the operator registers them, and as each sees itself. `me` stands before `{id}`, so
 * that it is never taken for one.
 */
export const businessRoutes = (use: Use) => {
  const view = async (ctx: Ctx) => {
    const { business, organizationId } = await use.get(ctx);
    return toView(business, organizationId);
  };
  const after = async (call: Call, work: Promise<Business>) => {
    await work;
    return view(call.onBusiness);
  };
  return [
    route(businesses.getOwnBusiness)((call) => view(call.ctx)),
    route(businesses.correctTaxpayer)(async (call, { input }) => {
      await use.correctTaxpayer(call.ctx, input);
      return view(call.ctx);
    }),
    route(businesses.getConfig)(async (call) => configView(await use.getSettings(call.ctx))),
    route(businesses.updateConfig)(async (call, { input }) =>
      configView(await use.updateSettings(call.ctx, input, () => use.withFactor(call.session))),
    ),
    route(businesses.previewBranding)(async (call, { input }) => {
      const branding = await use.ownBranding(call.ctx, input.branding);
      return new FileResponse(
        await use.drawTraining(call.ctx, branding, input.paper),
        'application/pdf',
        'preview.pdf',
      );
    }),
    route(businesses.listSupport)(async (call) => ({
      support_access: (await use.listSupport(call.ctx)).map(supportView),
      next_cursor: null,
    })),
    route(businesses.registerBusiness)(async (call, { input }) => {
      const { business, expiresAt, isMailed } = await use.register(call, input);
      return {
        business: toView(business, null),
        invitation: {
          email: input.admin_email,
          expires_at: expiresAt.toISOString(),
          is_mailed: isMailed,
        },
      };
    }),
    route(businesses.listBusinesses)(async (call, { query: { limit, cursor, search, status } }) => {
      const found = await use.list(call, {
        limit: limit + 1,
        after: readCursor(cursor),
        search: search || null,
        status: status ?? null,
      });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        businesses: shown.map(listedView),
        next_cursor:
          found.length > limit && last ? cursorOf(last.createdAt, last.businessId) : null,
      };
    }),
    route(businesses.getBusiness)((call) => view(call.onBusiness)),
    route(businesses.updateBusiness)((call, { input }) =>
      after(call, use.update(call.onBusiness, input)),
    ),
    route(businesses.deactivateBusiness)((call, { input }) =>
      after(call, use.setStatus(call.onBusiness, 'suspended', input?.reason)),
    ),
    route(businesses.activateBusiness)((call, { input }) =>
      after(call, use.setStatus(call.onBusiness, 'active', input?.reason)),
    ),
    route(businesses.closeBusiness)((call, { input }) =>
      after(call, use.setStatus(call.onBusiness, 'closed', input?.reason)),
    ),
    route(businesses.setQuotas)(async (call, { input }) => {
      await use.setQuotas(call.onBusiness, input);
      return input;
    }),
    route(businesses.inviteAdmin)(async (call, { input }) => {
      const { email, expiresAt } = await use.inviteAdmin(call.onBusiness, input.email);
      return { email, expires_at: expiresAt.toISOString() };
    }),
    route(businesses.beginSupport)(async (call, { input }) =>
      supportView(await use.beginSupport(call.onBusiness, input)),
    ),
    route(businesses.endSupport)(async (call) =>
      supportView(await use.endSupport(call.onBusiness)),
    ),
    route(businesses.platformTotals)(async () => {
      const {
        businesses: byStatus,
        sums,
        zoho,
        lookedAt,
        updatedAt,
        attemptsToday,
      } = await use.totals();
      const rest = { zoho, zoho_looked_at: lookedAt?.toISOString() ?? null };
      return {
        businesses: byStatus,
        ...(sums as Sums),
        ...rest,
        attempts_today: attemptsToday,
        updated_at: updatedAt?.toISOString() ?? null,
      };
    }),
    route(businesses.listAttempts)(async (_call, { query: { limit, cursor } }) => {
      const found = await use.listAttempts({ limit: limit + 1, after: readCursor(cursor) });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        attempts: shown.map(({ at, businessId, actorId, id, route, asked, origin }) => ({
          id,
          at: at.toISOString(),
          business_id: businessId,
          actor: actorId,
          route,
          asked,
          origin,
        })),
        next_cursor: found.length > limit && last ? cursorOf(last.at, last.id) : null,
      };
    }),
  ];
};

type Sums = {
  signed: number;
  signed_today: number;
  queued: number;
  in_doubt: number;
  alerts: number;
  people: number;
};

const toView = (is: Business, organizationId: string | null) => ({
  id: is.id,
  business_name: is.name,
  email: is.email,
  location: is.location,
  tin_number: is.taxpayerId,
  phone_number: is.phone,
  country: is.country,
  vat_registered: is.isVatRegistered,
  status: is.status,
  organization_id: organizationId,
  go_live_date: is.goLiveDate,
  version: is.version,
  created_at: is.createdAt.toISOString(),
  updated_at: is.updatedAt.toISOString(),
});

const configView = (is: Business) => {
  const { verification_base: _base, ...settings } = is.settings;
  return {
    settings,
    branding: is.branding,
    go_live_date: is.goLiveDate,
    location: is.location,
    phone_number: is.phone,
    version: is.version,
  };
};

const listedView = ({
  businessId,
  name,
  taxpayerId,
  email,
  organizationId,
  status,
  createdAt,
  totals,
}: Listed) => ({
  id: businessId,
  business_name: name,
  tin_number: taxpayerId,
  email,
  organization_id: organizationId,
  status,
  created_at: createdAt.toISOString(),
  totals: totals && {
    signed: totals.signed,
    signed_today: totals.signedToday,
    refused: totals.refused,
    queued: totals.queued,
    in_doubt: totals.inDoubt,
    oldest_unsigned_at: totals.oldestUnsignedAt?.toISOString() ?? null,
    last_contact_at: totals.lastContactAt?.toISOString() ?? null,
    devices: totals.devices,
    devices_paused: totals.devicesPaused,
    people: totals.people,
    requests_today: totals.requestsToday,
    alerts: totals.alerts,
    zoho: {
      status: totals.zoho.status,
      calls: totals.zoho.calls,
      failed: totals.zoho.failed,
      looked_at: totals.zoho.lookedAt?.toISOString() ?? null,
    },
    updated_at: totals.updatedAt.toISOString(),
  },
});

const supportView = (is: Support) => ({
  id: is.id,
  operator_name: is.operatorName,
  reason: is.reason,
  begun_at: is.begunAt.toISOString(),
  until: is.until.toISOString(),
  ended_at: is.endedAt?.toISOString() ?? null,
});
