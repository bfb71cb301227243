export { type Limits, openRateLimits, type RateLimits, defaultLimits } from './rate-limits.ts';
