import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export type Section = {
  name: string;
  title: string;
  code: string;
  size: string;
  failures: number;
  says: string;
  when: string;
  text: string;
};

const mark = /^<!-- part (\{.*\}) -->\n([\s\S]*?)\n<!-- end -->$/gm;

/** The sections that stand on the page, by the name of their part. */
export function readSections(file: string): Map<string, Section> {
  const page = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return new Map(
    [...page.matchAll(mark)].map(([, facts, text]) => {
      const section = {
        ...(JSON.parse(facts as string) as Omit<Section, 'text'>),
        text: text as string,
      };
      return [section.name, section];
    }),
  );
}

/**
 * Writes the page anew: every part has its place, whether it has been run or not. `codes` are those
 * of the present program.
 */
export function writePage(
  file: string,
  names: { name: string; title: string }[],
  sections: Map<string, Section>,
  codes: Map<string, string>,
): void {
  const rows = names.map(({ name, title }) => {
    const section = sections.get(name);
    if (!section) return `| ${title} | not run yet | | |`;
    const isPresent = section.code === codes.get(name);
    const failed =
      section.failures === 0 ? 'nothing' : `**${section.failures.toLocaleString('en')}**`;
    return `| ${title} | ${section.says} | ${failed} | ${section.when}${isPresent ? '' : '; its code has changed since'} |`;
  });
  const bodies = names.flatMap(({ name }) => {
    const section = sections.get(name);
    if (!section) return [];
    const { text, ...facts } = section;
    return [`<!-- part ${JSON.stringify(facts)} -->\n${text.trim()}\n<!-- end -->`];
  });
  writeFileSync(
    file,
    `${head}\n| part | size | failed | commit and machine |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n\n${bodies.join('\n\n')}\n\n${foot}`,
  );
}

const head = `# One receipt per document, proven

Written by \`npm run prove\`, never by hand, a section a part; each says the commit it was run on, and is run again once its code has changed.

Everything below is the product itself: real server processes, a real PostgreSQL, real HTTP to simulated devices. The judge is the device:
what it has signed is what exists.
`;

const foot = `## Contention

1,000 requests of 20 clients for 50 documents (people, programs with a key, bulk runs), with webhooks twice over, at two servers at once, have to come to
50 receipts, the same told to everyone, the same bytes printed: a test of every \`npm test\` (\`test/scenarios/contention.test.ts\`), not a part of this run.

## What this does not cover

- A real VSDC. The devices are simulated after the authority's contract and what implementers saw; where a real one differs, so may this.
- A device that lies plausibly at its first send: a refusal after it has signed, with nothing else ever sent under that number, is believed. It is found
  as soon as the number is used again.
- Disks that lie about having written, two PostgreSQL servers that both believe to be the first, and a restore from an old backup.
- In the simulation two transactions never overlap: they take turns whole. What they do to each other is left to the crashes and to contention.
- The stalls are a few times longer than the shortened time-outs, not longer than the real ones.
- The way out by a refund under the lost number (two persons) has scenarios of its own and is not part of these runs.
`;
