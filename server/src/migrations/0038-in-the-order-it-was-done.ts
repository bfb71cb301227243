import { Migration } from '@mikro-orm/migrations';

const tables = ['attempt', 'signature', 'second_signature'];

/**
 * A server's clock may be set back, and ids begin with its time: which send was the last, and what was signed before what, is counted instead. What stands
 * there already keeps nought and with it the order of its times, before everything that comes: no row is written, so that nobody waits for it.
 */
export default class InTheOrderItWasDone extends Migration {
  override up(): void {
    this.addSql('create sequence ordinal_of_lanes');
    this.addSql('grant usage on sequence ordinal_of_lanes to muhuri_worker');
    for (const table of tables) {
      this.addSql(`alter table ${table} add ordinal bigint not null default 0`);
      this.addSql(`alter table ${table} alter ordinal set default nextval('ordinal_of_lanes')`);
    }
  }

  override down(): void {
    for (const table of tables) this.addSql(`alter table ${table} drop ordinal`);
    this.addSql('drop sequence ordinal_of_lanes');
  }
}
