export { countFromAuditLog, countTotals, type GetStats, getStats } from './reports.ts';
export { type ReportUsage, reportUsage } from './report-usage.ts';
