import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { lookupGrant, roleStatements } from '../roles.ts';
import { as, type Home, url } from './home.ts';
import { bornAt, isAlive, lock, pause, until } from './lock.ts';

const run = promisify(execFile);

export async function leave(
  home: Home,
  dataDir: string,
  users: string,
  mine: string,
): Promise<void> {
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

export async function initialise(home: Home, native: string): Promise<void> {
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

export async function start(home: Home, native: string): Promise<number> {
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
export async function running(home: Home): Promise<number | null> {
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

export async function firstSetUp(home: Home): Promise<void> {
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
