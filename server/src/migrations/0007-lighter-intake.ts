import { Migration } from '@mikro-orm/migrations';

/**
 * Two index entries less for every webhook: ids begin with their time, so that deliveries are listed by their key; and a document that was
 * only heard of has no date to be found by.
 */
export default class LighterIntake extends Migration {
  override up(): void {
    this.addSql('drop index delivery_at');
    this.addSql('drop index document_date');
    this.addSql(
      'create index document_date on document (business_id, date desc, document_id desc) where date is not null',
    );
  }

  override down(): void {
    this.addSql('drop index document_date');
    this.addSql(
      'create index document_date on document (business_id, date desc, document_id desc)',
    );
    this.addSql('create index delivery_at on delivery (business_id, at desc, id desc)');
  }
}
