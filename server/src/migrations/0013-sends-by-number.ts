import { Migration } from '@mikro-orm/migrations';

/**
 * The index of sends by their number is for the one question that asks for those that may have left. While a table is young and has no statistics,
 * PostgreSQL took it for any question about sends, with nothing but the business to look by: recording a signature read every send of the business.
 */
export default class SendsByNumber extends Migration {
  override up(): void {
    this.addSql('drop index attempt_number');
    this.addSql(
      'create index attempt_number on attempt (business_id, device_id, invoice_number) where may_have_left',
    );
  }

  override down(): void {
    this.addSql('drop index attempt_number');
    this.addSql('create index attempt_number on attempt (business_id, device_id, invoice_number)');
  }
}
