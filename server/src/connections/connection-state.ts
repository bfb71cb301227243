import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Database } from '../platform/db/database.ts';
import type { Accounts } from '../ports/accounts.ts';
import type { AccessTokens } from './access-token.ts';
import { findConnection } from './connection.store.ts';
import { findGrantOf } from './grant.store.ts';

export type ConnectionState = {
  organizationId: string | null;
  organizationName: string | null;
  dataCentre: string | null;
  status: 'none' | 'active' | 'needs_reconnecting';
  grantId: string | null;
  connectionId: string | null;
  /** The client it was granted to. */
  clientId: string | null;
};

/**
 * What the business is connected with, asked of Zoho itself; throws a `books_…` problem where it
 * does not answer.
 */
export const readConnectionState =
  (ports: { database: Database; accounts: Accounts; tokens: AccessTokens }) =>
  async (ctx: Context, withName: boolean): Promise<ConnectionState> => {
    const connection = await ctx.transaction(findConnection);
    if (!connection)
      return {
        organizationId: null,
        organizationName: null,
        dataCentre: null,
        status: 'none',
        grantId: null,
        connectionId: null,
        clientId: null,
      };
    const grant = await ports.database.platform((tx) => findGrantOf(tx, connection.grantId));
    const state: ConnectionState = {
      organizationId: connection.organizationId,
      organizationName: null,
      dataCentre: grant?.apiDomain ?? null,
      status: grant?.status === 'dead' ? 'needs_reconnecting' : connection.status,
      grantId: connection.grantId,
      connectionId: connection.id,
      clientId: grant?.clientId ?? null,
    };
    if (!withName) return state;
    const { token, apiDomain } = await ports.tokens.of(connection.grantId);
    const organizations = await ports.accounts.listOrganizations(apiDomain, token);
    const found = organizations.find((each) => each.organizationId === connection.organizationId);
    if (!found) throw new AppError('organization_unseen', { field: 'organization_id' });
    return { ...state, organizationName: found.name };
  };
