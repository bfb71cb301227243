import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { checkPackage } from './check-package.ts';
import { listZip } from './list-zip.ts';

/**
 * `pnpm package:zoho <address of your server>`: the extension as Zoho's own tool packs it, checked
 * against what that tool does not look at, and again against what came out: it leaves files out
 * without a word and ends well all the same.
 */
const root = join(import.meta.dirname, '..');
const [server, flag] = process.argv.slice(2);
const fail = (lines: string[]): never => {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(1);
};
if (!server || !/^https:\/\/[a-z0-9.-]+(?::\d+)?$/.test(server))
  fail(['Say where your server is, e.g. pnpm package:zoho https://muhuri.example']);

if (flag !== '--as-built') {
  const built = spawnSync(process.execPath, [join(root, 'widget/build.ts')], {
    cwd: root,
    encoding: 'utf8',
  });
  if (built.status !== 0) fail([built.stdout, built.stderr]);
}

// The packer names the zip after the folder.
const folder = join(root, '.data/package/muhuri');
rmSync(join(root, '.data/package'), { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
cpSync(join(root, 'app'), join(folder, 'app'), { recursive: true });
const manifest = JSON.parse(readFileSync(join(root, 'plugin-manifest.json'), 'utf8')) as Record<
  string,
  unknown
>;
writeFileSync(
  join(folder, 'plugin-manifest.json'),
  `${JSON.stringify({ ...manifest, cspDomains: { 'connect-src': [server] } }, null, 2)}\n`,
);
writeFileSync(
  join(folder, 'app/settings.js'),
  `window.muhuri=${JSON.stringify({ server, hosts: [] })};\n`,
);
const problems = checkPackage(folder);
if (problems.length > 0) fail(problems);

const zet = join(root, 'widget/node_modules/zoho-extension-toolkit');
const program = join(
  zet,
  (JSON.parse(readFileSync(join(zet, 'package.json'), 'utf8')) as { bin: { zet: string } }).bin.zet,
);
for (const verb of ['validate', 'pack']) {
  const done = spawnSync(process.execPath, [program, verb], {
    cwd: folder,
    encoding: 'utf8',
    // Nothing of ours: it needs no network, no account, and writes nothing outside its folder.
    env: { NO_UPDATE_NOTIFIER: '1', HOME: folder },
    timeout: 60_000,
  });
  if (done.status !== 0) fail([`zet ${verb}:`, done.stdout, done.stderr]);
}
const zip = join(folder, 'dist/muhuri.zip');
if (!existsSync(zip)) fail(['zet pack said nothing and made nothing']);
const expected = [
  'plugin-manifest.json',
  ...readdirSync(join(folder, 'app'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/')),
].sort();
const found = listZip(readFileSync(zip))
  .map((entry) => entry.name)
  .filter((name) => !name.endsWith('/'))
  .sort();
const missing = expected.filter((name) => !found.includes(name));
const foreign = found.filter((name) => !expected.includes(name));
if (missing.length + foreign.length > 0)
  fail([
    ...missing.map((name) => `the packer left out ${name}`),
    ...foreign.map((name) => `the packer put in ${name}`),
  ]);
const target = join(root, '.data/muhuri.zip');
copyFileSync(zip, target);
process.stdout.write(
  `${found.length} files for ${server} in ${relative(root, target)}:\n${found.map((name) => `  ${name}\n`).join('')}`,
);
