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
  for (const each of [...around, number]) await step(url, { down: true, only: nameOf(each) });
  await meanwhile();
  for (const each of [number, ...around.toReversed()]) await step(url, { only: nameOf(each) });
}

/**
 * The server of the world goes on meanwhile, and may hold what a migration waits for while it waits
 * for the migration: PostgreSQL ends one of the two, and nothing of that one was done.
 */
async function step(url: string, to: { down?: true; only: string }, tries = 5): Promise<void> {
  try {
    await migrate(url, directory, to);
  } catch (error) {
    if ((error as { code?: string }).code !== '40P01' || tries === 1) throw error;
    await step(url, to, tries - 1);
  }
}
