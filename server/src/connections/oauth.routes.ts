import { oauth } from '@muhuri/shared/contract/index';
import type { Maker } from '../access/index.ts';
import { route, type Call } from '../platform/http/route.ts';
import type { ConsentView } from './consent/consent-ports.ts';
import type { consents } from './consent/consents.ts';
import type { ConnectionStatus } from './disconnect.ts';

type Use = {
  consents: ReturnType<typeof consents>;
  status(ctx: Call['ctx'], session: Call['session'], id: string): Promise<ConnectionStatus>;
  disconnect(ctx: Call['ctx'], id: string): Promise<void>;
  madeBy(ctx: Call['ctx'], ids: string[]): Promise<Map<string, Maker>>;
  /** The platform's own clients; any other is a business's. */
  isPlatformClient(clientId: string): boolean;
};

export const oauthRoutes = (use: Use) => {
  const status = async (call: Call) => {
    const connection = await use.status(call.ctx, call.session, call.params.id as string);
    return {
      connection_id: connection.id,
      organization_id: connection.organizationId,
      status: connection.status,
      connected_at: connection.connectedAt.toISOString(),
      made_by: (await use.madeBy(call.ctx, [connection.id])).get(connection.id) ?? null,
      ended_at: connection.endedAt?.toISOString() ?? null,
      api_domain: connection.apiDomain,
      scopes: connection.scopes,
      is_own_consent: connection.isOwnConsent,
      consent_id: connection.consentId,
      has_own_client: connection.clientId !== null && !use.isPlatformClient(connection.clientId),
    };
  };
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
    route(oauth.disconnect)(async (call) => {
      await use.disconnect(call.ctx, call.params.id as string);
      return status(call);
    }),
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
