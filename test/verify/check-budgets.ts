import { judge, packages, readCeilings } from './budgets.ts';
import { filesOf, measureFile } from './measure.ts';

/**
 * Long files, long functions, many parameters and many ways through may become fewer and never
 * more: `ceilings.json` says how many there are. A count below its ceiling passes, so that two who
 * land at once do not stand in each other's way; `npm run house -- --lower` writes it down.
 */
const problems = judge(
  new Map(packages.map((folder) => [folder, filesOf(folder).map(measureFile)])),
  readCeilings(),
);
for (const problem of problems) console.error(problem);
if (problems.length > 0)
  console.error('Divide what you made longer. A table of data is exempted by name, with a reason.');
process.exit(problems.length > 0 ? 1 : 0);
