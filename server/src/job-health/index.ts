export { type FailingPlatformJob, type JobHealth } from './job-health.ts';
