import { Migration } from '@mikro-orm/migrations';

/** Since when, and how often, the books failed to give the document of a receipt while they gave others. */
export default class NeverGiven extends Migration {
  override up(): void {
    this.addSql('alter table receipt add not_given jsonb');
  }

  override down(): void {
    this.addSql('alter table receipt drop not_given');
  }
}
