export { type Alerts, alertsOf } from './alerts.ts';
