export { type Alerts, openAlerts } from './alerts.ts';
