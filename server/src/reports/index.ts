export { type GetStats } from './reports.ts';
export { type ReportUsage } from './report-usage.ts';
