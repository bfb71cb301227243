import { Migration } from '@mikro-orm/migrations';

/**
 * What a device has shown, by refusing a document, that it wants otherwise than the authority's papers say: `exact_supply` (price times quantity is the
 * amount of the line, to the cent), `refund_quantities` (refunds are held against quantities).
 */
export default class WhatDevicesAskFor extends Migration {
  override up(): void {
    this.addSql("alter table device add demands text[] not null default '{}'");
  }

  override down(): void {
    this.addSql('alter table device drop demands');
  }
}
