import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../platform/app-error.ts';

/** Makes a limiter of so many points in so many seconds, for each key. */
export const limiter = (points: number, duration = 60): RateLimiterMemory =>
  new RateLimiterMemory({ points, duration });

/** Takes one point of a key. Throws `rate_limited` if none is left. */
export async function spend(from: RateLimiterMemory, key: string): Promise<RateLimiterRes> {
  try {
    return await from.consume(key);
  } catch (error) {
    const seconds = Math.max(1, Math.ceil((error as RateLimiterRes).msBeforeNext / 1000));
    throw new AppError('rate_limited', { retry_after_s: seconds });
  }
}
