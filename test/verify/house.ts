import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  budgets,
  countsOf,
  ceilingsPath,
  type Ceilings,
  packages,
  readCeilings,
} from './budgets.ts';
import { atShare, filesOf, measureFile, type MeasuredFile } from './measure.ts';

/**
 * `npm run house`: how the code is built, in figures, a column for each package. `-- --lower` also
 * writes today's numbers into the ceilings where they are lower; nothing raises one.
 *
 * How each is counted: files are those that go out, so without tests, their samples and
 * declarations. Lines are all lines; a comment line holds nothing else; widths are those of lines
 * that are not empty. A function is anything with a body, and is as long as from its signature to
 * its last line. Its complexity is one more than its ways through, as `measure.ts` lists them.
 * Functions in a file, and the median of their length, leave out bare expressions handed to
 * another function (`rows.map((row) => row.id)`), which would flatter both. Nothing is exempt here;
 * only `verify` leaves out what `ceilings.json` names.
 */
const measured = packages.map((folder) => filesOf(folder).map(measureFile));

const figures: [name: string, of: (files: MeasuredFile[]) => string | number][] = [
  ['files', (files) => files.length],
  ['median lines of a file', (files) => atShare(linesOf(files), 0.5)],
  ['90th percentile', (files) => atShare(linesOf(files), 0.9)],
  ['longest', (files) => Math.max(...linesOf(files))],
  [
    '90 % of lines ≤ characters',
    (files) =>
      atShare(
        files.flatMap(({ widths }) => widths),
        0.9,
      ),
  ],
  ['functions in a file, median', (files) => atShare(writtenIn(files), 0.5)],
  ['functions in a file, 90th percentile', (files) => atShare(writtenIn(files), 0.9)],
  ['comment lines, %', commentShare],
  ['functions > 60 lines', (files) => longerThan(files, 60)],
  ['functions > 80 lines', (files) => longerThan(files, 80)],
  ['longest function', longest],
  [
    'median lines of a function',
    (files) =>
      atShare(
        written(files).map((f) => f.lines),
        0.5,
      ),
  ],
  ['functions with > 5 parameters', (files) => all(files).filter((f) => f.parameters > 5).length],
  ['cyclomatic complexity > 15', (files) => all(files).filter((f) => f.complexity > 15).length],
  ['most files in one flat folder', fullest],
];

print([
  ['', ...packages],
  ...figures.map(([name, of]) => [name, ...measured.map((files) => String(of(files)))]),
]);
const { lines } = measureFile('server/src/app.ts');
console.log(`\nserver/src/app.ts: ${lines} lines`);
if (process.argv.includes('--lower')) lower();

function all(files: MeasuredFile[]) {
  return files.flatMap((file) => file.functions);
}

function written(files: MeasuredFile[]) {
  return all(files).filter(({ isWritten }) => isWritten);
}

function linesOf(files: MeasuredFile[]): number[] {
  return files.map((file) => file.lines);
}

function writtenIn(files: MeasuredFile[]): number[] {
  return files.map((file) => written([file]).length);
}

function longerThan(files: MeasuredFile[], most: number): number {
  return all(files).filter((f) => f.lines > most).length;
}

function commentShare(files: MeasuredFile[]): string {
  const comments = files.reduce((sum, { commentLines }) => sum + commentLines, 0);
  return ((100 * comments) / linesOf(files).reduce((sum, each) => sum + each, 0)).toFixed(1);
}

function longest(files: MeasuredFile[]): string {
  const [first] = all(files).toSorted((a, b) => b.lines - a.lines);
  return first ? `${first.lines} (${first.name})` : '0';
}

function fullest(files: MeasuredFile[]): string {
  const [first] = [...Map.groupBy(files, ({ path }) => dirname(path))].toSorted(
    ([, a], [, b]) => b.length - a.length,
  );
  return first ? `${first[1].length} (${basename(first[0])}/)` : '0';
}

function print(rows: string[][]): void {
  const widths = (rows[0] as string[]).map((_, at) =>
    Math.max(...rows.map((row) => (row[at] as string).length)),
  );
  for (const row of rows)
    console.log(
      row
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[at] as number) : cell.padStart(widths[at] as number),
        )
        .join('  '),
    );
}

function lower(): void {
  const ceilings = readCeilings();
  const next: Ceilings = { ...ceilings, most: {} };
  for (const [at, folder] of packages.entries()) {
    const counts = countsOf(measured[at] as MeasuredFile[], ceilings.exempt);
    next.most[folder] = Object.fromEntries(
      Object.keys(budgets).map((budget) => [
        budget,
        Math.min(ceilings.most[folder]?.[budget] ?? Infinity, counts[budget]?.length ?? 0),
      ]),
    );
  }
  const path = join(import.meta.dirname, ceilingsPath);
  const text = `${JSON.stringify(next, null, 2)}\n`;
  if (readFileSync(path, 'utf8') === text) return;
  writeFileSync(path, text);
  console.log(`\n${ceilingsPath} is lower now.`);
}
