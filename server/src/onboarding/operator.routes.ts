import { businesses } from '@muhuri/shared/contract/index';
import type { Business } from '../businesses/index.ts';
import { type Call, route } from '../platform/http/route.ts';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import { toBusinessView } from './business-view.ts';
import { supportView } from './support-view.ts';
import type { Ctx, Listed, OperatorPorts } from './route-ports.ts';

/** Businesses as the operator registers and sees them, and the support given to them. */
export const operatorRoutes = (use: OperatorPorts) => {
  const view = async (ctx: Ctx) => {
    const { business, organizationId } = await use.get(ctx);
    return toBusinessView(business, organizationId);
  };
  const after = async (call: Call, work: Promise<Business>) => {
    await work;
    return view(call.onBusiness);
  };
  return [
    route(businesses.registerBusiness)(async (call, { input }) => {
      const { business, expiresAt, isMailed } = await use.register(call, input);
      return {
        business: toBusinessView(business, null),
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
    route(businesses.platformTotals)(async () => totalsView(await use.totals())),
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

const totalsView = (totals: Awaited<ReturnType<OperatorPorts['totals']>>) => ({
  businesses: totals.businesses,
  ...(totals.sums as Sums),
  zoho: totals.zoho,
  zoho_looked_at: totals.lookedAt?.toISOString() ?? null,
  attempts_today: totals.attemptsToday,
  updated_at: totals.updatedAt?.toISOString() ?? null,
});

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
