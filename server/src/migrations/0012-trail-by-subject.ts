import { Migration } from '@mikro-orm/migrations';

/** The trail of one receipt, for its evidence pack, without reading the whole. What is not chained yet is not looked for, and costs nothing more to write. */
export default class TrailBySubject extends Migration {
  override up(): void {
    this.addSql(
      'create index audit_subject on audit (business_id, subject) where position is not null',
    );
  }

  override down(): void {
    this.addSql('drop index audit_subject');
  }
}
