import { startApp } from '@muhuri/server/app';
import { silentLog } from '@muhuri/server/platform/log';

/**
 * A server in a process of its own, quick to give up unless told otherwise, so that it can be
 * killed.
 */
const { config, secrets, instead } = JSON.parse(process.argv[2] as string);
const app = await startApp(
  config,
  {
    ...secrets,
    masterKey: Buffer.from(secrets.masterKey, 'base64'),
    previousMasterKey:
      secrets.previousMasterKey && Buffer.from(secrets.previousMasterKey, 'base64'),
  },
  {
    log: silentLog,
    vsdc: { answerTimeoutMs: 5_000, lateTimeoutMs: 5_000 },
    timing: {
      retryFirstMs: 150,
      retryMaxMs: 400,
      settleQuietMs: 250,
      settleMaxMs: 500,
      doubtWaitMs: 500,
      leaseMs: 1_500,
    },
    sweepMs: 200,
    waitMs: 8_000,
    ...instead,
  },
);
// Looks for lanes at a moment that others choose.
process.on('SIGUSR2', () => void app.sweep());
console.log(`up ${app.url}`);
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
