import { Migration } from '@mikro-orm/migrations';

/**
 * Receipts that stand open are found without reading those that do not; one whose late signature is open counts among them, and asked for together
 * with them it was in no index: every list of what is open read all receipts.
 */
export default class OpenAndContested extends Migration {
  override up(): void {
    this.addSql('drop index receipt_open');
    this.addSql(
      "create index receipt_open on receipt (business_id, document_date) where state in ('queued', 'in_doubt', 'refused') or drift is not null or contested",
    );
  }

  override down(): void {
    this.addSql('drop index receipt_open');
    this.addSql(
      "create index receipt_open on receipt (business_id, document_date) where state in ('queued', 'in_doubt', 'refused') or drift is not null",
    );
  }
}
