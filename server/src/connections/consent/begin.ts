import { randomBytes } from 'node:crypto';
import { holdDataKey } from '../../businesses/index.ts';
import type { Context, Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { findConnection } from '../connection.store.ts';
import { findGrantOf } from '../grant.store.ts';
import type { ZohoClientId } from '../sign-in-client.ts';
import { type ConsentPorts, fieldOf } from './consent-ports.ts';
import { insertConsent } from './consent.store.ts';
import { type Ability, scopesFor } from './scopes.model.ts';
import { sha256 } from '../../platform/digest.ts';

export type ConsentInput = {
  data_centre: string;
  abilities: Ability[];
  client_id?: string | undefined;
  client_secret?: string | undefined;
};
export type BegunConsent = {
  url: string;
  scopes: string[];
  redirectUri: string;
  expiresAt: Date;
};

/** A consent before it is sent to Zoho. `secret` is its state, `verifier` PKCE's. */
type NewConsent = {
  id: string;
  accountsServer: string;
  client: ZohoClientId;
  scopes: string[];
  secret: string;
  verifier: string;
  expiresAt: Date;
};

const validMs = 10 * 60_000;

/** Begins a consent and returns the address at Zoho where a person gives it. */
export const beginConsent =
  (ports: ConsentPorts) =>
  async (ctx: Context, session: Session, ask: ConsentInput): Promise<BegunConsent> => {
    const { accountsServer, client } = chooseClient(ports, ask);
    const [secret, verifier] = [
      randomBytes(24).toString('base64url'),
      randomBytes(48).toString('base64url'),
    ];
    const id = ports.newId('consent');
    const at = ports.clock.now();
    const expiresAt = new Date(at.getTime() + validMs);
    const scopes = scopesFor(ask.abilities, await readScopes(ports, ctx));
    const consent = { id, accountsServer, client, scopes, secret, verifier, expiresAt };
    await keep(ports, ctx, session, consent, at);
    const { redirectUri } = ports;
    const url = ports.accounts.consentUrl({
      accountsServer,
      clientId: client.clientId,
      redirectUri,
      scopes,
      state: `${ctx.businessId}.${secret}`,
      verifier,
    });
    return { url, scopes, redirectUri, expiresAt };
  };

/** Chooses the client to consent to: the business's own, if it names one, or the platform's. */
function chooseClient(
  ports: ConsentPorts,
  ask: ConsentInput,
): { accountsServer: string; client: ZohoClientId } {
  const centre = ports.accounts.dataCentre(ask.data_centre);
  if (!centre)
    throw new AppError('malformed', { field: 'data_centre', reason: 'not one of Zoho’s' });
  const own =
    ask.client_id && ask.client_secret
      ? { clientId: ask.client_id, clientSecret: ask.client_secret }
      : null;
  if (!own && (ask.client_id || ask.client_secret))
    throw new AppError('malformed', {
      field: ask.client_id ? 'client_secret' : 'client_id',
      reason: 'a client of your own is its id and its secret',
    });
  const client = own ?? ports.platformClient(centre.accounts);
  if (!client) throw new AppError('zoho_client_missing', { field: 'client_id' });
  return { accountsServer: centre.accounts, client };
}

/** Reads the scopes of the grant that the business lives by; empty if it has none. */
async function readScopes(ports: ConsentPorts, ctx: Context): Promise<string> {
  const present = await ctx.transaction(findConnection);
  const held = present && (await ports.database.platform((tx) => findGrantOf(tx, present.grantId)));
  return held?.scopes ?? '';
}

const keep = (
  ports: ConsentPorts,
  ctx: Context,
  session: Session,
  { id, accountsServer, client, scopes, secret, verifier, expiresAt }: NewConsent,
  at: Date,
): Promise<void> =>
  ctx.transaction(async (tx) => {
    const dataKey = await holdDataKey(tx);
    const encrypt = (field: 'client_secret' | 'verifier', text: string) =>
      ports.vault.encrypt(dataKey, ctx.businessId, fieldOf(id, field), text);
    await insertConsent(
      tx,
      ctx.businessId,
      {
        id,
        secretHash: sha256(secret),
        personId: session.person.id,
        sessionId: session.id,
        accountsServer,
        clientId: client.clientId,
        clientSecret: encrypt('client_secret', client.clientSecret),
        verifier: encrypt('verifier', verifier),
        scopes: scopes.join(' '),
        expiresAt,
      },
      at,
    );
    await ports.record(tx, ctx, {
      action: 'consent.asked',
      subject: id,
      after: { accounts_server: accountsServer, client_id: client.clientId, scopes },
    });
  });
