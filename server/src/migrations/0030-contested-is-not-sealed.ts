import { Migration } from '@mikro-orm/migrations';

const ownKind = (row: string) => `case ${row}.module when 'invoices' then 'sale' else 'refund' end`;
const isSealed = (row: string, how: string) =>
  `(${row}.state = 'signed' and ${row}.drift is null ${how})`;

/** What a document is told by its receipts: whether it is sealed, and by which branch. */
const functions = (how: (row: string) => string) => [
  `create or replace function tell_document() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      if new.environment <> 'production' or new.moved_to is not null then return null; end if;
      update public.document set sealed = ${isSealed('new', how('new'))}, sealed_branch = case when ${isSealed('new', how('new'))} then new.branch_id end
       where business_id = new.business_id and module = new.module and document_id = new.document_id
         and new.kind = ${ownKind('new')}
         and sealed is distinct from ${isSealed('new', how('new'))};
      return null;
    end $$`,
  `create or replace function ask_receipt() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      new.sealed_branch := (select r.branch_id from public.receipt r where r.business_id = new.business_id and r.module = new.module
        and r.document_id = new.document_id and r.kind = ${ownKind('new')}
        and r.environment = 'production' and r.moved_to is null and ${isSealed('r', how('r'))});
      new.sealed := new.sealed_branch is not null;
      return new;
    end $$`,
];

/** The branch was written on documents by functions that did not know of late signatures: a document that waits for a person stood as sealed. */
export default class ContestedIsNotSealed extends Migration {
  override up(): void {
    for (const statement of functions((row) => `and not ${row}.contested`)) this.addSql(statement);
    for (const table of ['document', 'receipt'])
      this.addSql(`alter table ${table} no force row level security`);
    this.addSql(
      `update document d set sealed = false, sealed_branch = null from receipt r
        where r.business_id = d.business_id and r.module = d.module and r.document_id = d.document_id and r.kind = ${ownKind('d')}
          and r.environment = 'production' and r.moved_to is null and r.contested and d.sealed`,
    );
    for (const table of ['document', 'receipt'])
      this.addSql(`alter table ${table} force row level security`);
  }

  override down(): void {
    for (const statement of functions(() => '')) this.addSql(statement);
  }
}
