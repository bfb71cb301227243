import { holdDataKey } from '../../businesses/index.ts';
import type { Context, Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { bindOrganization } from '../bind-organization.ts';
import { findConnection } from '../connection.store.ts';
import { findGrantOf } from '../grant.store.ts';
import { makeGrant } from '../make-grant.ts';
import { type ConsentPorts, type ConsentView, fieldOf } from './consent-ports.ts';
import { type Consent, consumeConsent, keepConsentGrant } from './consent.store.ts';
import { viewConsent } from './read.ts';
import { sha256 } from '../../platform/digest.ts';

export type FinishConsentInput = {
  state: string;
  code?: string | undefined;
  error?: string | undefined;
  'accounts-server'?: string | undefined;
};

/** A consumed consent with its secrets decrypted. */
type OpenedConsent = { consent: Consent; clientSecret: string; verifier: string };

/** Finishes a consent: makes a grant of Zoho's code, and lets it replace the one before. */
export const finishConsent =
  (ports: ConsentPorts) =>
  async (ctx: Context, session: Session, ask: FinishConsentInput): Promise<ConsentView> => {
    const opened = await consume(ports, ctx, session, ask.state);
    const { id } = opened.consent;
    if (ask.error || !ask.code) {
      await recordRefusal(ports, ctx, id, ask.error ?? 'no code');
      throw new AppError('consent_refused');
    }
    const grantId = await exchange(ports, ctx, opened, {
      code: ask.code,
      accountsServer: ask['accounts-server'] ?? opened.consent.accountsServer,
    });
    await ctx.transaction((tx) => keepConsentGrant(tx, id, grantId));
    return replaceGrants(ports, ctx, session, { id, grantId });
  };

/**
 * Consumes the consent of a state. One of another business or session, a used, expired or invented
 * one get the same answer.
 */
async function consume(
  ports: ConsentPorts,
  ctx: Context,
  session: Session,
  state: string,
): Promise<OpenedConsent> {
  const [businessId, secret] = state.split('.');
  if (businessId !== ctx.businessId || !secret) throw new AppError('consent_expired');
  return ctx.transaction(async (tx) => {
    // Key and consent are read at one moment, because a rotation renews both.
    const dataKey = await holdDataKey(tx);
    const consent = await consumeConsent(tx, sha256(secret), session.id, ports.clock.now());
    if (!consent) throw new AppError('consent_expired');
    const decrypt = (field: 'client_secret' | 'verifier', encrypted: string) =>
      ports.vault.decrypt(dataKey, ctx.businessId, fieldOf(consent.id, field), encrypted);
    return {
      consent,
      clientSecret: decrypt('client_secret', consent.clientSecret),
      verifier: decrypt('verifier', consent.verifier),
    };
  });
}

const recordRefusal = (ports: ConsentPorts, ctx: Context, id: string, error: string) =>
  ctx.transaction((tx) =>
    ports.record(tx, ctx, { action: 'consent.refused', subject: id, after: { error } }),
  );

/** Exchanges the code at the accounts server that Zoho names, if it is one of Zoho's. */
async function exchange(
  ports: ConsentPorts,
  ctx: Context,
  { consent, clientSecret, verifier }: OpenedConsent,
  { code, accountsServer }: { code: string; accountsServer: string },
): Promise<string> {
  if (!ports.accounts.isKnownAccountsServer(accountsServer))
    throw new AppError('consent_elsewhere', { field: 'accounts-server' });
  const isPlatforms = ports.platformClient(consent.accountsServer)?.clientId === consent.clientId;
  return makeGrant(ports, ctx, {
    accountsServer,
    apiDomain: ports.accounts.apiOf(accountsServer),
    clientId: consent.clientId,
    // The platform's client has a secret per data centre; a business's own has the one it gave.
    clientSecret: isPlatforms
      ? (ports.platformClient(accountsServer)?.clientSecret ?? clientSecret)
      : clientSecret,
    code,
    redirectUri: ports.redirectUri,
    verifier,
  });
}

/**
 * Lets a new consent replace an old one of the same organization: here, and wherever a business of
 * this person waits for one.
 */
async function replaceGrants(
  ports: ConsentPorts,
  ctx: Context,
  session: Session,
  consent: { id: string; grantId: string },
): Promise<ConsentView> {
  const view = await viewConsent(ports, ctx, session, consent);
  const { organizations } = view;
  for (const each of view.businesses) {
    const isSeen = organizations.some(
      (one) => one.organizationId === each.organizationId && one.role === 'admin',
    );
    const present = isSeen ? await each.ctx.transaction(findConnection) : null;
    if (!present) continue;
    const held = await ports.database.platform((tx) => findGrantOf(tx, present.grantId));
    if (each.ctx.businessId === ctx.businessId || held?.status === 'dead')
      await bindOrganization(ports, each.ctx, {
        grantId: consent.grantId,
        organizations,
        chosen: present.organizationId,
      });
  }
  return view;
}
