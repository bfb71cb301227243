import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ProblemCode } from '@muhuri/shared/problems';
import { AppError } from '../app-error.ts';
import { networkOf } from './client-network.ts';

export type TokenGate<T> = {
  /**
   * What stands behind a token, or the problem of one that is made up; `rate_limited` where too
   * many of those came from there.
   */
  read(token: string, address: string): Promise<T>;
};

export type TokenLimits = {
  /** Counts a token that was refused. */
  refusedToken(network: string): Promise<void>;
  /** For how many seconds tokens from there are turned away; 0: they are not. */
  turnedAwaySeconds(network: string): Promise<number>;
};

type Ports<T> = {
  look(token: string): Promise<T>;
  /** What looking says of a token that is not one. */
  refusal: ProblemCode;
  limits: TokenLimits;
};

const refusedMs = 1_000;
const realMs = 10 * 60_000;
const most = 20_000;

/**
 * Made-up tokens cost the database nothing: one that was just refused is refused again without a
 * look, and whoever sends many different ones is turned away by the network they come from. A token
 * that was found to be real some minutes ago passes all the same, so that nobody can shut others
 * out who share their address.
 */
export function openTokenGate<T>({ look, refusal, limits }: Ports<T>): TokenGate<T> {
  const refused = new LRUCache<string, number>({ max: most });
  const real = new LRUCache<string, number>({ max: most });
  const holds = (among: LRUCache<string, number>, hash: string) =>
    (among.get(hash) ?? 0) > performance.now();
  const keep = (among: LRUCache<string, number>, hash: string, ms: number) =>
    void among.set(hash, performance.now() + ms);
  return {
    async read(token, address) {
      const hash = createHash('sha256').update(token).digest('base64url');
      const network = networkOf(address);
      if (!holds(real, hash)) {
        const seconds = await limits.turnedAwaySeconds(network);
        if (seconds > 0) throw new AppError('rate_limited', { retry_after_s: seconds });
        if (holds(refused, hash)) {
          await limits.refusedToken(network);
          throw new AppError(refusal);
        }
      }
      try {
        const found = await look(token);
        keep(real, hash, realMs);
        return found;
      } catch (error) {
        if (error instanceof AppError && error.code === refusal) {
          real.delete(hash);
          keep(refused, hash, refusedMs);
          await limits.refusedToken(network);
        }
        throw error;
      }
    },
  };
}
