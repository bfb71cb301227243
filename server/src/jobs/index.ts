export { type FailingJob, type FailingPlatformJob, type Jobs, openJobs } from './jobs.ts';
