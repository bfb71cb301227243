import { createHash, randomBytes } from 'node:crypto';
import { isStalePlan } from './is-transient.ts';
import type { Line } from './connection.ts';
import { plain } from './send-statement.ts';

/** The round in which the connections of a pool prepare their statements. */
export type Round = { name: string };

const firstRound = '';
export const rounds = (): Round => ({ name: firstRound });

/** Says a statement that is prepared once per connection, under a name made of its text. */
export function prepared(
  line: Line,
  round: Round,
  text: string,
  values: unknown,
  rest: unknown[] = [],
): Promise<unknown> {
  const mine = round.name;
  const asked = plain(line, { ...preparedAs(text, mine), values }, undefined, ...rest);
  if (typeof (asked as Promise<unknown> | undefined)?.then === 'function')
    asked.catch((error: object) => {
      // Those that were under way beside it are of the same round, and begin no other.
      if (isStalePlan(error) && round.name === mine)
        round.name = randomBytes(6).toString('base64url');
    });
  return asked;
}

const names = new Map<string, string>();

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
