import type { Committing, Line, Notice, Result } from './connection.ts';
import { judge } from './stalled-connection.ts';

/**
 * Sends a statement and waits for its answer, for a little longer than so many milliseconds. What is
 * sent in one turn of the event loop is written in one piece.
 */
export function say(line: Line, ms: number, ...asked: Parameters<Line['raw']>): Promise<unknown> {
  inOneBreath(line);
  const answer = line.raw(...asked);
  if (!Number.isFinite(ms) || typeof (answer as Promise<unknown> | undefined)?.then !== 'function')
    return answer;
  if (line.waiting === 0) line.silence = setTimeout(judge, ms + line.waits.graceMs, line).unref();
  line.waiting += 1;
  const heard = () => {
    line.waiting -= 1;
    if (line.waiting === 0) clearTimeout(line.silence);
  };
  answer.then(heard, heard);
  return answer;
}

/** Sends a statement under the time limit that statements have now. */
export const plain = (line: Line, ...asked: Parameters<Line['raw']>): Promise<unknown> =>
  say(line, line.waits.statementMs(), ...asked);

function inOneBreath(line: Line): void {
  if (line.isCorked) return;
  const { stream } = line.client.connection;
  line.isCorked = true;
  stream.cork();
  process.nextTick(() => {
    line.isCorked = false;
    stream.uncork();
  });
}

/**
 * Sends a commit. One that the synchronous standby did not keep is not reported as done. If
 * PostgreSQL takes too long over it, the caller is told that its outcome is unknown.
 */
export const sayCommit = (line: Line): Promise<Result> =>
  new Promise((resolve, reject) => {
    const limitMs = line.waits.statementMs() + line.waits.graceMs;
    const mine: Committing = {
      answer: plain(line, 'commit') as Promise<Result>,
      limitMs,
      giveUp: reject,
      isOnlyHere: false,
    };
    line.committing = mine;
    const ended = () => {
      line.committing = null;
    };
    mine.answer
      .finally(ended)
      .then((result) => (mine.isOnlyHere ? reject(onlyHere()) : resolve(result)), reject);
  });

/** Hears that a commit did not wait for the synchronous standby. */
export function hearNotices(line: Line): void {
  line.client.on('notice', (notice) => {
    if (line.committing && isStandbyNotAwaited(notice)) line.committing.isOnlyHere = true;
  });
}

/**
 * The text of the warning is in PostgreSQL's own language: where it comes from says what it is.
 * Whatever stands between may tell no more than the text.
 */
const isStandbyNotAwaited = ({ message = '', routine }: Notice): boolean =>
  routine === 'SyncRepWaitForLSN' ||
  /^cancell?ing (?:the )?wait for synchronous replication/.test(message);

/** PostgreSQL's own word for a transaction of which nobody can say whether it holds. */
const outcomeUnknown = '08007';

const onlyHere = () =>
  Object.assign(
    new Error(
      'PostgreSQL has committed without waiting for its synchronous standby: the commit may be lost',
    ),
    { code: outcomeUnknown },
  );
