import { Migration } from '@mikro-orm/migrations';

/**
 * A document may be read anew after it was refused, and its earlier send be in doubt again later: what that send was made of is kept with it once the
 * receipt says something else. Null is: what the receipt says.
 */
export default class WhatWasSent extends Migration {
  override up(): void {
    this.addSql('alter table attempt add sent jsonb');
  }

  override down(): void {
    this.addSql('alter table attempt drop sent');
  }
}
