export { type FailingPlatformJob, type JobHealth, openJobHealth } from './job-health.ts';
