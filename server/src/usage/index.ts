export { type Limits, openUsage, type Usage, usualLimits } from './limits.ts';
