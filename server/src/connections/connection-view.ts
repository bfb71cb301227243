import type { Maker } from '../access/index.ts';
import type { Call } from '../platform/http/route.ts';
import type { ConnectionStatus } from './disconnect.ts';

export type ConnectionViewPorts = {
  status(ctx: Call['ctx'], session: Call['session'], id: string): Promise<ConnectionStatus>;
  madeBy(ctx: Call['ctx'], ids: string[]): Promise<Map<string, Maker>>;
  /** The platform's own clients; any other is a business's. */
  isPlatformClient(clientId: string): boolean;
};

/** Shows the connection that the path of a call names. */
export const connectionView = (use: ConnectionViewPorts) => async (call: Call) => {
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
