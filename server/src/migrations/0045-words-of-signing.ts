import { Migration } from '@mikro-orm/migrations';

/** Rows of every business are rewritten: for these the owner is not bound by row security. */
const tables = ['receipt', 'attempt'];

/**
 * What a request is made of is the signing input: the sale, and the terms it is signed under. It
 * stood in a column that named only the first, and its terms under a word that means a tax return.
 * How a send in doubt ended is its resolution; when a document is worked on is when it is due. The
 * conditions of indexes and checks follow.
 */
export default class WordsOfSigning extends Migration {
  override up(): void {
    this.addSql('alter table receipt rename sale to signing_input');
    this.addSql('alter table attempt rename settled to resolution');
    this.addSql(
      'alter table attempt rename constraint attempt_settled_check to attempt_resolution_check',
    );
    this.addSql('alter table document rename look_at to due_at');
    this.addSql('alter index document_look rename to document_due_at');
    this.unbound(
      `update receipt set signing_input = (signing_input - 'filing') || jsonb_build_object('terms', signing_input->'filing')
        where signing_input->'filing' is not null`,
      `update attempt set sent = (sent - 'sale') || jsonb_build_object('signing_input',
          ((sent->'sale') - 'filing') || jsonb_build_object('terms', sent->'sale'->'filing'))
        where sent->'sale' is not null`,
    );
  }

  override down(): void {
    this.unbound(
      `update attempt set sent = (sent - 'signing_input') || jsonb_build_object('sale',
          ((sent->'signing_input') - 'terms') || jsonb_build_object('filing', sent->'signing_input'->'terms'))
        where sent->'signing_input' is not null`,
      `update receipt set signing_input = (signing_input - 'terms') || jsonb_build_object('filing', signing_input->'terms')
        where signing_input->'terms' is not null`,
    );
    this.addSql('alter index document_due_at rename to document_look');
    this.addSql('alter table document rename due_at to look_at');
    this.addSql(
      'alter table attempt rename constraint attempt_resolution_check to attempt_settled_check',
    );
    this.addSql('alter table attempt rename resolution to settled');
    this.addSql('alter table receipt rename signing_input to sale');
  }

  private unbound(...statements: string[]): void {
    for (const table of tables) this.addSql(`alter table ${table} no force row level security`);
    for (const statement of statements) this.addSql(statement);
    for (const table of tables) this.addSql(`alter table ${table} force row level security`);
  }
}
