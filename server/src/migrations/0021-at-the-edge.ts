import { Migration } from '@mikro-orm/migrations';
import { searchWordsOf } from '../platform/search-words.ts';
import { addBusinessTable, askAcross } from './business-table.ts';

/** What is asked of the database by many, or of much, costs the same with a little and with a lot; and no secret is kept in an answer. */
export default class AtTheEdge extends Migration {
  override async up(): Promise<void> {
    await this.search();
    await this.answers();
    await this.lookups();
    await this.trails();
  }

  /** Answers to repeated requests are kept for a day and hold no secret; of those kept so far any may. */
  private async answers(): Promise<void> {
    await this.execute('alter table idempotency_key add ended_at timestamptz');
    await this.asEveryBusiness(['idempotency_key'], async () => {
      await this.execute('update idempotency_key set response = null, ended_at = created_at');
    });
    await this.execute(
      'create index idempotency_key_age on idempotency_key (business_id, created_at)',
    );
  }

  /** How far a trail was found whole, and the keys that have vouched for it. */
  private async trails(): Promise<void> {
    await this.execute(
      "alter table trail_head add verified_position bigint not null default 0, add verified_hash text not null default ''",
    );
    await this.execute(
      'create table reference.evidence_key (fingerprint text primary key, public_key text not null, since timestamptz not null)',
    );
    await this.execute('grant select, insert on reference.evidence_key to muhuri_platform');
  }

  /** The question across businesses is asked by the key of each table, over all the tables it is asked of by now. */
  private async lookups(): Promise<void> {
    const asked = (await this.execute(
      `select p.tablename as name from pg_policies p join information_schema.columns c on c.table_schema = p.schemaname and c.table_name = p.tablename
        where p.schemaname = 'public' and p.policyname = 'lookup' and c.column_name = 'id' order by 1`,
    )) as { name: string }[];
    const listed: string[] = [];
    askAcross(
      { addSql: (text) => void listed.push(String(text)) },
      asked.map((each) => each.name),
    );
    for (const text of listed) await this.execute(text);
  }

  /** Searches go by the beginnings of words, sums over a month by an index that holds all they need, lists of one state by the state. */
  private async search(): Promise<void> {
    const run = (text: string, parameters: unknown[] = []) => this.execute(text, parameters);
    const listed: string[] = [];
    addBusinessTable(
      { addSql: (text) => void listed.push(String(text)) },
      'search_word',
      `business_id text not null, word text collate "C" not null, module text not null, document_id text not null,
       primary key (business_id, word, module, document_id)`,
      'select, insert',
    );
    for (const text of listed) await run(text);
    await run(`
      create function spread_words() returns trigger language plpgsql set search_path = pg_catalog, public as $$
      begin
        insert into public.search_word (business_id, word, module, document_id)
          select new.business_id, word, new.module, new.document_id from unnest(string_to_array(ltrim(new.words), ' ')) word where word <> ''
          on conflict do nothing;
        return null;
      end $$`);
    for (const table of ['document', 'receipt']) {
      await run(`alter table ${table} add words text not null default ''`);
      await run(
        `create trigger spreads_words after insert on ${table} for each row when (new.words <> '') execute function spread_words()`,
      );
      await run(
        `create trigger spreads_new_words after update of words on ${table} for each row when (new.words <> old.words) execute function spread_words()`,
      );
    }
    await this.asEveryBusiness(['document', 'receipt', 'search_word'], async () => {
      await this.fill(
        'document',
        'number, customer_name as name, trim_scale(total)::text as total',
        'module, document_id',
        (row) => searchWordsOf(row.number, row.name, row.total),
      );
      await this.fill(
        'receipt',
        `document_number as number, sale->'sale'->'buyer'->>'name' as name, sale->'sale'->>'customerId' as customer`,
        'id',
        (row) => searchWordsOf(row.number, row.name, row.customer && `customer:${row.customer}`),
      );
    });
    await run(
      'create index document_sum on document (business_id, date) include (module, currency, total) where sealed and date is not null',
    );
    await run(
      "create index receipt_ended on receipt (business_id, state, opened_at desc, id desc) where state in ('refused', 'withdrawn')",
    );
  }

  override down(): void {
    this.addSql('drop table reference.evidence_key');
    this.addSql('alter table trail_head drop verified_position, drop verified_hash');
    this.addSql('drop index idempotency_key_age');
    this.addSql('alter table idempotency_key drop ended_at');
    this.addSql('drop index receipt_ended');
    this.addSql('drop index document_sum');
    for (const table of ['document', 'receipt']) {
      for (const trigger of ['spreads_words', 'spreads_new_words'])
        this.addSql(`drop trigger ${trigger} on ${table}`);
      this.addSql(`alter table ${table} drop words`);
    }
    this.addSql('drop function spread_words');
    this.addSql('drop table search_word');
  }

  /** The words of every row there is, some thousands at a time. */
  private async fill(
    table: string,
    columns: string,
    key: string,
    words: (row: Record<string, string | null>) => string,
  ): Promise<void> {
    for (;;) {
      const rows = (await this.execute(
        `select business_id, ${key}, ${columns} from ${table} where words = '' and ${key.split(', ').at(-1)} is not null limit 2000`,
      )) as Record<string, string | null>[];
      if (rows.length === 0) return;
      const keys = ['business_id', ...key.split(', ')];
      await this.execute(
        `update ${table} t set words = l.words from jsonb_to_recordset(?::jsonb) as l(${keys.map((each) => `${each} text`).join(', ')}, words text)
          where ${keys.map((each) => `t.${each} = l.${each}`).join(' and ')}`,
        // A row that has no word at all is told from one that was not looked at yet.
        [
          JSON.stringify(
            rows.map((row) => ({
              ...Object.fromEntries(keys.map((each) => [each, row[each]])),
              words: words(row) || ' ',
            })),
          ),
        ],
      );
    }
  }

  /** Forced row security binds the owner too: what a migration changes in rows of every business it changes with the walls put down, within its transaction. */
  private async asEveryBusiness(tables: string[], work: () => Promise<void>): Promise<void> {
    for (const table of tables)
      await this.execute(`alter table ${table} no force row level security`);
    await work();
    for (const table of tables) await this.execute(`alter table ${table} force row level security`);
  }
}
