import { migrations } from '../app.ts';
import { migrate } from '../platform/db/database.ts';
import type { Settings } from './with-app.ts';

/** Brings the database to today's tables. */
export async function migrateDatabase({ secrets }: Settings): Promise<void> {
  await migrate(secrets.migrationDatabaseUrl, migrations);
}
