import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '@muhuri/server/platform/db/database';
import { checkout } from './world.ts';

const directory = join(checkout, 'server/src/migrations');
/** Those that rename what the ones before them name: nothing older goes down or up over them. */
const renaming = ['0045', '0044', '0043'];

const nameOf = (number: string): string =>
  readdirSync(directory).find((name) => name.startsWith(`${number}-`)) as string;

/**
 * Takes one migration down and up again, with the words that it knew: whatever renamed them later
 * goes down before it and up after it. `meanwhile` runs while it is down, in those words too.
 */
export async function redo(
  url: string,
  number: string,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> {
  const around = renaming.filter((each) => each > number);
  for (const each of [...around, number])
    await migrate(url, directory, { down: true, only: nameOf(each) });
  await meanwhile();
  for (const each of [number, ...around.toReversed()])
    await migrate(url, directory, { only: nameOf(each) });
}
