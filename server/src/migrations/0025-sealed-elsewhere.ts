import { Migration } from '@mikro-orm/migrations';

/** Documents of before the switch that a person has marked as sealed by another system: why, by whom and when. They are neither due nor sealed here. */
export default class SealedElsewhere extends Migration {
  override up(): void {
    this.addSql('alter table document add elsewhere jsonb');
    // What is open is found without reading what another system has sealed, and that is summed from its own index.
    this.addSql(
      'create index document_due on document (business_id, date desc, document_id desc) where not sealed and elsewhere is null and date is not null',
    );
    this.addSql(
      `create index document_elsewhere on document (business_id, date desc, document_id desc) include (module, currency, total, status, gone)
        where not sealed and elsewhere is not null and date is not null`,
    );
  }

  override down(): void {
    this.addSql('drop index document_due, document_elsewhere');
    this.addSql('alter table document drop elsewhere');
  }
}
