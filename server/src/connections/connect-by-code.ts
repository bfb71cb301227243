import type { Recorder } from '../audit/index.ts';
import { setOrganization } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts, SeenOrganization } from '../ports/accounts.ts';
import type { AccessTokens } from './access-token.ts';
import { endConnection, findConnection, insertConnection } from './connection.store.ts';
import { eraseGrant, findGrantOf, insertGrant, keepAccessToken, servesElsewhere } from './grant.store.ts';

type Ports = { database: Database; vault: Vault; accounts: Accounts; tokens: AccessTokens; clock: Clock; newId: NewId; record: Recorder };

export type CodeAsk = {
  data_centre?: string | undefined;
  client_id?: string | undefined;
  client_secret?: string | undefined;
  code?: string | undefined;
  organization_id?: string | undefined;
};

/**
 * Connects a business with a code its admin made in Zoho's API console (self client): the code becomes a grant of its own, the grant
 * shows what it can see, and one of those organizations becomes the business's. A code works once, so the grant is kept before anything
 * else; a second call without a code chooses among what it sees.
 */
export const connectByCode =
  (ports: Ports) =>
  async (
    ctx: Context,
    ask: CodeAsk,
    keptGrantId: string | null,
    keep: (grantId: string) => Promise<void>,
  ): Promise<{ grantId: string; organizations: SeenOrganization[] }> => {
    const grantId = ask.code ? await exchange(ports, ctx, ask as CodeAsk & { code: string }) : keptGrantId;
    if (!grantId) throw new AppError('malformed', { field: 'code', reason: 'a code is needed first' });
    if (grantId !== keptGrantId) {
      await keep(grantId);
      if (keptGrantId) await eraseIfUnused(ports, ctx, keptGrantId);
    }
    const { token, apiDomain } = await ports.tokens.of(grantId);
    const organizations = await ports.accounts.listOrganizations(apiDomain, token);
    const chosen = ask.organization_id ?? (organizations.length === 1 ? organizations[0]?.organizationId : undefined);
    if (chosen) {
      if (!organizations.some((each) => each.organizationId === chosen)) throw new AppError('organization_unseen', { field: 'organization_id' });
      await connect(ports, ctx, grantId, chosen);
    }
    return { grantId, organizations };
  };

async function exchange(ports: Ports, ctx: Context, ask: CodeAsk & { code: string }): Promise<string> {
  const centre = ports.accounts.dataCentre(ask.data_centre ?? 'com');
  if (!centre) throw new AppError('malformed', { field: 'data_centre', reason: 'not one of Zoho’s' });
  if (!ask.client_id) throw new AppError('malformed', { field: 'client_id', reason: 'the client of the API console is needed with its code' });
  if (!ask.client_secret) throw new AppError('malformed', { field: 'client_secret', reason: 'the client of the API console is needed with its code' });
  const outcome = await ports.accounts.exchange({
    accountsServer: centre.accounts,
    clientId: ask.client_id,
    clientSecret: ask.client_secret,
    code: ask.code,
  });
  if (outcome.is === 'refused') throw new AppError('zoho_code_refused', { field: outcome.field });
  if (outcome.is === 'failed') throw new AppError('zoho_unavailable', {}, outcome.reason);
  const grantId = ports.newId('grant');
  const dataKey = ports.vault.newDataKey(grantId);
  const seal = (field: string, secret: string) => ports.vault.seal(dataKey, grantId, field, secret);
  const now = ports.clock.now();
  const apiDomain = outcome.apiDomain && ports.accounts.isKnownApiDomain(outcome.apiDomain) ? outcome.apiDomain : centre.api;
  await ports.database.platform(async (tx) => {
    await insertGrant(
      tx,
      {
        id: grantId,
        accountsServer: centre.accounts,
        apiDomain,
        clientId: ask.client_id as string,
        dataKey,
        clientSecret: seal('client_secret', ask.client_secret as string),
        refreshToken: seal('refresh_token', outcome.refreshToken),
      },
      now,
    );
    await keepAccessToken(tx, grantId, seal('access_token', outcome.accessToken), new Date(now.getTime() + outcome.expiresInSeconds * 1000), apiDomain);
  });
  await ctx.transaction((tx) =>
    ports.record(tx, ctx, { action: 'grant.made', subject: grantId, after: { accounts_server: centre.accounts, client_id: ask.client_id } }),
  );
  return grantId;
}

async function connect(ports: Ports, ctx: Context, grantId: string, organizationId: string): Promise<void> {
  const present = await ctx.transaction(findConnection);
  if (present?.organizationId === organizationId && present.grantId === grantId) return;
  const at = ports.clock.now();
  // First what is unique among businesses: two that ask for the same organization at once cannot both go on.
  await ports.database
    .platform((tx) => setOrganization(tx, ctx.businessId, organizationId, at))
    .catch((error: unknown) => {
      if ((error as { code?: string }).code === '23505') throw new AppError('business_taken', { field: 'organization_id' });
      throw error;
    });
  await ctx.transaction(async (tx) => {
    if (present) await endConnection(tx, present.id, at);
    const id = ports.newId('connection');
    await insertConnection(tx, ctx.businessId, { id, grantId, organizationId }, at);
    await ports.record(tx, ctx, {
      action: 'connection.made',
      subject: id,
      before: present && { organization_id: present.organizationId, grant_id: present.grantId },
      after: { organization_id: organizationId, grant_id: grantId },
    });
  });
  if (present && present.grantId !== grantId) await eraseIfUnused(ports, ctx, present.grantId);
}

/** A grant nobody lives by any more holds no secret any more. */
export async function eraseIfUnused(ports: Pick<Ports, 'database'>, ctx: Context, grantId: string): Promise<void> {
  const connection = await ctx.transaction(findConnection);
  if (connection?.grantId === grantId) return;
  await ports.database.platform(async (tx) => {
    if (!(await servesElsewhere(tx, grantId, ctx.businessId))) await eraseGrant(tx, grantId);
  });
}

export type ZohoState = {
  organizationId: string | null;
  organizationName: string | null;
  dataCentre: string | null;
  status: 'none' | 'active' | 'needs_reconnecting';
  grantId: string | null;
};

/** What the business is connected with, asked of Zoho itself; throws a `zoho_…` problem where it does not answer. */
export const readZohoState =
  (ports: Pick<Ports, 'database' | 'accounts' | 'tokens'>) =>
  async (ctx: Context, withName: boolean): Promise<ZohoState> => {
    const connection = await ctx.transaction(findConnection);
    if (!connection) return { organizationId: null, organizationName: null, dataCentre: null, status: 'none', grantId: null };
    const grant = await ports.database.platform((tx) => findGrantOf(tx, connection.grantId));
    const state: ZohoState = {
      organizationId: connection.organizationId,
      organizationName: null,
      dataCentre: grant?.apiDomain ?? null,
      status: grant?.status === 'dead' ? 'needs_reconnecting' : connection.status,
      grantId: connection.grantId,
    };
    if (!withName) return state;
    const { token, apiDomain } = await ports.tokens.of(connection.grantId);
    const organizations = await ports.accounts.listOrganizations(apiDomain, token);
    const found = organizations.find((each) => each.organizationId === connection.organizationId);
    if (!found) throw new AppError('organization_unseen', { field: 'organization_id' });
    return { ...state, organizationName: found.name };
  };
