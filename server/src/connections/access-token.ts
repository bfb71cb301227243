import { setTimeout as pause } from 'node:timers/promises';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { Vault } from '../platform/vault.ts';
import type { Accounts } from '../ports/accounts.ts';
import {
  blockGrant,
  dropAccessToken,
  endGrant,
  type Grant,
  keepAccessToken,
  leaseGrant,
  lockGrant,
  releaseGrant,
} from './grant.store.ts';

type AccessToken = { token: string; apiDomain: string };
export type AccessTokens = {
  of(grantId: string): Promise<AccessToken>;
  invalidate(grantId: string, refused: string): Promise<void>;
};

const leaseMs = 45_000;
const aheadMs = 60_000;
// Zoho gives ten access tokens per refresh token in ten minutes, to all workers and organizations
// together.
const coolDownMs = 10 * 60_000;

/**
 * Access tokens by grant, not by organization or worker. One refresh at a time however many
 * processes there are: a lease on the grant's row; the others wait for its outcome. The new token
 * is stored before it is used.
 */
export function accessTokens(ports: {
  database: Database;
  vault: Vault;
  accounts: Accounts;
  clock: Clock;
  worker: string;
}): AccessTokens {
  const known = new Map<string, AccessToken & { until: number }>();
  const flying = new Map<string, Promise<AccessToken>>();

  const refresh = async (grantId: string): Promise<AccessToken> => {
    for (let tries = 0; tries < 150; tries++) {
      const now = ports.clock.now();
      const turn = await ports.database.platform(
        async (
          tx,
        ): Promise<
          { have: AccessToken & { until: number } } | { mine: Grant } | { wait: true }
        > => {
          const grant = await lockGrant(tx, grantId);
          if (!grant) throw new AppError('books_not_connected');
          if (grant.status === 'dead') throw new AppError('books_reconnect');
          if (
            grant.accessToken &&
            grant.accessExpiresAt &&
            grant.accessExpiresAt.getTime() - now.getTime() > aheadMs
          ) {
            const token = ports.vault.decrypt(
              grant.dataKey,
              grant.id,
              'access_token',
              grant.accessToken,
            );
            return {
              have: {
                token,
                apiDomain: grant.apiDomain,
                until: grant.accessExpiresAt.getTime() - aheadMs,
              },
            };
          }
          if (grant.blockedUntil && grant.blockedUntil > now)
            throw new AppError('books_limit', { until: grant.blockedUntil.toISOString() });
          if (grant.leaseUntil && grant.leaseUntil > now) return { wait: true };
          await leaseGrant(tx, grantId, ports.worker, new Date(now.getTime() + leaseMs));
          return { mine: grant };
        },
      );
      if ('have' in turn) {
        known.set(grantId, turn.have);
        return turn.have;
      }
      // Whatever goes wrong while the lease is held, it is given back: others would wait for nobody
      // until it ends.
      if ('mine' in turn)
        return ask(turn.mine).catch(async (error: unknown) => {
          if (!(error instanceof AppError))
            await ports.database.platform((tx) => releaseGrant(tx, grantId));
          throw error;
        });
      await pause(200);
    }
    throw new AppError(
      'books_unavailable',
      {},
      'waited too long for another worker to refresh the token',
    );
  };

  const ask = async (grant: Grant): Promise<AccessToken> => {
    const outcome = await ports.accounts.refresh({
      accountsServer: grant.accountsServer,
      clientId: grant.clientId,
      clientSecret: ports.vault.decrypt(
        grant.dataKey,
        grant.id,
        'client_secret',
        grant.clientSecret,
      ),
      refreshToken: ports.vault.decrypt(
        grant.dataKey,
        grant.id,
        'refresh_token',
        grant.refreshToken,
      ),
    });
    const now = ports.clock.now();
    if (outcome.is === 'token') {
      const apiDomain =
        outcome.apiDomain && ports.accounts.isKnownApiDomain(outcome.apiDomain)
          ? outcome.apiDomain
          : grant.apiDomain;
      const expiresAt = new Date(now.getTime() + outcome.expiresInSeconds * 1000);
      const sealed = ports.vault.encrypt(
        grant.dataKey,
        grant.id,
        'access_token',
        outcome.accessToken,
      );
      await ports.database.platform((tx) =>
        keepAccessToken(tx, grant.id, sealed, expiresAt, apiDomain),
      );
      known.set(grant.id, {
        token: outcome.accessToken,
        apiDomain,
        until: expiresAt.getTime() - aheadMs,
      });
      return { token: outcome.accessToken, apiDomain };
    }
    if (outcome.is === 'dead') {
      await ports.database.platform((tx) => endGrant(tx, grant.id));
      throw new AppError('books_reconnect');
    }
    if (outcome.is === 'throttled') {
      await ports.database.platform((tx) =>
        blockGrant(tx, grant.id, new Date(now.getTime() + coolDownMs)),
      );
      throw new AppError('books_limit');
    }
    await ports.database.platform((tx) => releaseGrant(tx, grant.id));
    if (outcome.is === 'client_refused') throw new AppError('books_client_refused');
    throw new AppError('books_unavailable', {}, outcome.reason);
  };

  return {
    async of(grantId) {
      const have = known.get(grantId);
      if (have && have.until > ports.clock.now().getTime()) return have;
      const running = flying.get(grantId) ?? refresh(grantId).finally(() => flying.delete(grantId));
      flying.set(grantId, running);
      return running;
    },
    /**
     * Only the token that was refused: by the time a worker hears of it another one may have
     * fetched the next, which must not be thrown away.
     */
    async invalidate(grantId, refused) {
      if (known.get(grantId)?.token === refused) known.delete(grantId);
      await ports.database.platform(async (tx) => {
        const grant = await lockGrant(tx, grantId);
        if (
          !grant?.accessToken ||
          ports.vault.decrypt(grant.dataKey, grant.id, 'access_token', grant.accessToken) !==
            refused
        )
          return;
        await dropAccessToken(tx, grantId);
      });
    },
  };
}
