import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'];

/** Where Chromium is; installed by us where the system lets us, else the sentence that says what to install. */
export function findChromium(): { path: string } | { problem: string } {
  const found = process.env.CHROMIUM_PATH ? [process.env.CHROMIUM_PATH, ...places] : places;
  const path = found.find((each) => existsSync(each));
  if (path) return { path };
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Installing Chromium for the browser tests …');
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    spawnSync('apt-get', ['install', '-y', '-qq', 'chromium'], { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    const installed = places.find((each) => existsSync(each));
    if (installed) return { path: installed };
  }
  return { problem: 'Browser tests need Chromium: install it (on Debian: apt-get install chromium) or set CHROMIUM_PATH to it.' };
}

/** The programs that read a receipt back: they are not ours, so that they can disagree. */
export function findReaders(): string[] {
  const missing = (['zbarimg', 'pdftoppm', 'qpdf'] as const).filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  if (missing.length > 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    spawnSync('apt-get', ['install', '-y', '-qq', 'zbar-tools', 'poppler-utils', 'qpdf'], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return (['zbarimg', 'pdftoppm', 'qpdf'] as const).filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);
  }
  return missing;
}
