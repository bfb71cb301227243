export { type FailingPlatformJob, type Jobs, openJobs } from './jobs.ts';
