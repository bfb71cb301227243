import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, makeTemplate } from '../world.ts';
import { benchGrowth } from './growth.ts';
import { benchPaper } from './paper.ts';
import { benchPlatform } from './platform.ts';
import { benchRest } from './rest.ts';
import { benchSigning } from './signing.ts';
import { benchStorm } from './storm.ts';
import { benchWebhook } from './webhook.ts';
import { benchWidget } from './widget.ts';

/** Ours beside a bare baseline that does the same, in one run, as ratios. Absolutes are this machine's. */
const only = process.argv[2];
const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
await makeTemplate(postgres);
if (!only || only === 'signing') await benchSigning(postgres, process.argv[3]);
if (!only || only === 'paper') await benchPaper();
if (!only || only === 'platform') await benchPlatform(postgres, process.argv[3]);
if (!only || only === 'webhook') {
  await benchWebhook(postgres);
  await benchStorm(postgres);
}
if (only === 'storm') await benchStorm(postgres);
if (!only || only === 'growth') await benchGrowth(postgres);
if (!only || only === 'widget') await benchWidget(postgres);
await postgres.stop();
if (!only || only === 'rest') await benchRest();
process.exit(0);
