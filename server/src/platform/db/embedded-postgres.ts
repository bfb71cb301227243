import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { firstSetUp, initialise, leave, running, start } from './embedded-postgres/start.ts';
import { binaries, homeOf, url } from './embedded-postgres/home.ts';
import { bornAt, lock } from './embedded-postgres/lock.ts';

/**
 * Where a PostgreSQL of our own can be reached. The urls are for the roles of `roles.ts`; `admin`
 * is for setting up and for tests.
 */
export type Postgres = {
  urls: { admin: string; owner: string; app: string; queue: string };
  urlFor(login: 'admin' | 'owner' | 'app' | 'queue', database: string): string;
  pid: number;
  stop(): Promise<void>;
};

/**
 * Starts the PostgreSQL that the package `embedded-postgres` brings, or joins the one already
 * running for this checkout; the last to stop ends it. Data is durable (fsync on), no port is
 * opened: a private Unix socket in a directory only its own user may enter.
 *
 * PostgreSQL refuses to run as root, and the package's own starter fails when the project lies in a
 * folder only root may enter: as root, binaries and data are put under a directory of this
 * checkout's own that an unprivileged uid can enter.
 */
export async function startEmbeddedPostgres(checkout: string, dataDir: string): Promise<Postgres> {
  await mkdir(dataDir, { recursive: true });
  const unlock = await lock(join(dataDir, 'postgres.lock'));
  try {
    const home = await homeOf(checkout, dataDir);
    const native = await binaries(home);
    if (!existsSync(join(home.directory, 'data', 'PG_VERSION'))) await initialise(home, native);
    const pid = (await running(home)) ?? (await start(home, native));
    const users = join(dataDir, 'postgres-users');
    await mkdir(users, { recursive: true });
    const mine = join(users, `${process.pid}-${randomBytes(3).toString('hex')}`);
    await writeFile(mine, bornAt(process.pid));
    await firstSetUp(home);
    return {
      urls: {
        admin: url(home, 'admin'),
        owner: url(home, 'owner'),
        app: url(home, 'app'),
        queue: url(home, 'queue'),
      },
      urlFor: (login, database) => url(home, login, database),
      pid,
      stop: () => leave(home, dataDir, users, mine),
    };
  } finally {
    await unlock();
  }
}
