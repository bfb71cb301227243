import { type Config, readConfig, type Secrets } from '../config.ts';
import { openDatabase } from '../platform/db/database.ts';
import { StartError } from '../platform/start-error.ts';

/** Reads the settings of a command, or throws with everything that is wrong with them. */
export async function readSettings(
  environment: Record<string, string | undefined>,
): Promise<{ config: Config; secrets: Secrets }> {
  const read = readConfig(environment);
  const problems = 'problems' in read ? read.problems : [];
  problems.push(...(await privilegesOf(environment.DATABASE_URL)));
  if ('problems' in read || problems.length > 0) throw new StartError(problems);
  return read;
}

/**
 * A privileged role is among the problems of the one message, even where other settings are missing
 * too.
 */
async function privilegesOf(url: string | undefined): Promise<string[]> {
  if (!url || !/^postgres(ql)?:\/\//.test(url)) return [];
  try {
    const database = await openDatabase(url, 1);
    try {
      return await database.privilegeProblems();
    } finally {
      await database.close();
    }
  } catch (error) {
    return [
      `DATABASE_URL: the database does not answer (${(error as NodeJS.ErrnoException).code ?? 'no connection'})`,
    ];
  }
}
