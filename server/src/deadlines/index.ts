export { tellAlerts } from './tell-alerts.ts';
export { watchDeadlines } from './watch-deadlines.ts';
