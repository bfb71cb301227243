import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/** What one person says the authority holds of a document in doubt, until a second one has confirmed it. */
export default class SettledByTwo extends Migration {
  override up(): void {
    addBusinessTable(
      this,
      'settlement',
      `business_id text not null, receipt_id text not null, evidence jsonb not null,
       proposed_by text not null, proposed_name text not null, proposed_at timestamptz not null,
       primary key (business_id, receipt_id),
       foreign key (business_id, receipt_id) references receipt (business_id, id)`,
      'select, insert, update, delete',
    );
  }

  override down(): void {
    this.addSql('drop table settlement');
  }
}
