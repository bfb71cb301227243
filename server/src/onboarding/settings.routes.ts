import { businesses } from '@muhuri/shared/contract/index';
import type { Business } from '../businesses/index.ts';
import { FileResponse, route } from '../platform/http/route.ts';
import { toBusinessView } from './business-view.ts';
import { supportView } from './support-view.ts';
import type { Ctx, SettingsPorts } from './route-ports.ts';

/**
 * A business as it sees and sets itself. `me` stands before `{id}`, so that it is never taken for
 * one.
 */
export const settingsRoutes = (use: SettingsPorts) => {
  const view = async (ctx: Ctx) => {
    const { business, organizationId } = await use.get(ctx);
    return toBusinessView(business, organizationId);
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
  ];
};

const configView = (business: Business) => {
  const { verification_base: _base, ...settings } = business.settings;
  return {
    settings,
    branding: business.branding,
    go_live_date: business.goLiveDate,
    location: business.location,
    phone_number: business.phone,
    version: business.version,
  };
};
