import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MeasuredFile } from './measure.ts';

export const packages = ['server/src', 'shared/src', 'widget/src'];
export const ceilingsPath = 'ceilings.json';

/** A file, or `file: function`, that one budget leaves out, and why. */
export type Exemption = { budget: string; what: string; why: string };
/** How many offenders of each budget a package may have: today's, and fewer tomorrow. */
export type Ceilings = {
  most: Record<string, Record<string, number>>;
  exempt: Exemption[];
};
type Offender = { what: string; where: string; value: number };

/** What a file or function may be, and how those are found that are more. */
export const budgets: Record<
  string,
  { most: number; unit: string; of: 'file' | 'lines' | 'parameters' | 'complexity' }
> = {
  'file lines': { most: 400, unit: 'lines', of: 'file' },
  'function lines': { most: 80, unit: 'lines', of: 'lines' },
  parameters: { most: 5, unit: 'parameters', of: 'parameters' },
  complexity: { most: 15, unit: 'ways through', of: 'complexity' },
};

export function readCeilings(): Ceilings {
  return JSON.parse(readFileSync(join(import.meta.dirname, ceilingsPath), 'utf8')) as Ceilings;
}

/** The offenders of each budget, worst first. */
export function countsOf(files: MeasuredFile[], exempt: Exemption[]): Record<string, Offender[]> {
  const exemptions = new Set(exempt.map(({ budget, what }) => `${budget} ${what}`));
  return Object.fromEntries(
    Object.entries(budgets).map(([name, { most, of }]) => [
      name,
      files
        .flatMap((file): Offender[] =>
          of === 'file'
            ? [{ what: file.path, where: file.path, value: file.lines }]
            : file.functions.map((each) => ({
                what: `${file.path}: ${each.name}`,
                where: `${file.path}:${each.line} ${each.name}`,
                value: each[of],
              })),
        )
        .filter(({ what, value }) => value > most && !exemptions.has(`${name} ${what}`))
        .sort((a, b) => b.value - a.value),
    ]),
  );
}

/** What is wrong, in words; nothing: every count is at its ceiling or below. */
export function judge(measured: Map<string, MeasuredFile[]>, { most, exempt }: Ceilings): string[] {
  const problems: string[] = [];
  for (const [folder, files] of measured) {
    for (const [name, offenders] of Object.entries(countsOf(files, exempt))) {
      const ceiling = most[folder]?.[name] ?? 0;
      if (offenders.length <= ceiling) continue;
      const { most: limit, unit } = budgets[name] as (typeof budgets)[string];
      problems.push(
        `${folder}: ${offenders.length} have more than ${limit} ${unit}, and ${ceiling} may:`,
        ...offenders.map(({ where, value }) => `  ${where}: ${value}`),
      );
    }
  }
  const files = [...measured.values()].flat();
  const known = new Set(
    files.flatMap(({ path, functions }) => [
      path,
      ...functions.map(({ name }) => `${path}: ${name}`),
    ]),
  );
  for (const { budget, what } of exempt)
    if (!known.has(what) || !budgets[budget])
      problems.push(`ceilings.json exempts ${what} from ${budget}: one of them does not exist`);
  return problems;
}
