import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadDialects } from '../dialects/index.ts';
import { version } from '../platform/version.ts';
import { verifyEvidence } from '../receipts/index.ts';

/**
 * Checks an evidence pack, and papers beside it: one line a check, and false where one does not
 * hold.
 */
export async function verifyPack(given: string[]): Promise<boolean> {
  const { values, positionals } = parseArgs({
    args: given,
    allowPositionals: true,
    options: { key: { type: 'string', multiple: true }, 'any-key': { type: 'boolean' } },
  });
  const [file, ...papers] = positionals;
  if (!file) throw new Error('name the file of the pack');
  const checks = verifyEvidence(
    JSON.parse(readFileSync(file, 'utf8')),
    { dialects: await loadDialects(), version },
    {
      pdfs: papers.map((paper) => readFileSync(paper)),
      fingerprints: values.key ?? [],
      anyKey: values['any-key'] === true,
    },
  );
  for (const { what, holds, note } of checks)
    console.info(`${holds ? '✓' : '✗'} ${what}${note ? ` (${note})` : ''}`);
  return checks.every((each) => each.holds);
}
