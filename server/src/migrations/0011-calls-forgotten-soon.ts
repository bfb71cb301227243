import { Migration } from '@mikro-orm/migrations';

/** A lane that has been called needs its call no more: kept for an hour they were most of the queue's tables, and its statistics read them all. */
export default class CallsForgottenSoon extends Migration {
  override up(): void {
    this.addSql("update pgboss.queue set deletion_seconds = 60 where name = 'lane'");
  }

  override down(): void {
    this.addSql("update pgboss.queue set deletion_seconds = 3600 where name = 'lane'");
  }
}
