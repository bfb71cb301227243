import { Migration } from '@mikro-orm/migrations';

/**
 * The currency of a foreign document stands in a column of its own, so that the last rate sealed in a currency is found by an index: an
 * expression over what was filed would not be used under row security.
 */
export default class RatesByCurrency extends Migration {
  override up(): void {
    this.addSql('alter table receipt add foreign_currency text');
    this.addSql(
      "update receipt set foreign_currency = sale #>> '{sale,foreign,currency}' where sale #>> '{sale,foreign,currency}' is not null",
    );
    this.addSql(
      `create index receipt_foreign on receipt (business_id, foreign_currency, document_date desc, id desc)
        where foreign_currency is not null and state = 'signed'`,
    );
  }

  override down(): void {
    this.addSql('drop index receipt_foreign');
    this.addSql('alter table receipt drop foreign_currency');
  }
}
