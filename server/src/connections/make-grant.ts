import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts } from '../ports/accounts.ts';
import { insertGrant, keepAccessToken } from './grant.store.ts';

export type GrantPorts = {
  database: Database;
  vault: Vault;
  accounts: Accounts;
  clock: Clock;
  newId: NewId;
  record: Recorder;
};

type Ask = {
  accountsServer: string;
  /** The API host of that data centre, until the answer names one that is known. */
  apiDomain: string;
  clientId: string;
  clientSecret: string;
  code: string;
  redirectUri?: string;
  verifier?: string;
};

/**
 * Exchanges a code for tokens and keeps them as a grant with a data key of its own. A code works
 * once: whatever fails later, the grant is kept.
 */
export async function makeGrant(
  ports: GrantPorts,
  ctx: Context,
  { apiDomain: usualApi, ...ask }: Ask,
): Promise<string> {
  const outcome = await ports.accounts.exchange(ask);
  if (outcome.is === 'refused') throw new AppError('zoho_code_refused', { field: outcome.field });
  if (outcome.is === 'failed') throw new AppError('books_unavailable', {}, outcome.reason);
  const grantId = ports.newId('grant');
  const dataKey = ports.vault.newDataKey(grantId);
  const seal = (field: string, secret: string) =>
    ports.vault.encrypt(dataKey, grantId, field, secret);
  const now = ports.clock.now();
  const apiDomain =
    outcome.apiDomain && ports.accounts.isKnownApiDomain(outcome.apiDomain)
      ? outcome.apiDomain
      : usualApi;
  await ports.database.platform(async (tx) => {
    await insertGrant(
      tx,
      {
        id: grantId,
        accountsServer: ask.accountsServer,
        apiDomain,
        clientId: ask.clientId,
        dataKey,
        clientSecret: seal('client_secret', ask.clientSecret),
        refreshToken: seal('refresh_token', outcome.refreshToken),
        grantedBy: ctx.actor.type === 'person' ? ctx.actor.id : null,
        scopes: outcome.scopes,
      },
      now,
    );
    await keepAccessToken(
      tx,
      grantId,
      seal('access_token', outcome.accessToken),
      new Date(now.getTime() + outcome.expiresInSeconds * 1000),
      apiDomain,
    );
  });
  await ctx.transaction((tx) =>
    ports.record(tx, ctx, {
      action: 'grant.made',
      subject: grantId,
      after: {
        accounts_server: ask.accountsServer,
        client_id: ask.clientId,
        scopes: outcome.scopes,
      },
    }),
  );
  return grantId;
}
