import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

const ownKind = (row: string) => `case ${row}.module when 'invoices' then 'sale' else 'refund' end`;

/** Whether a document is sealed, as its receipt tells it: not while a late signature of it waits for a person. */
const documentFunctions = (settled: (row: string) => string) => [
  `create or replace function tell_document() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      if new.environment <> 'production' or new.moved_to is not null then return null; end if;
      update public.document set sealed = (new.state = 'signed' and new.drift is null ${settled('new')})
       where business_id = new.business_id and module = new.module and document_id = new.document_id
         and new.kind = ${ownKind('new')}
         and sealed is distinct from (new.state = 'signed' and new.drift is null ${settled('new')});
      return null;
    end $$`,
  `create or replace function ask_receipt() returns trigger language plpgsql set search_path = pg_catalog, public as $$
    begin
      new.sealed := exists (select 1 from public.receipt r where r.business_id = new.business_id and r.module = new.module
        and r.document_id = new.document_id and r.kind = ${ownKind('new')}
        and r.state = 'signed' and r.drift is null ${settled('r')} and r.environment = 'production' and r.moved_to is null);
      return new;
    end $$`,
];

/**
 * A signature of the device that came after its document had another one, or had been settled as not signed: kept beside the receipt with the answer
 * it stands in, until a person has settled it and after. While one is open nothing more of the document is sealed.
 */
export default class SignedLate extends Migration {
  override up(): void {
    addBusinessTable(
      this,
      'second_signature',
      `business_id text not null, receipt_id text not null, receipt_signature text not null, attempt_id text not null, device_id text not null,
       environment text not null, invoice_number bigint not null, receipt_number bigint not null, total_receipt_number bigint not null, internal_data text not null,
       sdc_id text not null, mrc_number text not null, signed_at timestamptz not null, verification_url text not null, label text not null,
       response text, response_raw bytea, heard_at timestamptz not null,
       settled_as text check (settled_as in ('receipt', 'undone', 'reversed')), settled_evidence jsonb, settled_at timestamptz,
       primary key (business_id, receipt_id, receipt_signature),
       foreign key (business_id, receipt_id) references receipt (business_id, id),
       foreign key (business_id, attempt_id) references attempt (business_id, id),
       foreign key (business_id, device_id) references device (business_id, id)`,
    );
    this.addSql(
      'create unique index second_signature_key on second_signature (business_id, environment, sdc_id, receipt_signature)',
    );
    this.addSql('alter table receipt add contested boolean not null default false');
    for (const statement of documentFunctions((row) => `and not ${row}.contested`))
      this.addSql(statement);
    this.addSql('drop trigger tells_document on receipt');
    this.addSql(
      'create trigger tells_document after update of state, drift, contested on receipt for each row execute function tell_document()',
    );
  }

  override down(): void {
    this.addSql('drop trigger tells_document on receipt');
    this.addSql(
      'create trigger tells_document after update of state, drift on receipt for each row execute function tell_document()',
    );
    for (const statement of documentFunctions(() => '')) this.addSql(statement);
    this.addSql('alter table receipt drop contested');
    this.addSql('drop table second_signature');
  }
}
