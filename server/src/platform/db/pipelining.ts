import {
  type Client,
  lineOf,
  type Line,
  type Pool,
  type Result,
  type Waits,
} from './connection.ts';
import { prepared, type Round, rounds } from './prepared.ts';
import { hearNotices, plain, say, sayCommit } from './send-statement.ts';

export type { Waits };

/** Begins a statement that is not waited for. */
export const unread = '/*along*/';

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
 * Saves round trips: sends `begin`, settings and unread statements without waiting for their
 * results (PostgreSQL's pipeline mode).
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
  (waits: Waits) =>
  (pool: Pool): void => {
    letInWithin(pool, waits.connectMs);
    const round = rounds();
    pool.on('connect', (client) => {
      const line = lineOf(client, pool, waits);
      hearNotices(line);
      client.query = asking({ line, round, alongside: [], isBegun: false, cause: null });
    });
  };

/** A line and the transaction that is open on it. */
type Transacting = {
  line: Line;
  round: Round;
  /** Statements that go along without being waited for. */
  alongside: Promise<unknown>[];
  /** It was begun, and nothing of it has been sent yet. */
  isBegun: boolean;
  /** Why what was sent ahead or alongside failed. */
  cause: unknown;
};

const answerOf = (command: string, rowCount: number | null = null, rows: unknown[] = []) =>
  Promise.resolve({ command, rowCount, rows, fields: [] });

/** Returns what stands in the place of the driver's `query`. */
const asking =
  (transacting: Transacting): Client['query'] =>
  (text, values, ...rest) => {
    const isCall = typeof text === 'string' && rest.length === 0 && typeof values !== 'function';
    const controlled = isCall ? control(transacting, text) : null;
    if (controlled) return controlled;
    if (typeof text === 'string' && text.startsWith(unread))
      return sendAlong(transacting, text.slice(unread.length), values);
    if (isCall && transacting.isBegun && settings.test(text))
      return sendAhead(transacting, `begin; ${asCommands(text)}`);
    if (transacting.isBegun) void sendAhead(transacting, 'begin');
    const asked = send(transacting, text, values, rest);
    if (!isCall) return asked;
    return asked.catch((error: unknown) => {
      throw transacting.cause ?? error;
    });
  };

/** Answers what begins or ends a transaction; null: it is a statement like any other. */
function control(transacting: Transacting, text: string): Promise<unknown> | null {
  if (text === 'begin') {
    transacting.isBegun = true;
    return answerOf('BEGIN');
  }
  if (text === 'rollback') return rollBack(transacting);
  if (text === 'commit' && transacting.alongside.length > 0) return commitAll(transacting);
  return null;
}

function send(
  { line, round }: Transacting,
  text: unknown,
  values: unknown,
  rest: unknown[],
): Promise<unknown> {
  if (
    line.waits.prepares &&
    typeof text === 'string' &&
    Array.isArray(values) &&
    values.length > 0 &&
    statement.test(text)
  )
    return prepared(line, round, text, values, rest);
  if (text === 'commit' && rest.length === 0 && typeof values !== 'function')
    return sayCommit(line);
  return plain(line, text, values, ...rest);
}

/** Sends what opens a transaction; whoever asks next is told why it failed. */
function sendAhead(transacting: Transacting, text: string): Promise<unknown> {
  transacting.isBegun = false;
  transacting.cause = null;
  plain(transacting.line, text).catch((error: unknown) => {
    transacting.cause = error;
  });
  return answerOf('SELECT', 0);
}

/** Sends a statement that the commit waits for; its one row holds the promise of its rows. */
function sendAlong(transacting: Transacting, text: string, values: unknown): Promise<unknown> {
  const { line, round } = transacting;
  if (transacting.isBegun) void sendAhead(transacting, 'begin');
  const asked = line.waits.prepares
    ? prepared(line, round, text, values)
    : plain(line, text, values);
  asked.catch((error: unknown) => {
    transacting.cause ??= error;
  });
  transacting.alongside.push(asked);
  const later = asked.then((result) => (result as { rows: unknown[] }).rows);
  later.catch(() => {});
  return answerOf('', null, [{ later }]);
}

/**
 * Rolls back. A connection that is gone has rolled back by itself. The query builder releases a
 * connection only after a rollback that worked: without this every connection that breaks inside a
 * transaction is lost to the pool, and a restart of PostgreSQL takes them all.
 */
function rollBack(transacting: Transacting): Promise<unknown> {
  const { line } = transacting;
  transacting.isBegun = false;
  transacting.alongside = [];
  // Its commit is on its way, and decides by itself; once that is answered, whatever is to be
  // undone is another transaction.
  if (line.isHeld && line.committing) return answerOf('ROLLBACK');
  // Nothing takes long in it.
  return say(line, 0, 'rollback').catch(() => {
    line.client.end().catch(() => {});
    return { command: 'ROLLBACK', rowCount: null, rows: [], fields: [] };
  });
}

/**
 * Commits and waits for what went along; a transaction of which a part failed is rolled back, and
 * says so.
 */
async function commitAll(transacting: Transacting): Promise<Result> {
  const parts = transacting.alongside;
  transacting.alongside = [];
  const done = sayCommit(transacting.line);
  done.catch(() => {});
  await Promise.all(parts);
  const result = await done;
  if (result.command === 'ROLLBACK')
    throw transacting.cause ?? new Error('the transaction was rolled back');
  return result;
}

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
