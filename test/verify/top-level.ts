import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/**
 * What stands at the top of the project, so that whoever opens it finds the product before its
 * tools: settings that tools look for there are dotfiles, everything else has its folder.
 */
const allowed = new Set([
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'package.json',
  'plugin-manifest.json',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'server',
  'shared',
  'test',
  'widget',
]);

const ignored = new Set(
  readFileSync(join(root, '.gitignore'), 'utf8')
    .split('\n')
    .map((line) => line.replace(/\/$/, '')),
);
const strange = readdirSync(root).filter(
  (name) => !name.startsWith('.') && !ignored.has(name) && !allowed.has(name),
);
for (const name of strange)
  console.error(
    `${name} does not belong at the top: give it a folder, or say here why it has to stand there`,
  );
process.exit(strange.length > 0 ? 1 : 0);
