import type { Committing, Line, Pool } from './connection.ts';

/**
 * Judges a line on which nothing was heard for longer than a statement may take: it is destroyed,
 * unless PostgreSQL is still at its commit. What came while this process itself stood still is read
 * before that.
 */
export function judge(line: Line): void {
  line.isHeard = false;
  setImmediate(() => {
    if (line.waiting === 0 || line.isHeard || line.isHeld) return;
    // The commit is what is said last: where nothing else waits, PostgreSQL has come to it.
    if (line.waiting === 1 && line.committing) void holdWhileAtIt(line, line.committing);
    else destroy(line);
  });
}

/** Keeps the line of a commit that PostgreSQL is at, until it is answered or left. */
async function holdWhileAtIt(line: Line, mine: Committing): Promise<void> {
  const { client, pool, waits } = line;
  line.isHeld = true;
  const isAtIt = await isAtWork(pool, client.processID, waits.graceMs);
  if (line.committing === mine && isAtIt) {
    const { release } = client;
    let isReleased = false;
    client.release = () => {
      isReleased = true;
    };
    mine.giveUp(nothingHeard());
    const look = setInterval(async () => {
      if (!(await isAtWork(pool, client.processID, waits.graceMs))) destroy(line);
    }, mine.limitMs).unref();
    await mine.answer.catch(() => {});
    clearInterval(look);
    destroy(line);
    client.release = release;
    if (isReleased) release(true);
  } else {
    line.isHeld = false;
    if (line.committing === mine) destroy(line);
    else line.silence?.refresh();
  }
}

const destroy = ({ client }: Line): void => client.connection.stream.destroy(nothingHeard());

/** PostgreSQL's own word for a connection that failed. */
const connectionFailure = '08006';

const nothingHeard = (): Error =>
  Object.assign(new Error('PostgreSQL has said nothing for longer than a statement may take'), {
    code: connectionFailure,
  });

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
