import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts } from '../ports/accounts.ts';
import {
  blockGrant,
  endGrant,
  type Grant,
  keepAccessToken,
  leaseGrant,
  lockGrant,
  releaseGrant,
} from './grant.store.ts';

export type RefreshPorts = {
  database: Database;
  vault: Vault;
  accounts: Accounts;
  clock: Clock;
  worker: string;
};

/** An access token, the host it is for, and until when it may be used. */
export type LivingToken = { token: string; apiDomain: string; until: number };

/** Whose turn it is: a token is there, this worker refreshes, or another one does. */
type Turn = { is: 'fresh'; token: LivingToken } | { is: 'mine'; grant: Grant } | { is: 'others' };

type Refreshed = Awaited<ReturnType<Accounts['refresh']>>;

const leaseMs = 45_000;
const aheadMs = 60_000;
// Zoho gives ten access tokens per refresh token in ten minutes, to all workers and organizations
// together.
const coolDownMs = 10 * 60_000;
const triesMax = 150;
const retryMs = 200;

/**
 * Returns a living access token of a grant, refreshing it if needed. However many processes there
 * are, one refreshes at a time: it holds a lease on the grant's row, and the others wait for its
 * outcome. The new token is stored before it is used.
 */
export async function refreshGrant(ports: RefreshPorts, grantId: string): Promise<LivingToken> {
  for (let tries = 0; tries < triesMax; tries++) {
    const now = ports.clock.now();
    const turn = await ports.database.platform((tx) => claimTurn(ports, tx, grantId, now));
    if (turn.is === 'fresh') return turn.token;
    if (turn.is === 'mine') return refreshUnderLease(ports, turn.grant);
    await pause(retryMs);
  }
  throw new AppError(
    'books_unavailable',
    {},
    'waited too long for another worker to refresh the token',
  );
}

/** Locks the grant and leases it to this worker, unless it has a token or another one refreshes. */
async function claimTurn(
  { vault, worker }: RefreshPorts,
  tx: Tx,
  grantId: string,
  now: Date,
): Promise<Turn> {
  const grant = await lockGrant(tx, grantId);
  if (!grant) throw new AppError('books_not_connected');
  if (grant.status === 'dead') throw new AppError('books_reconnect');
  const { accessToken, accessExpiresAt, apiDomain } = grant;
  if (accessToken && accessExpiresAt && accessExpiresAt.getTime() - now.getTime() > aheadMs) {
    const token = vault.decrypt(grant.dataKey, grant.id, 'access_token', accessToken);
    return { is: 'fresh', token: { token, apiDomain, until: accessExpiresAt.getTime() - aheadMs } };
  }
  if (grant.blockedUntil && grant.blockedUntil > now)
    throw new AppError('books_limit', { until: grant.blockedUntil.toISOString() });
  if (grant.leaseUntil && grant.leaseUntil > now) return { is: 'others' };
  await leaseGrant(tx, grantId, worker, new Date(now.getTime() + leaseMs));
  return { is: 'mine', grant };
}

/**
 * Refreshes under the lease. Whatever goes wrong, the lease is given back, or the others would wait
 * for nobody until it ends.
 */
const refreshUnderLease = (ports: RefreshPorts, grant: Grant): Promise<LivingToken> =>
  refresh(ports, grant).catch(async (error: unknown) => {
    if (!(error instanceof AppError))
      await ports.database.platform((tx) => releaseGrant(tx, grant.id));
    throw error;
  });

async function refresh(ports: RefreshPorts, grant: Grant): Promise<LivingToken> {
  const decrypt = (field: string, encrypted: string) =>
    ports.vault.decrypt(grant.dataKey, grant.id, field, encrypted);
  const outcome = await ports.accounts.refresh({
    accountsServer: grant.accountsServer,
    clientId: grant.clientId,
    clientSecret: decrypt('client_secret', grant.clientSecret),
    refreshToken: decrypt('refresh_token', grant.refreshToken),
  });
  const now = ports.clock.now();
  return outcome.is === 'token'
    ? keepToken(ports, grant, outcome, now)
    : giveUp(ports, grant, outcome, now);
}

async function keepToken(
  { database, vault, accounts }: RefreshPorts,
  grant: Grant,
  outcome: Extract<Refreshed, { is: 'token' }>,
  now: Date,
): Promise<LivingToken> {
  const apiDomain =
    outcome.apiDomain && accounts.isKnownApiDomain(outcome.apiDomain)
      ? outcome.apiDomain
      : grant.apiDomain;
  const token = outcome.accessToken;
  const expiresAt = new Date(now.getTime() + outcome.expiresInSeconds * 1000);
  const encrypted = vault.encrypt(grant.dataKey, grant.id, 'access_token', token);
  await database.platform((tx) => keepAccessToken(tx, grant.id, encrypted, expiresAt, apiDomain));
  return { token, apiDomain, until: expiresAt.getTime() - aheadMs };
}

/** Keeps with the grant why there is no token, and throws it. */
async function giveUp(
  { database }: RefreshPorts,
  grant: Grant,
  outcome: Exclude<Refreshed, { is: 'token' }>,
  now: Date,
): Promise<never> {
  if (outcome.is === 'dead') {
    await database.platform((tx) => endGrant(tx, grant.id));
    throw new AppError('books_reconnect');
  }
  if (outcome.is === 'throttled') {
    const until = new Date(now.getTime() + coolDownMs);
    await database.platform((tx) => blockGrant(tx, grant.id, until));
    throw new AppError('books_limit');
  }
  await database.platform((tx) => releaseGrant(tx, grant.id));
  if (outcome.is === 'client_refused') throw new AppError('books_client_refused');
  throw new AppError('books_unavailable', {}, outcome.reason);
}
