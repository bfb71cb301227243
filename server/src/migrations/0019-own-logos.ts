import { Migration } from '@mikro-orm/migrations';

/**
 * The hash of the logo that we have written ourselves. A logo without it, or with another, came from somewhere else (a file as it was uploaded
 * before, a restored or edited row): no reader of a business sees it, until it has been read whole in a bounded worker and written anew.
 */
export default class OwnLogos extends Migration {
  override up(): void {
    this.addSql('alter table business add column logo_hash text');
  }

  override down(): void {
    this.addSql('alter table business drop column logo_hash');
  }
}
