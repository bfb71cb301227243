import type { Migration } from '@mikro-orm/migrations';

/**
 * A table of a business: its wall, forced, and what the worker may do with it. A transaction that is over leaves '' behind in the
 * setting, not null: both must mean no business, hence no rows.
 */
export function addBusinessTable(migration: Migration, name: string, columns: string, rights = 'select, insert, update'): void {
  migration.addSql(`create table ${name} (${columns})`);
  migration.addSql(`alter table ${name} enable row level security`);
  migration.addSql(`alter table ${name} force row level security`);
  migration.addSql(`create policy wall on ${name} using (business_id = nullif(current_setting('app.business_id', true), ''))`);
  migration.addSql(`grant ${rights} on ${name} to muhuri_worker`);
}
