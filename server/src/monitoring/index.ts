export { deliverAlerts } from './deliver-alerts.ts';
export { watchDeadlines } from './watch-deadlines.ts';
