import { createHash, randomBytes } from 'node:crypto';
import { holdDataKey } from '../businesses/index.ts';
import type { Context, Session } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { SeenOrganization } from '../ports/accounts.ts';
import type { AccessTokens } from './access-token.ts';
import { bindOrganization, type CountUnsettled } from './bind-organization.ts';
import {
  type Consent,
  findConsent,
  insertConsent,
  keepConsentGrant,
  consumeConsent,
} from './consent.store.ts';
import { findConnection } from './connection.store.ts';
import { findGrantOf } from './grant.store.ts';
import { type GrantPorts, makeGrant } from './make-grant.ts';

/** A client registered at Zoho's API console. */
export type ZohoClientId = { clientId: string; clientSecret: string };

/** A business the person administers, with the door to it. */
type Administered = { ctx: Context; name: string; organizationId: string | null };

type Ports = GrantPorts & {
  tokens: AccessTokens;
  countUnsettled: CountUnsettled;
  /** The platform's own client at that accounts server; null where the operator set none. */
  platformClient(accountsServer: string): ZohoClientId | null;
  /** The same address in the consent and in the exchange, to the letter. */
  redirectUri: string;
  listAdministered(session: Session, ctx: Context): Promise<Administered[]>;
};

type Ability = 'read' | 'write_back' | 'install';
export type ConsentInput = {
  data_centre: string;
  abilities: Ability[];
  client_id?: string | undefined;
  client_secret?: string | undefined;
};
export type ConsentView = {
  id: string;
  organizations: (SeenOrganization & { businessId: string | null })[];
  businesses: Administered[];
};
export type FinishConsentInput = {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
  'accounts-server'?: string | undefined;
};

const validMs = 10 * 60_000;
const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');

/**
 * The least that each ability needs (zoho-books-api: scopes; actions by POST need CREATE even where
 * they only change a state).
 */
const scopesOf: Record<Ability, string[]> = {
  read: [
    'ZohoBooks.invoices.READ',
    'ZohoBooks.creditnotes.READ',
    'ZohoBooks.contacts.READ',
    'ZohoBooks.settings.READ',
  ],
  write_back: [
    'ZohoBooks.invoices.UPDATE',
    'ZohoBooks.invoices.CREATE',
    'ZohoBooks.creditnotes.CREATE',
    'ZohoBooks.creditnotes.UPDATE',
  ],
  install: ['ZohoBooks.settings.CREATE', 'ZohoBooks.settings.DELETE'],
};

/**
 * A consent at Zoho, from the page that confirms to the organizations it can serve. The state is a
 * secret of this session: it holds ten minutes, once, and names its business so that it opens the
 * ordinary door. PKCE is sent besides; Zoho does not promise to check it.
 */
export const consents = (ports: Ports) => {
  const mine = async (
    ctx: Context,
    session: Session,
    id: string,
  ): Promise<Consent & { grantId: string }> => {
    const consent = await ctx.transaction((tx) => findConsent(tx, id, session.person.id));
    if (!consent?.grantId) throw new AppError('not_found');
    return { ...consent, grantId: consent.grantId };
  };

  const look = async (
    ctx: Context,
    session: Session,
    consent: { id: string; grantId: string },
  ): Promise<ConsentView> => {
    const { token, apiDomain } = await ports.tokens.of(consent.grantId);
    const [organizations, businesses] = await Promise.all([
      ports.accounts.listOrganizations(apiDomain, token),
      ports.listAdministered(session, ctx),
    ]);
    return {
      id: consent.id,
      organizations: organizations.map((each) => ({
        ...each,
        businessId:
          businesses.find((one) => one.organizationId === each.organizationId)?.ctx.businessId ??
          null,
      })),
      businesses,
    };
  };

  /**
   * A new consent takes over where an old one of the same organization stood: here, and wherever
   * this person's businesses wait for one.
   */
  const takeOver = async (
    ctx: Context,
    session: Session,
    consent: { id: string; grantId: string },
  ): Promise<ConsentView> => {
    const view = await look(ctx, session, consent);
    for (const each of view.businesses) {
      const isSeen = view.organizations.some(
        (one) => one.organizationId === each.organizationId && one.role === 'admin',
      );
      const present = isSeen ? await each.ctx.transaction(findConnection) : null;
      if (!present) continue;
      const held = await ports.database.platform((tx) => findGrantOf(tx, present.grantId));
      if (each.ctx.businessId === ctx.businessId || held?.status === 'dead')
        await bindOrganization(
          ports,
          each.ctx,
          consent.grantId,
          view.organizations,
          present.organizationId,
        );
    }
    return view;
  };

  return {
    async begin(
      ctx: Context,
      session: Session,
      ask: ConsentInput,
    ): Promise<{ url: string; scopes: string[]; redirectUri: string; expiresAt: Date }> {
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
      const [secret, verifier] = [
        randomBytes(24).toString('base64url'),
        randomBytes(48).toString('base64url'),
      ];
      const id = ports.newId('consent');
      const at = ports.clock.now();
      const expiresAt = new Date(at.getTime() + validMs);
      const present = await ctx.transaction(findConnection);
      const held =
        present && (await ports.database.platform((tx) => findGrantOf(tx, present.grantId)));
      // What was allowed before stays allowed: a later scope never takes an earlier one away.
      const wanted = new Set(['read' as const, ...ask.abilities].flatMap((each) => scopesOf[each]));
      for (const scope of (held?.scopes ?? '').split(' '))
        if (/^ZohoBooks\.[a-z]+\.(?:READ|CREATE|UPDATE|DELETE)$/.test(scope)) wanted.add(scope);
      const scopes = [...wanted];
      await ctx.transaction(async (tx) => {
        const dataKey = await holdDataKey(tx);
        const seal = (field: string, text: string) =>
          ports.vault.encrypt(dataKey, ctx.businessId, `consent:${id}:${field}`, text);
        await insertConsent(
          tx,
          ctx.businessId,
          {
            id,
            secretHash: hashOf(secret),
            personId: session.person.id,
            sessionId: session.id,
            accountsServer: centre.accounts,
            clientId: client.clientId,
            clientSecret: seal('client_secret', client.clientSecret),
            verifier: seal('verifier', verifier),
            scopes: scopes.join(' '),
            expiresAt,
          },
          at,
        );
        await ports.record(tx, ctx, {
          action: 'consent.asked',
          subject: id,
          after: { accounts_server: centre.accounts, client_id: client.clientId, scopes },
        });
      });
      const state = `${ctx.businessId}.${secret}`;
      const url = ports.accounts.consentUrl({
        accountsServer: centre.accounts,
        clientId: client.clientId,
        redirectUri: ports.redirectUri,
        scopes,
        state,
        verifier,
      });
      return { url, scopes, redirectUri: ports.redirectUri, expiresAt };
    },

    async finish(ctx: Context, session: Session, ask: FinishConsentInput): Promise<ConsentView> {
      const [businessId, secret] = ask.state.split('.');
      // Another business's, another session's, used, over or invented: one answer.
      if (businessId !== ctx.businessId || !secret) throw new AppError('consent_expired');
      const { consent, secrets } = await ctx.transaction(async (tx) => {
        // Key and consent of one moment: a rotation renews both.
        const dataKey = await holdDataKey(tx);
        const taken = await consumeConsent(tx, hashOf(secret), session.id, ports.clock.now());
        if (!taken) throw new AppError('consent_expired');
        const open = (field: string, sealed: string) =>
          ports.vault.decrypt(dataKey, ctx.businessId, `consent:${taken.id}:${field}`, sealed);
        return {
          consent: taken,
          secrets: {
            client: open('client_secret', taken.clientSecret),
            verifier: open('verifier', taken.verifier),
          },
        };
      });
      if (ask.error || !ask.code) {
        await ctx.transaction((tx) =>
          ports.record(tx, ctx, {
            action: 'consent.refused',
            subject: consent.id,
            after: { error: ask.error ?? 'no code' },
          }),
        );
        throw new AppError('consent_refused');
      }
      const accountsServer = ask['accounts-server'] ?? consent.accountsServer;
      if (!ports.accounts.isKnownAccountsServer(accountsServer))
        throw new AppError('consent_elsewhere', { field: 'accounts-server' });
      const isPlatforms =
        ports.platformClient(consent.accountsServer)?.clientId === consent.clientId;
      const grantId = await makeGrant(ports, ctx, {
        accountsServer,
        apiDomain: ports.accounts.apiOf(accountsServer),
        clientId: consent.clientId,
        // The platform's client has a secret per data centre; a business's own is the one it gave.
        clientSecret: isPlatforms
          ? (ports.platformClient(accountsServer)?.clientSecret ?? secrets.client)
          : secrets.client,
        code: ask.code,
        redirectUri: ports.redirectUri,
        verifier: secrets.verifier,
      });
      await ctx.transaction((tx) => keepConsentGrant(tx, consent.id, grantId));
      return takeOver(ctx, session, { id: consent.id, grantId });
    },

    read: async (ctx: Context, session: Session, id: string): Promise<ConsentView> =>
      look(ctx, session, await mine(ctx, session, id)),

    async bind(
      ctx: Context,
      session: Session,
      id: string,
      ask: { organization_id: string; business_id: string; leave_open?: number | undefined },
    ): Promise<ConsentView> {
      const consent = await mine(ctx, session, id);
      const view = await look(ctx, session, consent);
      const to = view.businesses.find((each) => each.ctx.businessId === ask.business_id);
      // A business of somebody else's and one that does not exist are answered alike.
      if (!to) throw new AppError('not_found');
      await bindOrganization(
        ports,
        to.ctx,
        consent.grantId,
        view.organizations,
        ask.organization_id,
        ask.leave_open,
      );
      return look(ctx, session, consent);
    },
  };
};
