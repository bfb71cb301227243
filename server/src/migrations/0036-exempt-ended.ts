import { Migration } from '@mikro-orm/migrations';

/** What was exempt and is not any more, and since when: of a document that was made before, and heard of later, nobody knows who sealed it. */
export default class ExemptEnded extends Migration {
  override up(): void {
    this.addSql("alter table business add exempt_ended jsonb not null default '[]'");
  }

  override down(): void {
    this.addSql('alter table business drop exempt_ended');
  }
}
