import { findDirectoryEntry } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { BooksUser } from '../ports/books-people.ts';
import { endOfStep, type PairingPorts, refuse, verifierOf } from './pairing-ports.ts';
import { claimByState, keepZohoUser, type Pairing } from './pairing.store.ts';
import { sha256 } from '../platform/digest.ts';

/** What the person is asked who came back from Zoho: was it you who opened this panel? */
export type ApprovalQuestion = {
  businessName: string;
  organizationName: string;
  organizationId: string;
  zohoUser: BooksUser;
  panel: { address: string; userAgent: string | null; openedAt: Date };
  expiresAt: Date;
};
export type ZohoRedirect = {
  state: string;
  browser_secret: string;
  code?: string | undefined;
  error?: string | undefined;
  'accounts-server'?: string | undefined;
};

type Refusal = 'zoho_user_refused' | 'zoho_sign_in_off' | 'consent_refused' | 'consent_elsewhere';

/** The consent that came back, checked: of which business, by which client, from which server. */
type Redirected = {
  ctx: Context;
  grantId: string;
  client: NonNullable<Awaited<ReturnType<PairingPorts['clientOf']>>>;
  accountsServer: string;
  code: string;
};

/** Identifies who came back from Zoho, in the organization of the panel. */
export const identifyUser =
  (ports: PairingPorts) =>
  async (redirect: ZohoRedirect): Promise<ApprovalQuestion> => {
    const pairing = await claimReturn(ports, redirect);
    const checked = await checkRedirect(ports, pairing, redirect);
    const { ctx, grantId } = checked;
    const { organizationId } = pairing;
    const proof = await exchangeCode(ports, pairing, checked, redirect.browser_secret);
    const { businessId } = ctx;
    const access = { businessId, organizationId, grantId, purpose: 'sign' as const };
    const user = await ports.people.whoIs(access, proof).catch(async (error: unknown) => {
      await refuse(ports, pairing.id, error instanceof AppError ? error.code : 'books_unavailable');
      throw error;
    });
    if (!user?.isActive) return refused(ports, pairing, 'zoho_user_refused');
    const expiresAt = endOfStep(ports);
    await ports.database.platform((tx) => keepZohoUser(tx, pairing.id, user, expiresAt));
    const entry = await ports.database.platform((tx) => findDirectoryEntry(tx, businessId));
    return {
      businessName: entry?.name ?? '',
      organizationName: (await ports.people.organizationName(access, proof)) ?? '',
      organizationId,
      zohoUser: user,
      panel: panelOf(pairing),
      expiresAt,
    };
  };

const panelOf = ({ panelAddress, panelAgent, createdAt }: Pairing) => ({
  address: panelAddress,
  userAgent: panelAgent,
  openedAt: createdAt,
});

/** Claims the pairing that a browser is back for; its state works once, in that browser only. */
async function claimReturn(
  { database, clock }: PairingPorts,
  redirect: ZohoRedirect,
): Promise<Pairing> {
  const [kind, secret] = redirect.state.split('.');
  const pairing =
    kind === 'zoho' && secret
      ? await database.platform((tx) =>
          claimByState(tx, sha256(secret), sha256(redirect.browser_secret), clock.now()),
        )
      : null;
  if (!pairing) throw new AppError('pairing_expired');
  return pairing;
}

async function refused(ports: PairingPorts, pairing: Pairing, code: Refusal): Promise<never> {
  await refuse(ports, pairing.id, code);
  throw new AppError(code);
}

/** Checks what Zoho's redirect says, and finds the business and the client it is about. */
async function checkRedirect(
  ports: PairingPorts,
  pairing: Pairing,
  redirect: ZohoRedirect,
): Promise<Redirected> {
  const { code } = redirect;
  if (redirect.error || !code) return refused(ports, pairing, 'consent_refused');
  const accountsServer = redirect['accounts-server'] ?? pairing.accountsServer ?? '';
  if (!ports.accounts.isKnownAccountsServer(accountsServer))
    return refused(ports, pairing, 'consent_elsewhere');
  // An organization of no business is answered like one whose user this is not.
  if (!pairing.businessId) return refused(ports, pairing, 'zoho_user_refused');
  const ctx = ports.contextOf(pairing.businessId);
  const client = await ports.clientOf(ctx);
  const connection = await ctx.transaction(findConnection);
  if (!client || connection?.organizationId !== pairing.organizationId)
    return refused(ports, pairing, 'zoho_user_refused');
  return { ctx, grantId: connection.grantId, client, accountsServer, code };
}

/** A token of the user's own, and the host it is used at. */
type UserToken = { token: string; apiDomain: string };

/** Exchanges the code for a token that is used now and never kept. */
async function exchangeCode(
  ports: PairingPorts,
  pairing: Pairing,
  { client, accountsServer, code }: Redirected,
  browserSecret: string,
): Promise<UserToken> {
  const exchanged = await ports.accounts.exchangeOnce({
    accountsServer,
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    code,
    redirectUri: ports.redirectUri,
    verifier: verifierOf(browserSecret),
  });
  if (exchanged.is !== 'token') {
    await refuse(ports, pairing.id, 'books_unavailable');
    throw new AppError(
      exchanged.is === 'dead' ? 'zoho_code_refused' : 'books_unavailable',
      {},
      exchanged,
    );
  }
  const apiDomain =
    exchanged.apiDomain && ports.accounts.isKnownApiDomain(exchanged.apiDomain)
      ? exchanged.apiDomain
      : ports.accounts.apiOf(accountsServer);
  return { token: exchanged.accessToken, apiDomain };
}
