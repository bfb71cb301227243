import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import {
  countEveryFailure,
  counting,
  type From,
  insertTry,
  noteSignIn,
  type SignedIn,
  type Sessions,
  trySucceeded,
} from '../access/index.ts';
import type { Recorder } from '../audit/index.ts';
import { findDirectoryEntry } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import { networkOf } from '../platform/http/network-of.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Accounts } from '../ports/accounts.ts';
import type { BooksPeople, BooksUser } from '../ports/books-people.ts';
import { asPerson, memberLookup } from './find-member.ts';
import * as store from './pairing.store.ts';

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  sessions: Sessions;
  knowsDevice(personId: string, deviceToken: string | undefined): Promise<boolean>;
  accounts: Accounts;
  people: BooksPeople;
  /**
   * The client a business signs its people in with, and its data centre; null where it has none
   * that can send a browser back.
   */
  clientOf(
    ctx: Context | null,
  ): Promise<{ accountsServer: string; clientId: string; clientSecret: string } | null>;
  contextOf(businessId: string): Context;
  redirectUri: string;
  publicUrl: string;
};

export type StartedPairing = {
  pairingId: string;
  pollSecret: string;
  code: string;
  approvalUrl: string;
  expiresAt: Date;
};
export type PollResult =
  | { state: 'waiting' | 'approving' | 'over' }
  | { state: 'refused'; refusal: string }
  | ({ state: 'done'; refreshToken: string } & SignedIn);
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

/**
 * Each step has as long: typing the code, approving at Zoho, answering the question, fetching the
 * session.
 */
const stepMs = 3 * 60_000;
const panelsMax = 20;
const pollTriesMax = 5;
const codeTriesMax = 5;
const codeWindowMs = 15 * 60_000;
/** No vowels, so that no words come out; nothing that is taken for something else. */
const alphabet = 'BCDFGHJKLMNPQRSTVWXZ';
/** Just enough to be told who that is in an organization: Zoho Books has no smaller one. */
const scopes = ['ZohoBooks.settings.READ'];

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('hex');
const isSame = (a: string, b: string) =>
  timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
const plainCode = (code: string) => code.toUpperCase().replace(/[^A-Z]/g, '');
/** The browser's secret is all that is kept of PKCE, and only in the browser. */
const verifierOf = (browserSecret: string) =>
  createHash('sha256').update(`verifier ${browserSecret}`).digest('base64url');

/**
 * Sign-in with Zoho for a panel that can hold no cookie and trust no message: the panel shows a
 * code and polls; the person types the code on our own page, approves at Zoho, and says that it was
 * they who opened the panel. Typed, not followed: whoever sends a link to lure somebody cannot send
 * the code along without it being asked for. What the organization is called is told only to a user
 * of it.
 */
export const pairings = (ports: Ports) => {
  const { database, clock } = ports;
  const findMember = memberLookup(ports);
  const later = () => new Date(clock.now().getTime() + stepMs);
  const refuse = (id: string, refusal: string) =>
    database.platform((tx) => store.setPairingState(tx, id, 'refused', refusal));

  return {
    /**
     * For a panel in that organization, whatever it is: whether it is connected is not said here.
     */
    async begin(organizationId: string, from: From): Promise<StartedPairing> {
      const pairingId = ports.newId('pairing');
      const pollSecret = randomBytes(16).toString('base64url');
      const code = Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join('');
      const at = clock.now();
      const expiresAt = later();
      const network = networkOf(from.address);
      await counting(database, `pairings:${network}`, async (tx) => {
        if ((await store.countPairings(tx, network, at)) >= panelsMax)
          throw new AppError('too_many_attempts');
        await store.insertPairing(tx, {
          id: pairingId,
          organizationId,
          pollHash: hashOf(pollSecret),
          codeHash: hashOf(code),
          panelAddress: network,
          panelAgent: from.userAgent,
          createdAt: at,
          expiresAt,
        });
      });
      return {
        pairingId,
        pollSecret,
        code: `${code.slice(0, 4)}-${code.slice(4)}`,
        approvalUrl: `${ports.publicUrl}/zoho`,
        expiresAt,
      };
    },

    /** How far it has come; the session, once, to whoever holds the poll secret. */
    async poll(
      pairingId: string,
      pollSecret: string,
      from: From,
      deviceToken?: string,
    ): Promise<PollResult> {
      const found = await database.platform(async (tx) => {
        const pairing = await store.lockPairing(tx, pairingId);
        if (!pairing || pairing.pollTries >= pollTriesMax) return null;
        if (!isSame(pairing.pollHash, hashOf(pollSecret))) {
          await store.countPollTry(tx, pairingId);
          return null;
        }
        // Fetched once; only what was approved in time.
        if (pairing.state === 'approved' && pairing.membershipId && pairing.expiresAt > clock.now())
          await store.setPairingState(tx, pairingId, 'used');
        return pairing;
      });
      if (!found) return { state: 'over' };
      if (found.state === 'refused')
        return { state: 'refused', refusal: found.refusal ?? 'zoho_sign_in_denied' };
      if (found.state === 'used' || found.expiresAt <= clock.now()) return { state: 'over' };
      if (found.state === 'approved' && found.membershipId && found.businessId && found.zohoUser) {
        // Whoever has set up a second factor gives it here too: what Zoho has asked for is not
        // known.
        const begun = await ports.sessions.beginRenewable(
          found.businessId,
          found.membershipId,
          { ...from, awaitsSecondFactor: true },
          found.zohoUser.id,
        );
        let session = await ports.sessions.read(begun.token);
        await database.platform((tx) => noteSignIn(tx, session.person.id, clock.now()));
        if (session.awaitsSecondFactor && (await ports.knowsDevice(session.person.id, deviceToken)))
          session = await ports.sessions.admit(session);
        return { state: 'done', ...begun, session };
      }
      return { state: found.state === 'waiting' ? 'waiting' : 'approving' };
    },

    /**
     * Takes a typed code: where the browser goes to approve, and the secret that it must bring
     * back.
     */
    async take(
      code: string,
      from: From,
    ): Promise<{ consentUrl: string; browserSecret: string; expiresAt: Date }> {
      const at = clock.now();
      const tried = codeTry(from);
      const tryId = ports.newId('sign_in');
      // Counted before the code is looked at, or a hundred guesses at once would all be let in; and
      // whatever was right in between, or a code of one's own would buy five more.
      await counting(database, `pairing_codes:${tried.address}`, async (tx) => {
        const before = await countEveryFailure(
          tx,
          tried.username,
          tried.address,
          new Date(at.getTime() - codeWindowMs),
        );
        if (before >= codeTriesMax) throw new AppError('too_many_attempts');
        await insertTry(tx, { ...tried, id: tryId, at, succeeded: false });
      });
      const [state, browserSecret] = [
        randomBytes(24).toString('base64url'),
        randomBytes(24).toString('base64url'),
      ];
      const expiresAt = later();
      const pairing = await database.platform((tx) =>
        store.claimByCode(
          tx,
          hashOf(plainCode(code)),
          {
            stateHash: hashOf(state),
            browserHash: hashOf(browserSecret),
            address: from.address,
            expiresAt,
          },
          at,
        ),
      );
      if (!pairing) throw new AppError('pairing_expired', { field: 'code' });
      await database.platform((tx) => trySucceeded(tx, tryId));
      const client = await ports.clientOf(
        pairing.businessId ? ports.contextOf(pairing.businessId) : null,
      );
      if (!client) {
        await refuse(pairing.id, 'zoho_sign_in_off');
        throw new AppError('zoho_sign_in_off');
      }
      await database.platform((tx) =>
        store.setAccountsServer(tx, pairing.id, client.accountsServer),
      );
      const { accountsServer, clientId } = client;
      const consentUrl = ports.accounts.consentUrl({
        accountsServer,
        clientId,
        redirectUri: ports.redirectUri,
        scopes,
        state: `zoho.${state}`,
        verifier: verifierOf(browserSecret),
        once: true,
      });
      return { consentUrl, browserSecret, expiresAt };
    },

    /**
     * The browser is back from Zoho: who is that in the organization of the panel, and is it they
     * who opened it?
     */
    async cameBack(ask: ZohoRedirect): Promise<ApprovalQuestion> {
      const [kind, secret] = ask.state.split('.');
      const pairing =
        kind === 'zoho' && secret
          ? await database.platform((tx) =>
              store.claimByState(tx, hashOf(secret), hashOf(ask.browser_secret), clock.now()),
            )
          : null;
      if (!pairing) throw new AppError('pairing_expired');
      const refused = async (
        code: 'zoho_user_refused' | 'zoho_sign_in_off' | 'consent_refused' | 'consent_elsewhere',
      ): Promise<never> => {
        await refuse(pairing.id, code);
        throw new AppError(code);
      };
      if (ask.error || !ask.code) return refused('consent_refused');
      const accountsServer = ask['accounts-server'] ?? pairing.accountsServer ?? '';
      if (!ports.accounts.isKnownAccountsServer(accountsServer))
        return refused('consent_elsewhere');
      // An organization that is nobody's is answered like one whose user this is not.
      if (!pairing.businessId) return refused('zoho_user_refused');
      const ctx = ports.contextOf(pairing.businessId);
      const client = await ports.clientOf(ctx);
      const connection = await ctx.transaction(findConnection);
      if (!client || connection?.organizationId !== pairing.organizationId)
        return refused('zoho_user_refused');
      const exchanged = await ports.accounts.exchangeOnce({
        accountsServer,
        clientId: client.clientId,
        clientSecret: client.clientSecret,
        code: ask.code,
        redirectUri: ports.redirectUri,
        verifier: verifierOf(ask.browser_secret),
      });
      if (exchanged.is !== 'token') {
        await refuse(pairing.id, 'books_unavailable');
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
      const access = {
        businessId: ctx.businessId,
        organizationId: pairing.organizationId,
        grantId: connection.grantId,
        purpose: 'sign' as const,
      };
      const as = { token: exchanged.accessToken, apiDomain };
      const user = await ports.people.whoIs(access, as).catch(async (error: unknown) => {
        await refuse(pairing.id, error instanceof AppError ? error.code : 'books_unavailable');
        throw error;
      });
      if (!user?.isActive) return refused('zoho_user_refused');
      const expiresAt = later();
      await database.platform((tx) => store.keepZohoUser(tx, pairing.id, user, expiresAt));
      const entry = await database.platform((tx) => findDirectoryEntry(tx, ctx.businessId));
      return {
        businessName: entry?.name ?? '',
        organizationName: (await ports.people.organizationName(access, as)) ?? '',
        organizationId: pairing.organizationId,
        zohoUser: user,
        panel: {
          address: pairing.panelAddress,
          userAgent: pairing.panelAgent,
          openedAt: pairing.createdAt,
        },
        expiresAt,
      };
    },

    /**
     * "Did you open this panel just now?" A yes makes the session ready for the panel; a no ends it
     * and stands in the trail.
     */
    async answer(
      browserSecret: string,
      isMine: boolean,
      from: From,
    ): Promise<{ state: 'approved' | 'refused' }> {
      const pairing = await database.platform((tx) =>
        store.decidePairing(
          tx,
          hashOf(browserSecret),
          isMine ? 'approved' : 'refused',
          clock.now(),
        ),
      );
      if (!pairing?.businessId || !pairing.zohoUser) throw new AppError('pairing_expired');
      const ctx = { ...ports.contextOf(pairing.businessId), origin: from.address };
      const addresses = { panel_address: pairing.panelAddress, approval_address: from.address };
      if (!isMine) {
        await refuse(pairing.id, 'zoho_sign_in_denied');
        await ctx.transaction((tx) =>
          ports.record(tx, ctx, {
            action: 'session.denied_by_zoho_user',
            subject: pairing.id,
            after: { zoho_user_id: pairing.zohoUser?.id, ...addresses },
          }),
        );
        return { state: 'refused' };
      }
      const member = await findMember(ctx, pairing.zohoUser).catch(async (error: unknown) => {
        await refuse(pairing.id, error instanceof AppError ? error.code : 'books_unavailable');
        throw error;
      });
      await ctx.transaction((tx) =>
        ports.record(tx, asPerson(ctx, member.membershipId, member.person), {
          action: 'session.by_zoho',
          subject: member.membershipId,
          after: {
            zoho_user_id: pairing.zohoUser?.id,
            zoho_role: pairing.zohoUser?.role,
            organization_id: pairing.organizationId,
            ...addresses,
          },
        }),
      );
      await database.platform((tx) =>
        store.keepMembership(tx, pairing.id, member.membershipId, later()),
      );
      return { state: 'approved' };
    },
  };
};

/** Codes are guessed, if at all, from an address and about nobody. */
const codeTry = (from: From) => ({
  username: '(code)',
  personId: null,
  address: networkOf(from.address),
  userAgent: from.userAgent,
});
