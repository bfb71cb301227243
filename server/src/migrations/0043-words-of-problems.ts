import { Migration } from '@mikro-orm/migrations';

/** The codes that have another word from now on, each with the one before. */
const codes: [before: string, now: string][] = [
  ['doubts_two', 'two_open_doubts'],
  ['link_over', 'link_expired'],
  ['consent_over', 'consent_expired'],
  ['pairing_over', 'pairing_expired'],
  ['changed_meanwhile', 'version_conflict'],
  ['wall_attempt', 'cross_business_access'],
  ['second_person_needed', 'second_person_required'],
  ['zoho_not_connected', 'books_not_connected'],
  ['zoho_reconnect', 'books_reconnect'],
  ['zoho_client_refused', 'books_client_refused'],
  ['zoho_forbidden', 'books_forbidden'],
  ['zoho_limit', 'books_limit'],
  ['zoho_unavailable', 'books_unavailable'],
  ['zoho_refused', 'books_refused'],
  ['zoho_mismatch', 'books_mismatch'],
];

/** Where a problem is kept, and is said again in the reader's language. */
const problems = [
  'receipt.problem',
  'device.problem',
  'document.problem',
  'write_back.problem',
  'alert.problem',
  'failing_job.problem',
  'list_sync.problem',
  'connection.polled',
  'idempotency_key.response',
];
/** Where the word alone is kept. */
const words = ['alert.code', 'receipt_day.code', 'reference.pairing.refusal'];

/**
 * Problem codes say what they mean in the words of the field, and those of the books do not name
 * one maker of books. Every row that is said again is rewritten, in every business. The audit log
 * is not: it is chained, and says what it said. A webhook message that waits goes out as composed.
 */
export default class WordsOfProblems extends Migration {
  override up(): void {
    this.reword(codes);
    this.addSql('alter table miss rename to denied_lookup');
    this.addSql('alter index miss_pkey rename to denied_lookup_pkey');
    this.addSql('alter index miss_open rename to denied_lookup_open');
    this.addSql('alter table reference.wall_attempt rename to cross_business_access');
    this.addSql('alter index reference.wall_attempt_pkey rename to cross_business_access_pkey');
    this.addSql('alter index reference.wall_attempt_at rename to cross_business_access_at');
  }

  override down(): void {
    this.addSql('alter index reference.cross_business_access_at rename to wall_attempt_at');
    this.addSql('alter index reference.cross_business_access_pkey rename to wall_attempt_pkey');
    this.addSql('alter table reference.cross_business_access rename to wall_attempt');
    this.addSql('alter index denied_lookup_open rename to miss_open');
    this.addSql('alter index denied_lookup_pkey rename to miss_pkey');
    this.addSql('alter table denied_lookup rename to miss');
    this.reword(codes.map(([before, now]) => [now, before]));
  }

  /**
   * A code may stand within a problem, in the list of its findings. Within the text of a jsonb the
   * quotes of a value are escaped, so that nothing but a code has the form that is looked for.
   */
  private reword(pairs: typeof codes): void {
    const tables = [...new Set([...problems, ...words].map((each) => each.split('.').at(-2)))];
    const own = tables.filter((table) => table !== 'pairing');
    for (const table of own) this.addSql(`alter table ${table} no force row level security`);
    const forms = pairs.map(([before]) => `'%"code": "${before}"%'`).join(', ');
    for (const [table, column] of problems.map((each) => each.split('.'))) {
      const text = pairs.reduce(
        (inner, [before, now]) => `replace(${inner}, '"code": "${before}"', '"code": "${now}"')`,
        `${column}::text`,
      );
      this.addSql(
        `update ${table} set ${column} = (${text})::jsonb where ${column}::text like any (array[${forms}])`,
      );
    }
    const cases = pairs.map(([before, now]) => `when '${before}' then '${now}'`).join(' ');
    const list = pairs.map(([before]) => `'${before}'`).join(', ');
    for (const each of words) {
      const column = each.split('.').at(-1);
      const table = each.slice(0, -1 - (column?.length ?? 0));
      this.addSql(
        `update ${table} set ${column} = case ${column} ${cases} end where ${column} in (${list})`,
      );
    }
    for (const table of own) this.addSql(`alter table ${table} force row level security`);
  }
}
