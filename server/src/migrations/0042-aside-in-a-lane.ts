import { Migration } from '@mikro-orm/migrations';

/** When a document that stands aside is due is asked wherever a lane comes to its end, and read through everything open of the business, as doubts did. */
export default class AsideInALane extends Migration {
  override up(): void {
    this.addSql(
      "create index receipt_aside on receipt (business_id, device_id, next_try_at) where (state = 'queued' and next_try_at is not null) is true",
    );
  }

  override down(): void {
    this.addSql('drop index receipt_aside');
  }
}
