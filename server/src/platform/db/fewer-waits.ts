import { createHash } from 'node:crypto';

type Client = {
  query(text: unknown, values?: unknown, ...rest: unknown[]): unknown;
  end(): Promise<void>;
  connection: { stream: { cork(): void; uncork(): void } };
};
type Result = { command: string };

/** Begins a statement that is not waited for. */
export const along = '/*along*/';
type Pool = { on(event: 'connect', run: (client: Client) => void): void };

const statement = /^\s*(?:select|insert|update|delete|with|\()/i;
const settings = /^select set_config\('[\w.]+', '[^']*', true\)(?:, set_config\('[\w.]+', '[^']*', true\))*$/;

/** The same settings as commands: they are neither planned nor run as a query, which costs PostgreSQL a third of opening a transaction. */
const asCommands = (text: string): string =>
  Array.from(text.matchAll(/set_config\('([\w.]+)', ('[^']*'), true\)/g), ([, name, value]) => `set local ${name} = ${value}`).join('; ');

/**
 * Fewer waits for every transaction, on connections in pipeline mode.
 *
 * What opens one, `begin` and the settings that say whose it is, is sent without waiting for its answer: it goes along with the first
 * statement. That is safe because nothing can be done without it. Where `begin` did not take, the settings hold for nothing and the signed-in
 * role may do nothing; where the settings did not take, PostgreSQL refuses every statement of the transaction. Whoever asks next is told why.
 *
 * A statement marked as going `along` is not waited for either. Where it fails, PostgreSQL refuses everything after it and answers the commit
 * with a rollback; the commit waits for it and fails with its error. Its one row holds the promise of its rows, for whoever wants them later.
 *
 * What is said in one breath is written in one piece. And our statements are few and fixed, and planning the lane's costs PostgreSQL more than
 * running them: each is prepared once per connection under a name made of its text, unless `prepares` says no. (Behind a transaction pooler
 * that needs one which knows prepared statements, as PgBouncer does from 1.21 on.)
 */
export const withFewerWaits =
  (prepares: boolean) =>
  (pool: Pool): void =>
    pool.on('connect', (client) => {
      const { stream } = client.connection;
      let isCorked = false;
      const oneBreath = () => {
        if (isCorked) return;
        isCorked = true;
        stream.cork();
        process.nextTick(() => {
          isCorked = false;
          stream.uncork();
        });
      };
      const raw = client.query.bind(client) as (text: unknown, values?: unknown, ...rest: unknown[]) => Promise<unknown>;
      const plain: typeof raw = (...asked) => {
        oneBreath();
        return raw(...asked);
      };
      let alongside: Promise<unknown>[] = [];
      let isBegun = false;
      let cause: unknown = null;
      const sendAhead = (text: string) => {
        isBegun = false;
        cause = null;
        plain(text).catch((error: unknown) => {
          cause = error;
        });
        return Promise.resolve({ command: 'SELECT', rowCount: 0, rows: [], fields: [] });
      };
      // A connection that is gone has rolled back by itself. The query builder releases a connection only after a rollback that worked:
      // without this every connection that breaks inside a transaction is lost to the pool, and a restart of PostgreSQL takes them all.
      const rollBack = () => {
        isBegun = false;
        alongside = [];
        return plain('rollback').catch(() => {
          client.end().catch(() => {});
          return { command: 'ROLLBACK', rowCount: null, rows: [], fields: [] };
        });
      };
      /** Waits for what went along; a transaction of which a part failed is rolled back, and says so. */
      const commit = async () => {
        const parts = alongside;
        alongside = [];
        const done = plain('commit') as Promise<Result>;
        done.catch(() => {});
        await Promise.all(parts);
        const result = await done;
        if (result.command === 'ROLLBACK') throw cause ?? new Error('the transaction was rolled back');
        return result;
      };
      client.query = (text, values, ...rest) => {
        const isCall = typeof text === 'string' && rest.length === 0 && typeof values !== 'function';
        if (isCall && text === 'begin') {
          isBegun = true;
          return Promise.resolve({ command: 'BEGIN', rowCount: null, rows: [], fields: [] });
        }
        if (isCall && text === 'rollback') return rollBack();
        if (isCall && text === 'commit' && alongside.length > 0) return commit();
        if (typeof text === 'string' && text.startsWith(along)) {
          const statement = text.slice(along.length);
          if (isBegun) void sendAhead('begin');
          const asked = prepares ? plain({ name: nameOf(statement), text: statement, values }) : plain(statement, values);
          asked.catch((error: unknown) => {
            cause ??= error;
          });
          alongside.push(asked);
          const later = asked.then((result) => (result as { rows: unknown[] }).rows);
          later.catch(() => {});
          return Promise.resolve({ command: '', rowCount: null, rows: [{ later }], fields: [] });
        }
        if (isCall && isBegun && settings.test(text)) return sendAhead(`begin; ${asCommands(text)}`);
        if (isBegun) void sendAhead('begin');
        const asked =
          prepares && typeof text === 'string' && Array.isArray(values) && values.length > 0 && statement.test(text)
            ? plain({ name: nameOf(text), text, values }, undefined, ...rest)
            : plain(text, values, ...rest);
        if (!isCall) return asked;
        return asked.catch((error: unknown) => {
          throw cause ?? error;
        });
      };
    });

const names = new Map<string, string>();

function nameOf(text: string): string {
  let name = names.get(text);
  if (!name) {
    name = `s_${createHash('sha1').update(text).digest('base64url').slice(0, 16)}`;
    names.set(text, name);
  }
  return name;
}
