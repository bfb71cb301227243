import type { Context } from '../context.ts';
import type { Database } from '../platform/db/database.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts } from '../ports/accounts.ts';
import { findConnection } from './connection.store.ts';
import { isConsentGrant } from './consent/consent.store.ts';
import { lockGrant } from './grant.store.ts';

/** A client registered at Zoho's API console. */
export type ZohoClientId = { clientId: string; clientSecret: string };

type Ports = {
  database: Database;
  vault: Vault;
  accounts: Accounts;
  platformClient(accountsServer: string): ZohoClientId | null;
};

/**
 * Finds the client that people of a business sign in through, at the data centre of its
 * organization: the platform's, else the business's own if a consent came back by it, since a self
 * client can send no browser back. Without a business it is the platform's, at Zoho's usual place.
 */
export const signInClient =
  (ports: Ports) =>
  async (ctx: Context | null): Promise<(ZohoClientId & { accountsServer: string }) | null> => {
    if (!ctx) {
      const accountsServer = ports.accounts.dataCentre('com')?.accounts ?? '';
      const client = ports.platformClient(accountsServer);
      return client && { ...client, accountsServer };
    }
    const { connection, isConsent } = await ctx.transaction(async (tx) => {
      const found = await findConnection(tx);
      return {
        connection: found,
        isConsent: found !== null && (await isConsentGrant(tx, found.grantId)),
      };
    });
    const grant =
      connection && (await ports.database.platform((tx) => lockGrant(tx, connection.grantId)));
    if (!grant || grant.status === 'dead' || grant.dataKey === '') return null;
    const { accountsServer, clientId } = grant;
    const platforms = ports.platformClient(accountsServer);
    if (platforms) return { ...platforms, accountsServer };
    return isConsent
      ? {
          clientId,
          clientSecret: ports.vault.decrypt(
            grant.dataKey,
            grant.id,
            'client_secret',
            grant.clientSecret,
          ),
          accountsServer,
        }
      : null;
  };
