import type { Migration } from '@mikro-orm/migrations';

/**
 * A table of a business: its wall, forced, and what the worker may do with it. A transaction that is over leaves '' behind in the
 * setting, not null: both must mean no business, hence no rows.
 */
export function addBusinessTable(
  migration: Pick<Migration, 'addSql'>,
  name: string,
  columns: string,
  rights = 'select, insert, update',
): void {
  migration.addSql(`create table ${name} (${columns})`);
  migration.addSql(`alter table ${name} enable row level security`);
  migration.addSql(`alter table ${name} force row level security`);
  migration.addSql(
    `create policy wall on ${name} using (business_id = nullif(current_setting('app.business_id', true), ''))`,
  );
  migration.addSql(`grant ${rights} on ${name} to muhuri_worker`);
}

/**
 * Whether the id stands in this table for any other business, asked business by business: each is one look into the table's own key, where a question
 * for the id alone would read all of the table.
 */
export const idIn = (table: string): string =>
  `select 1 from public.business b, lateral (select 1 from public.${table} t where t.business_id = b.business_id and t.id = asked offset 0) x
    where b.business_id <> own_business`;

/** The question whether an id stands in another business, over these tables. */
export function askAcross(migration: Pick<Migration, 'addSql'>, tables: string[]): void {
  migration.addSql('grant create on schema public to muhuri_lookup');
  migration.addSql('set role muhuri_lookup');
  migration.addSql(`
    create or replace function id_stands_elsewhere(asked text, own_business text) returns boolean
    language sql stable security definer set search_path = pg_catalog, public as $$
      select exists (
        ${tables.map(idIn).join(' union all ')}
        union all select 1 from public.business where business_id = asked and business_id <> own_business)
    $$`);
  migration.addSql('reset role');
  migration.addSql('revoke create on schema public from muhuri_lookup');
}
