import { spawnSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { type Postgres, startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, makeTemplate } from '../world.ts';
import { codeOf } from './code-of.ts';
import { everyCode } from './codes.ts';
import { readSections, writePage } from './page.ts';
import { parts } from './parts.ts';
import { progressOf } from './progress.ts';

/*
 * Everything that is claimed of one receipt per document, in parts of at most forty minutes:
 *
 *   npm run prove                     every part whose code has changed since its section was written
 *   npm run prove -- crashes time     these parts only
 *   npm run prove -- again            also those that have not changed
 *   npm run prove -- minutes=40       stops after the piece in which that time is over; the same command goes on from there
 *   npm run prove -- quick            a slice of every part in minutes; writes nothing
 *
 * `codes=12 crashes=200 seeds=1000` sizes the parts, and what is written says how many there were.
 */
const words = process.argv.slice(2);
const isQuick = words.includes('quick');
const given = (name: string) =>
  words.map((each) => new RegExp(`^${name}=(\\d+)$`).exec(each)?.[1]).find(Boolean);
const size = isQuick
  ? { codes: ['924', '913'], crashes: 20, seeds: 200 }
  : {
      codes: everyCode.slice(-Number(given('codes') ?? everyCode.length)),
      crashes: Number(given('crashes') ?? 600),
      seeds: Number(given('seeds') ?? 10_000),
    };
const all = parts(size);
const wanted = words.filter((word) => !/^(quick|again|\w+=\d+)$/.test(word));
const unknown = wanted.filter((name) => all.every((part) => part.name !== name));
if (unknown.length > 0) {
  console.error(
    `There is no part "${unknown.join('", "')}". Known: ${all.map((part) => part.name).join(', ')}.`,
  );
  process.exit(2);
}

const page = join(checkout, 'test/proof.md');
const say = (text: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`);
const git = (...args: string[]) =>
  spawnSync('git', args, { cwd: checkout, encoding: 'utf8' }).stdout.trim();
const commit = `\`${git('rev-parse', '--short', 'HEAD')}\`${git('status', '--porcelain', '--untracked-files=no', '--', 'server', 'shared', 'test/proof', 'test/simulators') ? ' with changes' : ''}`;
const machine = `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}`;
const codes = new Map(all.map((part) => [part.name, codeOf(part.entries)]));
const endsAt = performance.now() + Number(given('minutes') ?? 1e6) * 60_000;

let postgres: Postgres | null = null;
let failures = 0;
let unfinished = 0;
for (const part of all.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const code = codes.get(part.name) as string;
  const kept = readSections(page).get(part.name);
  if (
    !isQuick &&
    !words.includes('again') &&
    kept?.code === code &&
    kept.size === part.size &&
    kept.failures === 0
  ) {
    say(`${part.name}: nothing it depends on has changed since ${kept.when}`);
    continue;
  }
  const { done, keep } = isQuick
    ? { done: [], keep: () => {} }
    : progressOf(part.name, code, part.size);
  const finished = new Map(done.map((each) => [each.id, each]));
  if (finished.size > 0)
    say(`${part.name}: goes on after ${finished.size} of ${part.pieces.length} pieces`);
  for (const piece of part.pieces) {
    if (finished.has(piece.id) || performance.now() >= endsAt) continue;
    postgres ??= await ready();
    const begun = performance.now();
    const result = await piece.run(postgres);
    const one = { id: piece.id, seconds: (performance.now() - begun) / 1_000, result };
    finished.set(piece.id, one);
    keep(one);
    say(`${part.name}: ${finished.size} of ${part.pieces.length} (${Math.round(one.seconds)} s)`);
  }
  const results = part.pieces.map(({ id }) => finished.get(id));
  if (results.some((each) => !each)) {
    unfinished += 1;
    continue;
  }
  const seconds = results.reduce((sum, each) => sum + (each?.seconds ?? 0), 0);
  const section = part.section(
    results.map((each) => each?.result),
    seconds,
  );
  failures += section.failures;
  console.log(section.text);
  const when = `${new Date().toISOString().slice(0, 10)}, ${commit}, ${machine}, ${Math.max(1, Math.round(seconds / 60))} min`;
  if (!isQuick)
    writePage(
      page,
      all,
      readSections(page).set(part.name, {
        ...section,
        name: part.name,
        title: part.title,
        code,
        size: part.size,
        when,
      }),
      codes,
    );
}
if (!isQuick) writePage(page, all, readSections(page), codes);
await postgres?.stop();

if (failures > 0) console.log(`The proof does not hold: ${failures} failures.`);
else if (unfinished > 0)
  console.log(`The time is over, ${unfinished} parts are not: the same command goes on.`);
else console.log('The proof holds.');
process.exit(failures > 0 ? 1 : unfinished > 0 ? 3 : 0);

async function ready(): Promise<Postgres> {
  const started = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
  await makeTemplate(started);
  return started;
}
