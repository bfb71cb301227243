import { Migration } from '@mikro-orm/migrations';

/** Before anything is sealed, other documents of its number are looked for. */
export default class ByNumber extends Migration {
  override up(): void {
    this.addSql('create index receipt_document_number on receipt (business_id, document_number)');
  }

  override down(): void {
    this.addSql('drop index receipt_document_number');
  }
}
