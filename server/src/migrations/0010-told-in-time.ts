import { Migration } from '@mikro-orm/migrations';
import { addBusinessTable } from './business-table.ts';

/** Alerts are mailed and told to addresses once each, and what happens by the clock happens once, however many servers there are. */
export default class ToldInTime extends Migration {
  override up(): void {
    this.addSql(
      'alter table alert add mailed_at timestamptz, add noticed_at timestamptz, add close_noticed_at timestamptz',
    );
    // What stood before is not news.
    this.addSql('update alert set mailed_at = now(), noticed_at = now(), close_noticed_at = now()');
    this.addSql(
      'create index alert_unmailed on alert (business_id, opened_at) where mailed_at is null and closed_at is null',
    );
    this.addSql(
      'create index alert_unnoticed on alert (business_id, opened_at) where noticed_at is null or (close_noticed_at is null and closed_at is not null)',
    );
    addBusinessTable(
      this,
      'slot',
      `business_id text not null, job text not null, slot text not null, taken_at timestamptz not null, taken_by text not null,
       primary key (business_id, job, slot)`,
      'select, insert, delete',
    );
  }

  override down(): void {
    this.addSql('drop table slot');
    this.addSql('drop index alert_unmailed');
    this.addSql('drop index alert_unnoticed');
    this.addSql('alter table alert drop mailed_at, drop noticed_at, drop close_noticed_at');
  }
}
