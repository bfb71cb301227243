import { oauth } from '@muhuri/shared/contract/index';
import { route } from '../platform/http/route.ts';
import { connectionView, type ConnectionViewPorts } from './connection-view.ts';
import type { ConsentView } from './consent/consent-ports.ts';
import type { consents } from './consent/consents.ts';

type Use = ConnectionViewPorts & {
  consents: ReturnType<typeof consents>;
};

export const oauthRoutes = (use: Use) => {
  const status = connectionView(use);
  return [
    route(oauth.connect)(async (call, { input }) => {
      const { url, scopes, redirectUri, expiresAt } = await use.consents.begin(
        call.ctx,
        call.session,
        input,
      );
      return {
        consent_url: url,
        scopes,
        redirect_uri: redirectUri,
        expires_at: expiresAt.toISOString(),
      };
    }),
    route(oauth.finishConsent)(async (call, { input }) =>
      view(await use.consents.finish(call.ctx, call.session, input)),
    ),
    route(oauth.readConsent)(async (call) =>
      view(await use.consents.read(call.ctx, call.session, call.params.id as string)),
    ),
    route(oauth.bindOrganization)(async (call, { input }) =>
      view(await use.consents.bind(call.ctx, call.session, call.params.id as string, input)),
    ),
    route(oauth.connectionStatus)(status),
  ];
};

const view = (consent: ConsentView) => ({
  id: consent.id,
  organizations: consent.organizations.map((each) => ({
    organization_id: each.organizationId,
    name: each.name,
    currency_code: each.currency,
    role: each.role,
    business_id: each.businessId,
  })),
  businesses: consent.businesses.map((each) => ({
    business_id: each.ctx.businessId,
    business_name: each.name,
    organization_id: each.organizationId,
  })),
});
