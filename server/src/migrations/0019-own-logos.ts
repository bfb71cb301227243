import { Migration } from '@mikro-orm/migrations';

/**
 * The hash of the logo that we have written ourselves. A logo without it, or with another, came from somewhere else (a file as it was uploaded
 * before, a restored or edited row): no reader of a business sees it, until it has been read whole in a bounded worker and written anew. Credentials in
 * addresses that are told of receipts go: they were shown and logged in clear, and no message was sent with them.
 */
export default class OwnLogos extends Migration {
  override up(): void {
    this.addSql('alter table business add column logo_hash text');
    // The wall holds the owner, too: without this there is no row to change.
    this.addSql('alter table subscriber no force row level security');
    this.addSql(
      `update subscriber set url = regexp_replace(url, '^(https?:)[/\\\\]*[^/?#\\\\]*@', '\\1//', 'i')`,
    );
    this.addSql('alter table subscriber force row level security');
  }

  override down(): void {
    this.addSql('alter table business drop column logo_hash');
  }
}
