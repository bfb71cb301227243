import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, makeTemplate } from './world.ts';

/**
 * One PostgreSQL for the run and one migrated template; every suite clones its own database from
 * it.
 */
export async function setup(): Promise<() => Promise<void>> {
  const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
  await makeTemplate(postgres);
  return () => postgres.stop();
}
