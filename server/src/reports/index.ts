export { countByTrail, countTotals, getStats } from './reports.ts';
