export { type Limits, type RateLimits } from './rate-limits.ts';
