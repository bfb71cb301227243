import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/** Whose word it is, and what the authority showed, that a device takes the refunds of a sale which a device before it has signed. */
export default class RefundsBySuccessors extends Migration {
  override up(): void {
    addBusinessTable(
      this,
      'takeover',
      `business_id text not null, receipt_id text not null, device_id text not null, source text not null, answer text not null,
       confirmed_by text not null, confirmed_name text not null, confirmed_at timestamptz not null,
       primary key (business_id, receipt_id, device_id),
       foreign key (business_id, receipt_id) references receipt (business_id, id),
       foreign key (business_id, device_id) references device (business_id, id)`,
      'select, insert',
    );
  }

  override down(): void {
    this.addSql('drop table takeover');
  }
}
