import { Migration } from '@mikro-orm/migrations';

/**
 * Two columns were added with their first values, and got none: forced row security binds the owner as well, so that both updates met no row. The
 * currency of receipts from before is what the last rate sealed in it is found by; since when a document is due is what its alert's age is counted
 * from. A value that was written since stays.
 */
export default class WhatWasNotFilled extends Migration {
  override up(): void {
    for (const table of ['receipt', 'document'])
      this.addSql(`alter table ${table} no force row level security`);
    this.addSql(
      "update receipt set foreign_currency = sale #>> '{sale,foreign,currency}' where foreign_currency is null and sale #>> '{sale,foreign,currency}' is not null",
    );
    this.addSql(
      `update document set due_since = seen_at
        where due_since is null and not gone and coalesce(status, 'sent') not in ('draft', 'pending_approval', 'submitted', 'rejected', 'void')`,
    );
    for (const table of ['receipt', 'document'])
      this.addSql(`alter table ${table} force row level security`);
  }

  /** The columns themselves, and so their values, go with what added them. */
  override down(): void {
    this.addSql('select 1');
  }
}
