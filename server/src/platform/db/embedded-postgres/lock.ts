import { readFileSync } from 'node:fs';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';

/**
 * A lock between processes: a file made exclusively, with the pid of its maker; one whose maker is
 * gone is taken over.
 */
export async function lock(file: string): Promise<() => Promise<void>> {
  const mine = `${process.pid} ${bornAt(process.pid)}`;
  await until(async () => {
    try {
      await writeFile(file, mine, { flag: 'wx' });
      return true;
    } catch {
      const [pid, born] = (await readFile(file, 'utf8').catch(() => '')).split(' ');
      const age = await stat(file).then(
        (s) => Date.now() - s.mtimeMs,
        () => 0,
      );
      if (pid ? !isAlive(Number(pid)) || bornAt(Number(pid)) !== born : age > 2000)
        await rm(file, { force: true });
      return false;
    }
  }, 60_000);
  return () => rm(file, { force: true });
}

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** When a process began, so that a number given anew is not taken for the old process. */
export const bornAt = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
  } catch {
    return '';
  }
};

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function until(
  done: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > end) throw new Error('PostgreSQL: waited too long');
    await pause(25);
  }
}
