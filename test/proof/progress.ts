import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../world.ts';

export type Done = { id: string; seconds: number; result: unknown };

/**
 * The pieces of a part that are done, kept for this code and this size alone: what another program
 * came to is no part of this proof.
 */
export function progressOf(
  name: string,
  code: string,
  size: string,
): { done: Done[]; keep(piece: Done): void } {
  const folder = join(checkout, '.data/proof');
  const file = join(folder, `${name}-${code}-${size.replaceAll(/\W+/g, '-')}.jsonl`);
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
  return {
    // A line that was cut off while it was written is a piece that is not done.
    done: lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Done];
      } catch {
        return [];
      }
    }),
    keep(piece) {
      mkdirSync(folder, { recursive: true });
      appendFileSync(file, `${JSON.stringify(piece)}\n`);
    },
  };
}
