import { Migration } from '@mikro-orm/migrations';

/**
 * Which organization's books a document is of, as they themselves have said. No row is written, so that nobody waits for it: what stands there already, and
 * what a server of before still writes, is of the books that were connected when it was first seen, which the connections tell.
 */
export default class WhoseBooks extends Migration {
  override up(): void {
    this.addSql('alter table document add organization_id text');
  }

  override down(): void {
    this.addSql('alter table document drop organization_id');
  }
}
