import { businesses } from '@muhuri/shared/contract/index';
import type { ConnectionState } from '../connections/index.ts';
import { AppError } from '../platform/app-error.ts';
import { route } from '../platform/http/route.ts';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import type { Receipt } from '../receipts/index.ts';
import type { OverviewPorts } from './route-ports.ts';

/** What a business sees and sets of itself: device, Zoho, numbers, receipts, and its setup. */
export const overviewRoutes = (use: OverviewPorts) => {
  const page = (found: Receipt[], limit: number, language: string) => {
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    return {
      receipts: shown.map((each) => use.view(each, language)),
      next_cursor: found.length > limit && last ? cursorOf(last.openedAt, last.id) : null,
    };
  };
  return [
    route(businesses.updateVsdcConfig)(async (call, { input }) => {
      const id = await use.setDevice(call.ctx, input);
      const found = (await use.listBranches(call.ctx)).find((each) => each.id === id);
      if (!found) throw new AppError('not_found');
      return found;
    }),
    route(businesses.testVsdc)((call, { input }) =>
      use.testDevice(call.ctx, input.branch_id ?? null),
    ),
    route(businesses.vsdcStatus)(async (call) => {
      const probes = await use.probes(call.ctx);
      return {
        devices: (await use.listBranches(call.ctx)).map((branch) => ({
          branch,
          probe: probes[branch.id] ?? null,
        })),
        next_cursor: null,
      };
    }),
    route(businesses.getZohoConfig)(async (call) =>
      zohoView(use, await use.readZohoState(call.ctx), await use.listHooks(call.ctx)),
    ),
    route(businesses.getStats)((call, { query }) => use.getStats(call.ctx, query.days)),
    route(businesses.recentInvoices)(async (call, { query: { limit, cursor, ...filter } }) =>
      page(
        await use.listReceipts(call.ctx, {
          ...filter,
          limit: limit + 1,
          after: readCursor(cursor),
        }),
        limit,
        call.language,
      ),
    ),
    route(businesses.getUsage)((call) => use.usage(call.ctx)),
    route(businesses.setupStatus)((call) => use.setup.status(call.ctx)),
    route(businesses.setupBusiness)((call, { input }) => use.setup.business(call.ctx, input)),
    route(businesses.setupVsdc)((call, { input }) => use.setup.vsdc(call.ctx, input)),
    route(businesses.setupZoho)(async (call, { input }) => {
      const { setup, organizations } = await use.setup.zoho(call.ctx, input);
      return {
        setup,
        organizations: organizations.map((each) => ({
          organization_id: each.organizationId,
          name: each.name,
          currency_code: each.currency,
        })),
      };
    }),
    route(businesses.rehearse)((call, { input }) =>
      use.setup.rehearse(call.ctx, input.document_id),
    ),
    route(businesses.supportDocuments)(async (call, { query: { limit, cursor } }) =>
      page(
        await use.supportReceipts(call.onBusiness, { limit: limit + 1, after: readCursor(cursor) }),
        limit,
        call.language,
      ),
    ),
  ];
};

/** Shows the connection with Zoho, and the addresses that Zoho calls. */
const zohoView = (
  use: Pick<OverviewPorts, 'listDataCentres' | 'isPlatformClient' | 'publicUrl'>,
  state: ConnectionState,
  hooks: Awaited<ReturnType<OverviewPorts['listHooks']>>,
) => ({
  organization_id: state.organizationId,
  organization_name: state.organizationName,
  data_centre: state.dataCentre,
  status: state.status,
  grant_id: state.grantId,
  connection_id: state.connectionId,
  data_centres: use.listDataCentres(),
  has_own_client: state.clientId !== null && !use.isPlatformClient(state.clientId),
  webhooks: hooks.map((each) => ({
    id: each.id,
    module: each.module,
    url: `${use.publicUrl}/api/v1/webhooks/zoho/…${each.keyPrefix}…`,
    prefix: each.keyPrefix,
  })),
});
