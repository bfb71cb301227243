import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/**
 * Where Chromium is; installed by us where the system lets us, else the sentence that says what to
 * install.
 */
export function findChromium(): { path: string } | { problem: string } {
  const found = process.env.CHROMIUM_PATH ? [process.env.CHROMIUM_PATH, ...places] : places;
  const path = found.find((each) => existsSync(each));
  if (path) return { path };
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Installing Chromium for the browser tests …');
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    spawnSync('apt-get', ['install', '-y', '-qq', 'chromium'], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const installed = places.find((each) => existsSync(each));
    if (installed) return { path: installed };
  }
  return {
    problem:
      'Browser tests need Chromium: install it (on Debian: apt-get install chromium) or set CHROMIUM_PATH to it.',
  };
}

/** The programs that read a receipt back: they are not ours, so that they can disagree. */
export function findReaders(): string[] {
  const missing = (['zbarimg', 'pdftoppm', 'qpdf'] as const).filter(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
  );
  if (missing.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    spawnSync('apt-get', ['install', '-y', '-qq', 'zbar-tools', 'poppler-utils', 'qpdf'], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return (['zbarimg', 'pdftoppm', 'qpdf'] as const).filter(
      (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0,
    );
  }
  return missing;
}

/**
 * PgBouncer's program, or null where it can neither be found nor fetched. Its package is only
 * unpacked, never installed: installing would start a service of its own on the machine.
 */
export function findPooler(): string | null {
  for (const path of ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'])
    if (existsSync(path)) return path;
  if (!existsSync('/usr/bin/apt-get') || !existsSync('/usr/bin/dpkg-deb')) return null;
  const folder = mkdtempSync(join(tmpdir(), 'muhuri-pgbouncer-'));
  spawnSync('apt-get', ['download', 'pgbouncer'], { cwd: folder, stdio: 'ignore' });
  const file = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (!file || spawnSync('dpkg-deb', ['-x', file, folder], { cwd: folder }).status !== 0)
    return null;
  spawnSync('chmod', ['a+rx', folder]);
  const path = join(folder, 'usr/sbin/pgbouncer');
  return spawnSync(path, ['--version']).status === 0 ? path : null;
}
