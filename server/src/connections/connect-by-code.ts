import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { SeenOrganization } from '../ports/accounts.ts';
import type { AccessTokens } from './access-token.ts';
import { bindOrganization, type CountUnsettled, endIfUnused } from './bind-organization.ts';
import { type GrantPorts, makeGrant } from './make-grant.ts';

type Ports = GrantPorts & { tokens: AccessTokens; countUnsettled: CountUnsettled };

export type ConnectByCodeInput = {
  data_centre?: string | undefined;
  client_id?: string | undefined;
  client_secret?: string | undefined;
  code?: string | undefined;
  organization_id?: string | undefined;
  leave_open?: number | undefined;
};

/**
 * Connects a business with a code its admin made in Zoho's API console (self client): the code
 * becomes a grant of its own, the grant shows what it can see, and one of those organizations
 * becomes the business's. A code works once, so the grant is kept before anything else; a second
 * call without a code chooses among what it sees.
 */
export const connectByCode =
  (ports: Ports) =>
  async (
    ctx: Context,
    ask: ConnectByCodeInput,
    keptGrantId: string | null,
    keep: (grantId: string) => Promise<void>,
  ): Promise<{ grantId: string; organizations: SeenOrganization[] }> => {
    const grantId = ask.code
      ? await exchange(ports, ctx, ask as ConnectByCodeInput & { code: string })
      : keptGrantId;
    if (!grantId)
      throw new AppError('malformed', { field: 'code', reason: 'a code is needed first' });
    if (grantId !== keptGrantId) {
      await keep(grantId);
      if (keptGrantId) await endIfUnused(ports, ctx, keptGrantId);
    }
    const { token, apiDomain } = await ports.tokens.of(grantId);
    const organizations = await ports.accounts.listOrganizations(apiDomain, token);
    const chosen =
      ask.organization_id ??
      (organizations.length === 1 ? organizations[0]?.organizationId : undefined);
    if (chosen)
      await bindOrganization(ports, ctx, {
        grantId,
        organizations,
        chosen,
        leaveOpen: ask.leave_open,
      });
    return { grantId, organizations };
  };

function exchange(
  ports: Ports,
  ctx: Context,
  ask: ConnectByCodeInput & { code: string },
): Promise<string> {
  const centre = ports.accounts.dataCentre(ask.data_centre ?? 'com');
  if (!centre)
    throw new AppError('malformed', { field: 'data_centre', reason: 'not one of Zoho’s' });
  if (!ask.client_id)
    throw new AppError('malformed', {
      field: 'client_id',
      reason: 'the client of the API console is needed with its code',
    });
  if (!ask.client_secret)
    throw new AppError('malformed', {
      field: 'client_secret',
      reason: 'the client of the API console is needed with its code',
    });
  return makeGrant(ports, ctx, {
    accountsServer: centre.accounts,
    apiDomain: centre.api,
    clientId: ask.client_id,
    clientSecret: ask.client_secret,
    code: ask.code,
  });
}
