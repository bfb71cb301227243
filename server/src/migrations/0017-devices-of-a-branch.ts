import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/** Data of every business is moved here: for these statements alone the owner is not bound by the walls it has put up. */
const inEveryBusiness = (migration: Migration, tables: string[], statements: string[]) => {
  for (const table of tables) migration.addSql(`alter table ${table} no force row level security`);
  for (const statement of statements) migration.addSql(statement);
  for (const table of tables) migration.addSql(`alter table ${table} force row level security`);
};

const ownKind = (row: string) => `case ${row}.module when 'invoices' then 'sale' else 'refund' end`;

/** What a document is told by its receipts: only by one of a production device, and not by one that was closed for its successor. */
const documentFunctions = (counts: string) => [
  `create or replace function tell_document() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      ${counts === '' ? '' : "if new.environment <> 'production' or new.moved_to is not null then return null; end if;"}
      update public.document set sealed = (new.state = 'signed' and new.drift is null)
       where business_id = new.business_id and module = new.module and document_id = new.document_id
         and new.kind = ${ownKind('new')}
         and sealed is distinct from (new.state = 'signed' and new.drift is null);
      return null;
    end $$`,
  `create or replace function ask_receipt() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      new.sealed := exists (select 1 from public.receipt r where r.business_id = new.business_id and r.module = new.module
        and r.document_id = new.document_id and r.kind = ${ownKind('new')}
        and r.state = 'signed' and r.drift is null ${counts});
      return new;
    end $$`,
];

const sealedAnew = (counts: string) =>
  `update document d set sealed = s.is from (
     select d.business_id, d.module, d.document_id, exists (select 1 from receipt r
        where r.business_id = d.business_id and r.module = d.module and r.document_id = d.document_id
          and r.kind = ${ownKind('d')} and r.state = 'signed' and r.drift is null ${counts}) as is from document d) s
    where s.business_id = d.business_id and s.module = d.module and s.document_id = d.document_id and d.sealed is distinct from s.is`;

const production = "and r.environment = 'production' and r.moved_to is null";

/**
 * A branch has one device that works, at most one that is being prepared, and any number of retired ones. Device and environment of a
 * receipt never change: a test receipt stands beside the real one of the same document, and what waited at a device that is replaced is
 * closed there and opened anew at its successor. Items are known to a device, not to a business.
 */
export default class DevicesOfABranch extends Migration {
  override up(): void {
    this.addSql('alter table branch add production_since timestamptz');
    this.addSql(
      'alter table device drop constraint device_state_check, drop constraint device_business_id_branch_id_key',
    );
    this.addSql(
      `alter table device add constraint device_state_check check (state in ('new', 'active', 'paused', 'retired')),
         add succeeds text, add activated_at timestamptz, add retired_at timestamptz, add authority_last bigint,
         add burnt_numbers bigint[] not null default '{}', add total_base bigint, add totals_explained int not null default 0,
         add foreign key (business_id, succeeds) references device (business_id, id)`,
    );
    this.addSql(
      "create unique index device_at_work on device (business_id, branch_id) where state in ('active', 'paused')",
    );
    this.addSql(
      "create unique index device_prepared on device (business_id, branch_id) where state = 'new'",
    );
    this.addSql('alter table receipt add environment text, add moved_to text');
    this.addSql('alter table signature add environment text');
    this.addSql("alter table receipt_day add environment text not null default 'production'");
    this.addSql('alter table document add created_at timestamptz');
    addBusinessTable(
      this,
      'item_registration',
      `business_id text not null, device_id text not null, item_id text not null, content jsonb, claimed_by text, claimed_until timestamptz,
       primary key (business_id, device_id, item_id),
       foreign key (business_id, device_id) references device (business_id, id),
       foreign key (business_id, item_id) references item (business_id, id)`,
    );
    for (const statement of documentFunctions(production)) this.addSql(statement);
    this.addSql(
      'alter table receipt drop constraint receipt_business_id_module_document_id_kind_key',
    );
    inEveryBusiness(
      this,
      [
        'branch',
        'device',
        'receipt',
        'signature',
        'receipt_day',
        'item',
        'item_registration',
        'audit',
        'document',
      ],
      [
        // The first moment it can have signed; where the trail does not say, the moment the device was entered.
        `update device d set total_base = last_total_receipt_number, activated_at = coalesce((select min(a.at) from audit a
            where a.business_id = d.business_id and a.subject = d.id and a.action in ('device.initialised', 'device.adopted')), created_at)
          where state <> 'new'`,
        `update branch b set production_since = d.activated_at from device d
          where d.business_id = b.business_id and d.branch_id = b.id and d.environment = 'production' and d.state <> 'new'`,
        'update receipt r set environment = d.environment from device d where d.business_id = r.business_id and d.id = r.device_id',
        'update signature s set environment = d.environment from device d where d.business_id = s.business_id and d.id = s.device_id',
        `update receipt_day y set environment = 'sandbox' from device d where d.business_id = y.business_id and d.branch_id = y.branch_id and d.environment = 'sandbox'`,
        // Until now an item registered by one device counted for its sisters.
        `insert into item_registration (business_id, device_id, item_id, content)
           select i.business_id, d.id, i.id, i.registered from item i join device d on d.business_id = i.business_id where i.registered is not null and d.state <> 'new'`,
        sealedAnew(production),
      ],
    );
    this.addSql(
      `alter table receipt alter environment set not null, add constraint receipt_environment_check check (environment in ('sandbox', 'production')),
         add constraint receipt_moved_check check (moved_to is null or state = 'withdrawn'),
         add foreign key (business_id, moved_to) references receipt (business_id, id) deferrable initially deferred`,
    );
    this.addSql(
      "create unique index receipt_document on receipt (business_id, module, document_id, kind, environment, coalesce(moved_to, ''))",
    );
    this.addSql(
      `alter table signature alter environment set not null, drop constraint signature_business_id_sdc_id_total_receipt_number_key,
         add constraint signature_total_key unique (business_id, environment, sdc_id, total_receipt_number)`,
    );
    this.addSql(
      'alter table receipt_day drop constraint receipt_day_pkey, add primary key (business_id, day, branch_id, kind, outcome, code, environment), alter environment drop default',
    );
    this.addSql('alter table item drop registered, drop claimed_by, drop claimed_until');
  }

  /** Only where no device was replaced and no document has two receipts: what does not fit the older keys stops it, and nothing is lost. */
  override down(): void {
    this.addSql(
      'alter table item add registered jsonb, add claimed_by text, add claimed_until timestamptz',
    );
    inEveryBusiness(
      this,
      ['item', 'item_registration', 'receipt', 'document', 'device', 'receipt_day'],
      [
        `update item i set registered = g.content from item_registration g where g.business_id = i.business_id and g.item_id = i.id and g.content is not null`,
        sealedAnew(''),
        `create temporary table days_before on commit drop as select business_id, day, branch_id, kind, outcome, code, sum(count)::bigint as count, sum(total) as total
           from receipt_day group by 1, 2, 3, 4, 5, 6`,
        'delete from receipt_day',
        'alter table receipt_day drop constraint receipt_day_pkey, drop environment, add primary key (business_id, day, branch_id, kind, outcome, code)',
        'insert into receipt_day (business_id, day, branch_id, kind, outcome, code, count, total) select business_id, day, branch_id, kind, outcome, code, count, total from days_before',
      ],
    );
    for (const statement of documentFunctions('')) this.addSql(statement);
    this.addSql('drop table item_registration');
    this.addSql('alter table document drop created_at');
    this.addSql(
      'alter table signature drop constraint signature_total_key, drop environment, add constraint signature_business_id_sdc_id_total_receipt_number_key unique (business_id, sdc_id, total_receipt_number)',
    );
    this.addSql('drop index receipt_document');
    this.addSql(
      'alter table receipt drop moved_to, drop environment, add constraint receipt_business_id_module_document_id_kind_key unique (business_id, module, document_id, kind)',
    );
    this.addSql('drop index device_at_work, device_prepared');
    this.addSql(
      `alter table device drop constraint device_state_check, drop succeeds, drop activated_at, drop retired_at, drop authority_last, drop burnt_numbers,
         drop total_base, drop totals_explained,
         add constraint device_state_check check (state in ('new', 'active', 'paused')), add constraint device_business_id_branch_id_key unique (business_id, branch_id)`,
    );
    this.addSql('alter table branch drop production_since');
  }
}
