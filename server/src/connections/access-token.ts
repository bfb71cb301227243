import { dropAccessToken, lockGrant } from './grant.store.ts';
import { type LivingToken, refreshGrant, type RefreshPorts } from './refresh-grant.ts';

type AccessToken = { token: string; apiDomain: string };
export type AccessTokens = {
  of(grantId: string): Promise<AccessToken>;
  invalidate(grantId: string, refused: string): Promise<void>;
};

/**
 * Keeps access tokens by grant, not by organization or worker. Within a process, calls that need the
 * same token share one refresh.
 */
export function accessTokens(ports: RefreshPorts): AccessTokens {
  const known = new Map<string, LivingToken>();
  const running = new Map<string, Promise<AccessToken>>();

  const refresh = async (grantId: string): Promise<AccessToken> => {
    const found = await refreshGrant(ports, grantId);
    known.set(grantId, found);
    return found;
  };

  return {
    async of(grantId) {
      const found = known.get(grantId);
      if (found && found.until > ports.clock.now().getTime()) return found;
      const refreshing =
        running.get(grantId) ?? refresh(grantId).finally(() => running.delete(grantId));
      running.set(grantId, refreshing);
      return refreshing;
    },
    /**
     * Invalidates only the token that was refused; another worker may already have stored its
     * successor.
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
