import { Migration } from '@mikro-orm/migrations';

/**
 * Since when and by whom somebody is kept out, so that an operator cannot make room for a decision of their own by blocking whoever else could
 * take it; and when every admin had been told of a way back, from which their time to object is counted. Both are known of what stands there:
 * each block stands in the platform's log, and mails left at once until now.
 */
export default class WhoKeptWhomOut extends Migration {
  override up(): void {
    this.addSql(
      'alter table reference.person add blocked_at timestamptz, add blocked_by text, add blocked_by_type text',
    );
    this.addSql(
      `update reference.person p set blocked_at = a.at, blocked_by = a.actor_id, blocked_by_type = a.actor_type
         from (select distinct on (subject) subject, at, actor_id, actor_type from reference.platform_audit
                where action = 'person.blocked' order by subject, at desc, id desc) a
        where a.subject = p.id and p.status = 'blocked'`,
    );
    this.addSql('alter table way_back add told_at timestamptz');
    // Forced row security binds the owner too: without this the update would meet no row.
    this.addSql('alter table way_back no force row level security');
    this.addSql('update way_back set told_at = asked_at');
    this.addSql('alter table way_back force row level security');
  }

  override down(): void {
    this.addSql('alter table way_back drop told_at');
    this.addSql(
      'alter table reference.person drop blocked_at, drop blocked_by, drop blocked_by_type',
    );
  }
}
