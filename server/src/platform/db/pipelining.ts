import { createHash, randomBytes } from 'node:crypto';
import { isStalePlan } from './is-transient.ts';

type Client = {
  query(text: unknown, values?: unknown, ...rest: unknown[]): unknown;
  end(): Promise<void>;
  /** Gives it back to the pool, or has the pool forget it. */
  release(isGone?: boolean): void;
  on(event: 'notice', run: (notice: Notice) => void): void;
  processID: number | null;
  connection: {
    stream: {
      cork(): void;
      uncork(): void;
      destroy(error: Error): void;
      on(event: 'data', run: () => void): void;
    };
  };
};
type Result = { command: string };
type Notice = { code?: string; message?: string; routine?: string };

/** Begins a statement that is not waited for. */
export const unread = '/*along*/';
type PoolOf<C> = {
  Client: C;
  options: object;
  on(event: 'connect', run: (client: Client) => void): void;
};
type Pool = PoolOf<new (config: object) => object>;

export type Waits = {
  prepares: boolean;
  /**
   * How long PostgreSQL may take to let somebody in, and how much longer than a statement may take
   * it is waited for.
   */
  connectMs: number;
  graceMs: number;
  /** How long a statement that is said now may take. */
  statementMs(): number;
};

const statement = /^\s*(?:select|insert|update|delete|with|\()/i;
const settings =
  /^select set_config\('[\w.]+', '[^']*', true\)(?:, set_config\('[\w.]+', '[^']*', true\))*$/;

/**
 * The same settings as commands: they are neither planned nor run as a query, which costs
 * PostgreSQL a third of opening a transaction.
 */
const asCommands = (text: string): string =>
  Array.from(
    text.matchAll(/set_config\('([\w.]+)', ('[^']*'), true\)/g),
    ([, name, value]) => `set local ${name} = ${value}`,
  ).join('; ');

/**
 * Fewer waits for every transaction, on connections in pipeline mode.
 *
 * What opens one, `begin` and the settings that say whose it is, is sent without waiting for its
 * answer: it goes along with the first statement. That is safe because nothing can be done without
 * it. Where `begin` did not take, the settings hold for nothing and the signed-in role may do
 * nothing; where the settings did not take, PostgreSQL refuses every statement of the transaction.
 * Whoever asks next is told why.
 *
 * A statement marked as going `along` is not waited for either. Where it fails, PostgreSQL refuses
 * everything after it and answers the commit with a rollback; the commit waits for it and fails
 * with its error. Its one row holds the promise of its rows, for whoever wants them later.
 *
 * What is said in one breath is written in one piece. And our statements are few and fixed, and
 * planning the lane's costs PostgreSQL more than running them: each is prepared once per connection
 * under a name made of its text, unless `prepares` says no. (Behind a transaction pooler that needs
 * one which knows prepared statements, as PgBouncer does from 1.21 on.)
 *
 * What was prepared before a table changed may be refused for as long as its connection lives. Once
 * one statement was, all connections prepare theirs anew under names of another round, so that
 * whoever tries again does not meet another old one. And in other words: such a pooler keeps one
 * statement for each text, whatever a client calls it, and for as long as its own connections live.
 * So a round is a word of its own, which no server has said before.
 *
 * And none without an end. A network that swallows everything refuses nothing: a statement is
 * waited for a little longer than PostgreSQL lets it take, and a connection on which nothing at all
 * is heard for so long is destroyed, with everything that waits on it. It never goes back to the
 * pool.
 *
 * Except for a commit that PostgreSQL is still at, which has no limit there: a synchronous standby
 * that is away may hold it for as long as it is. Whoever waits for it is told the same, but the
 * connection keeps its place in the pool until the answer comes. Otherwise another one would be
 * opened for the next commit, and the next, until PostgreSQL takes no more. Whether it is at it is
 * asked on a connection beside the pool.
 *
 * And a commit that somebody has kept from waiting for its synchronous standby is not told as done,
 * though PostgreSQL says it is, with a mere warning: the next standby that takes over may have
 * nothing of it. It is told as one whose outcome is not known, so that whoever needs it looks once
 * more.
 */
export const withPipelining =
  ({ prepares, connectMs, graceMs, statementMs }: Waits) =>
  (pool: Pool): void => {
    letInWithin(pool, connectMs);
    let round = firstRound;
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
      const raw = client.query.bind(client) as (
        text: unknown,
        values?: unknown,
        ...rest: unknown[]
      ) => Promise<unknown>;
      let waiting = 0;
      let silence: NodeJS.Timeout | undefined;
      let isHeard = true;
      const nothingHeard = () =>
        Object.assign(
          new Error('PostgreSQL has said nothing for longer than a statement may take'),
          { code: connectionFailure },
        );
      const destroy = () => stream.destroy(nothingHeard());
      let committing: Committing | null = null;
      let isHeld = false;
      // What came while this process itself stood still is read before it is judged.
      const judge = () => {
        isHeard = false;
        setImmediate(() => {
          if (waiting === 0 || isHeard || isHeld) return;
          // The commit is what is said last: where nothing else waits, PostgreSQL has come to it.
          if (waiting === 1 && committing) void holdWhileAtIt(committing);
          else destroy();
        });
      };
      const holdWhileAtIt = async (mine: Committing) => {
        isHeld = true;
        const isAtIt = await isAtWork(pool, client.processID, graceMs);
        if (committing === mine && isAtIt) {
          const { release } = client;
          let isReleased = false;
          client.release = () => {
            isReleased = true;
          };
          mine.giveUp(nothingHeard());
          const look = setInterval(async () => {
            if (!(await isAtWork(pool, client.processID, graceMs))) destroy();
          }, mine.limitMs).unref();
          await mine.answer.catch(() => {});
          clearInterval(look);
          destroy();
          client.release = release;
          if (isReleased) release(true);
        } else {
          isHeld = false;
          if (committing === mine) destroy();
          else silence?.refresh();
        }
      };
      stream.on('data', () => {
        isHeard = true;
        silence?.refresh();
      });
      const heardOf = () => {
        waiting -= 1;
        if (waiting === 0) clearTimeout(silence);
      };
      const saying = (ms: number, ...asked: Parameters<typeof raw>) => {
        oneBreath();
        const answer = raw(...asked);
        if (
          !Number.isFinite(ms) ||
          typeof (answer as Promise<unknown> | undefined)?.then !== 'function'
        )
          return answer;
        if (waiting === 0) silence = setTimeout(judge, ms + graceMs).unref();
        waiting += 1;
        answer.then(heardOf, heardOf);
        return answer;
      };
      const plain: typeof raw = (...asked) => saying(statementMs(), ...asked);
      const prepared = (text: string, values: unknown, ...rest: unknown[]) => {
        const mine = round;
        const asked = plain({ ...preparedAs(text, mine), values }, undefined, ...rest);
        if (typeof (asked as Promise<unknown> | undefined)?.then === 'function')
          asked.catch((error: object) => {
            // Those that were under way beside it are of the same round, and begin no other.
            if (isStalePlan(error) && round === mine) round = randomBytes(6).toString('base64url');
          });
        return asked;
      };
      const sayCommit = (): Promise<Result> =>
        new Promise((resolve, reject) => {
          const limitMs = statementMs() + graceMs;
          const mine: Committing = {
            answer: plain('commit') as Promise<Result>,
            limitMs,
            giveUp: reject,
            isOnlyHere: false,
          };
          committing = mine;
          const isOver = () => {
            committing = null;
          };
          mine.answer
            .finally(isOver)
            .then((result) => (mine.isOnlyHere ? reject(onlyHere()) : resolve(result)), reject);
        });
      client.on('notice', (notice) => {
        if (committing && isStandbyNotAwaited(notice)) committing.isOnlyHere = true;
      });
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
      // A connection that is gone has rolled back by itself. The query builder releases a
      // connection only after a rollback that worked: without this every connection that breaks
      // inside a transaction is lost to the pool, and a restart of PostgreSQL takes them all.
      const rollBack = () => {
        isBegun = false;
        alongside = [];
        // Its commit is on its way, and decides by itself; once that is answered, whatever is to be
        // undone is another transaction.
        if (isHeld && committing)
          return Promise.resolve({ command: 'ROLLBACK', rowCount: null, rows: [], fields: [] });
        // Nothing takes long in it.
        return saying(0, 'rollback').catch(() => {
          client.end().catch(() => {});
          return { command: 'ROLLBACK', rowCount: null, rows: [], fields: [] };
        });
      };
      /**
       * Waits for what went along; a transaction of which a part failed is rolled back, and says
       * so.
       */
      const commit = async () => {
        const parts = alongside;
        alongside = [];
        const done = sayCommit();
        done.catch(() => {});
        await Promise.all(parts);
        const result = await done;
        if (result.command === 'ROLLBACK')
          throw cause ?? new Error('the transaction was rolled back');
        return result;
      };
      client.query = (text, values, ...rest) => {
        const isCall =
          typeof text === 'string' && rest.length === 0 && typeof values !== 'function';
        if (isCall && text === 'begin') {
          isBegun = true;
          return Promise.resolve({ command: 'BEGIN', rowCount: null, rows: [], fields: [] });
        }
        if (isCall && text === 'rollback') return rollBack();
        if (isCall && text === 'commit' && alongside.length > 0) return commit();
        if (typeof text === 'string' && text.startsWith(unread)) {
          const statement = text.slice(unread.length);
          if (isBegun) void sendAhead('begin');
          const asked = prepares ? prepared(statement, values) : plain(statement, values);
          asked.catch((error: unknown) => {
            cause ??= error;
          });
          alongside.push(asked);
          const later = asked.then((result) => (result as { rows: unknown[] }).rows);
          later.catch(() => {});
          return Promise.resolve({ command: '', rowCount: null, rows: [{ later }], fields: [] });
        }
        if (isCall && isBegun && settings.test(text))
          return sendAhead(`begin; ${asCommands(text)}`);
        if (isBegun) void sendAhead('begin');
        const asked =
          prepares &&
          typeof text === 'string' &&
          Array.isArray(values) &&
          values.length > 0 &&
          statement.test(text)
            ? prepared(text, values, ...rest)
            : isCall && text === 'commit'
              ? sayCommit()
              : plain(text, values, ...rest);
        if (!isCall) return asked;
        return asked.catch((error: unknown) => {
          throw cause ?? error;
        });
      };
    });
  };

/**
 * A commit whose answer is awaited, and how whoever waits for it is told that they do so no longer.
 */
type Committing = {
  answer: Promise<Result>;
  limitMs: number;
  giveUp(error: Error): void;
  isOnlyHere: boolean;
};

/**
 * The text of the warning is in PostgreSQL's own language: where it comes from says what it is.
 * Whatever stands between may tell no more than the text.
 */
const isStandbyNotAwaited = ({ message = '', routine }: Notice): boolean =>
  routine === 'SyncRepWaitForLSN' ||
  /^cancell?ing (?:the )?wait for synchronous replication/.test(message);

const onlyHere = () =>
  Object.assign(
    new Error(
      'PostgreSQL has committed without waiting for its synchronous standby: the commit may be lost',
    ),
    { code: outcomeUnknown },
  );

type Asker = {
  connect(): Promise<void>;
  query(text: string, values: unknown[]): Promise<{ rowCount: number }>;
  end(): Promise<void>;
  on(event: 'error', run: () => void): void;
};

/**
 * Whether PostgreSQL works for that session at this moment. Not where nobody answers, nor where a
 * pooler has given the session a number of its own; but where it takes no further connection, as
 * one may wait for each that is taken.
 */
async function isAtWork(pool: Pool, processId: number | null, withinMs: number): Promise<boolean> {
  const asker = new pool.Client({
    ...pool.options,
    password: (pool.options as { password?: unknown }).password,
    query_timeout: withinMs,
  } as object) as Asker;
  asker.on('error', () => {});
  try {
    await asker.connect();
    return (
      (
        await asker.query("select 1 from pg_stat_activity where pid = $1 and state = 'active'", [
          processId,
        ])
      ).rowCount > 0
    );
  } catch (error) {
    return (error as { code?: string }).code === tooManyConnections;
  } finally {
    asker.end().catch(() => {});
  }
}

const tooManyConnections = '53300';

/** PostgreSQL's own word for a connection that failed. */
const connectionFailure = '08006';
/** And for a transaction of which nobody can say whether it holds. */
const outcomeUnknown = '08007';

/**
 * Only what connects has this limit. Told to the pool, it would hold as well for whoever waits
 * until one of its connections is free, which is no trouble of the database: under load it takes as
 * long as it takes.
 */
function letInWithin(pool: Pool, connectMs: number): void {
  const Plain = pool.Client;
  pool.Client = class extends Plain {
    constructor(config: object & { password?: unknown }) {
      // Not among what is copied: the pool hides it.
      super({ ...config, password: config.password, connectionTimeoutMillis: connectMs });
    }
  };
}

const names = new Map<string, string>();
const firstRound = '';

function preparedAs(text: string, round: string): { name: string; text: string } {
  let name = names.get(text);
  if (!name) {
    name = `s_${createHash('sha1').update(text).digest('base64url').slice(0, 16)}`;
    names.set(text, name);
  }
  return round === firstRound
    ? { name, text }
    : { name: `${name}_${round}`, text: `/*${round}*/ ${text}` };
}
