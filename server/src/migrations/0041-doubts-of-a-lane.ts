import { Migration } from '@mikro-orm/migrations';

/**
 * Whether a lane has doubts is asked twice for every receipt. There are hardly ever any, so that PostgreSQL held the index of everything open for as good
 * as any other, and read through what waits at all devices of the business each time. `is true` changes nothing in what is found: said like that, the
 * question is answered by this index, and cannot be by one whose condition only follows from it.
 */
export default class DoubtsOfALane extends Migration {
  override up(): void {
    this.addSql(
      "create index receipt_in_doubt on receipt (business_id, device_id) where (state = 'in_doubt') is true",
    );
  }

  override down(): void {
    this.addSql('drop index receipt_in_doubt');
  }
}
