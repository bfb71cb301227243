import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, makeTemplate } from '../world.ts';
import { benchEndurance } from './endurance.ts';
import { benchGrowth } from './growth.ts';
import { rows } from './measure.ts';
import { benchNeighbours } from './neighbours.ts';
import { benchPaper } from './paper.ts';
import { benchPlatform } from './platform.ts';
import { benchRest } from './rest.ts';
import { benchSigning } from './signing.ts';
import { benchStorm } from './storm.ts';
import { benchWebhook } from './webhook.ts';
import { benchWidget } from './widget.ts';

/**
 * Ours beside a bare baseline that does the same, in one run, as ratios. Absolutes are this
 * machine's. Run whole it writes `test/bench.md`; `pnpm bench signing paper` runs parts and writes
 * nothing, unless `write` is among them: then it has a section of its own; `growth=200000
 * endurance=5` (minutes) are sizes; `only=0,1` picks cases.
 */
const words = process.argv.slice(2);
const given = (name: string, usual: number) =>
  Number(
    words.map((each) => new RegExp(`^${name}=(\\d+)$`).exec(each)?.[1]).find(Boolean) ?? usual,
  );
const parts = words.filter((each) => !each.includes('=') && each !== 'write');
const only = words.find((each) => each.startsWith('only='))?.slice(5);
const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
await makeTemplate(postgres);
const all: Record<string, () => Promise<void>> = {
  signing: () => benchSigning(postgres, only),
  paper: benchPaper,
  platform: () => benchPlatform(postgres, only),
  neighbours: () => benchNeighbours(postgres, given('neighbours', 2_000), only),
  webhook: () => benchWebhook(postgres),
  storm: () => benchStorm(postgres),
  growth: () => benchGrowth(postgres, given('growth', 2_000_000)),
  widget: () => benchWidget(postgres),
  endurance: () => benchEndurance(postgres, given('endurance', 60)),
  rest: async () => {
    await postgres.stop();
    await benchRest();
  },
};
const page = join(checkout, 'test/bench.md');
for (const [name, run] of Object.entries(all)) {
  if (parts.length > 0 && !parts.includes(name)) continue;
  const before = rows.length;
  await run();
  // After every part: what took an hour is not lost with a later one.
  if (parts.length === 0) writeFileSync(page, table());
  else if (words.includes('write'))
    writeFileSync(page, withSection(readFileSync(page, 'utf8'), name, rows.slice(before)));
}
await postgres.stop();
process.exit(0);

/** What this run was made of and on: the commit, the day and the machine. */
function origin(): string {
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: checkout,
    encoding: 'utf8',
  }).stdout.trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
  return `${new Date().toISOString().slice(0, 10)}, commit \`${commit}\`, ${machine}, the embedded PostgreSQL with fsync on`;
}

function told(of: typeof rows): string[] {
  return [
    '| what | measured | aim |',
    '| --- | --- | --- |',
    ...of.map(
      ({ name, value, aim }) =>
        `| ${name.replace(/^ +/, '… ')} | ${value} | ${aim.replace(/^aim /, '')} |`,
    ),
  ];
}

/**
 * The page with a part that was run by itself in a section of its own, in the place of what it said
 * before.
 */
function withSection(text: string, name: string, of: typeof rows): string {
  const [head = '', ...sections] = text.split(/^(?=## )/m);
  const others = sections.filter((section) => !section.startsWith(`## ${name}\n`));
  const load = `${loadavg()[2]?.toFixed(1)} processes wanted a core in the last quarter of an hour`;
  const section = [
    `## ${name}`,
    '',
    `By itself, \`npm run bench -- ${words.join(' ')}\`. ${origin()}; ${load}.`,
    '',
    ...told(of),
    '',
  ].join('\n');
  return `${[head, ...others, section].map((each) => each.trimEnd()).join('\n\n')}\n`;
}

function table(): string {
  return [
    '# What it costs',
    '',
    `Written by \`npm run bench\`, never by hand. ${origin()}.`,
    '',
    'Ours beside a bare baseline that does the same work, measured in turns in one run; in brackets the least and the most. PostgreSQL, the device and',
    'whoever asks share the same cores, so that what one of them uses the others lack.',
    '',
    ...told(rows),
    '',
  ].join('\n');
}
