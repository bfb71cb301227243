import { Migration } from '@mikro-orm/migrations';

/**
 * Whether a document is sealed stands on the document itself, so that what is open is found without reading what is not. The receipt
 * decides; it writes here in its own transaction whenever its state or drift changes, and a document seen later than its receipt asks it.
 */
export default class OpenDocuments extends Migration {
  override up(): void {
    this.addSql('alter table document add sealed boolean not null default false');
    this.addSql(
      `update document d set sealed = true from receipt r
        where r.business_id = d.business_id and r.module = d.module and r.document_id = d.document_id
          and r.kind = case d.module when 'invoices' then 'sale' else 'refund' end and r.state = 'signed' and r.drift is null`,
    );
    this.addSql(
      'create index document_open on document (business_id, date desc, document_id desc) where not sealed and date is not null',
    );
    this.addSql(`
      create function tell_document() returns trigger language plpgsql set search_path = pg_catalog, public as $$
      begin
        update public.document set sealed = (new.state = 'signed' and new.drift is null)
         where business_id = new.business_id and module = new.module and document_id = new.document_id
           and new.kind = case new.module when 'invoices' then 'sale' else 'refund' end
           and sealed is distinct from (new.state = 'signed' and new.drift is null);
        return null;
      end $$`);
    this.addSql(`
      create function ask_receipt() returns trigger language plpgsql set search_path = pg_catalog, public as $$
      begin
        new.sealed := exists (select 1 from public.receipt r where r.business_id = new.business_id and r.module = new.module
          and r.document_id = new.document_id and r.kind = case new.module when 'invoices' then 'sale' else 'refund' end
          and r.state = 'signed' and r.drift is null);
        return new;
      end $$`);
    this.addSql(
      'create trigger tells_document after update of state, drift on receipt for each row execute function tell_document()',
    );
    this.addSql(
      'create trigger asks_receipt before insert on document for each row execute function ask_receipt()',
    );
  }

  override down(): void {
    this.addSql('drop trigger asks_receipt on document');
    this.addSql('drop trigger tells_document on receipt');
    this.addSql('drop function ask_receipt, tell_document');
    this.addSql('drop index document_open');
    this.addSql('alter table document drop sealed');
  }
}
