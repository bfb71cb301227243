import { Migration } from '@mikro-orm/migrations';

/** What was exempt once is left to a person when the exemption is taken back: another system may have sealed it meanwhile. */
export default class WasExempt extends Migration {
  override up(): void {
    this.addSql('alter table document add was_exempt boolean not null default false');
    this.addSql('alter table document no force row level security');
    this.addSql('update document set was_exempt = true where exempt');
    this.addSql('alter table document force row level security');
  }

  override down(): void {
    this.addSql('alter table document drop was_exempt');
  }
}
