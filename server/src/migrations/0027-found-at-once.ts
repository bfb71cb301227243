import { Migration } from '@mikro-orm/migrations';

const ownKind = (row: string) => `case ${row}.module when 'invoices' then 'sale' else 'refund' end`;
const counts =
  "r.environment = 'production' and r.moved_to is null and r.state = 'signed' and r.drift is null";

/** What a document is told by its receipts: whether it is sealed, and from here on by which branch. */
const functions = (withBranch: boolean) => [
  `create or replace function tell_document() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      if new.environment <> 'production' or new.moved_to is not null then return null; end if;
      update public.document set sealed = (new.state = 'signed' and new.drift is null)
         ${withBranch ? ", sealed_branch = case when new.state = 'signed' and new.drift is null then new.branch_id end" : ''}
       where business_id = new.business_id and module = new.module and document_id = new.document_id
         and new.kind = ${ownKind('new')}
         and sealed is distinct from (new.state = 'signed' and new.drift is null);
      return null;
    end $$`,
  `create or replace function ask_receipt() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      ${
        withBranch
          ? `new.sealed_branch := (select r.branch_id from public.receipt r where r.business_id = new.business_id and r.module = new.module
        and r.document_id = new.document_id and r.kind = ${ownKind('new')} and ${counts});
      new.sealed := new.sealed_branch is not null;`
          : `new.sealed := exists (select 1 from public.receipt r where r.business_id = new.business_id and r.module = new.module
        and r.document_id = new.document_id and r.kind = ${ownKind('new')} and ${counts});`
      }
      return new;
    end $$`,
];

/**
 * Two lists that walked through all there is where little of it was asked for: what one branch has sealed, and what was done of one kind. The branch
 * stands on the document, written by the same trigger as that it is sealed; and what is done seldom has an index by what it is. Opening and signing
 * are most of a trail, are met at every step through it, and stay out of that index: a signature costs nothing more.
 */
export default class FoundAtOnce extends Migration {
  override up(): void {
    this.addSql('alter table document add sealed_branch text');
    for (const statement of functions(true)) this.addSql(statement);
    for (const table of ['document', 'receipt'])
      this.addSql(`alter table ${table} no force row level security`);
    this.addSql(
      `update document d set sealed_branch = r.branch_id from receipt r
        where r.business_id = d.business_id and r.module = d.module and r.document_id = d.document_id and r.kind = ${ownKind('d')} and d.sealed and ${counts}`,
    );
    for (const table of ['document', 'receipt'])
      this.addSql(`alter table ${table} force row level security`);
    this.addSql(
      'create index document_of_branch on document (business_id, sealed_branch, date desc, document_id desc) where sealed and date is not null',
    );
    this.addSql(
      `create index audit_seldom on audit (business_id, (action collate "C"), at desc, id desc) where action not in ('receipt.opened', 'receipt.signed')`,
    );
  }

  override down(): void {
    this.addSql('drop index audit_seldom, document_of_branch');
    for (const statement of functions(false)) this.addSql(statement);
    this.addSql('alter table document drop sealed_branch');
  }
}
