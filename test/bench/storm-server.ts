import { startApp } from '@muhuri/server/app';
import { logTo } from '@muhuri/server/platform/log';

/** A server in a process of its own, for a Zoho that allows whatever is asked. */
const { config, secrets } = JSON.parse(process.argv[2] as string);
const app = await startApp(
  config,
  { ...secrets, masterKey: Buffer.from(secrets.masterKey, 'base64'), previousMasterKey: null },
  { log: logTo('error'), governor: { perMinute: 1e6, zohoPerMinute: 1e6, blockSecondsMax: 0 } },
);
console.log(`up ${app.url}`);
process.once('SIGTERM', () => void app.close().then(() => process.exit(0)));
