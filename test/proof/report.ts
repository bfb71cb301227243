import { type CrashReport, failuresOf } from './crashes.ts';
import { absence, faults, kinds, points } from './exchange.ts';
import { settledWithinMs, type Verdict } from './fault-table.ts';
import type { TimeReport } from './time-sweep.ts';

const count = (n: number) => n.toLocaleString('en');
const seconds = (ms: number | undefined) =>
  ms === undefined ? '–' : `${(ms / 1_000).toFixed(2)} s`;
const quantile = (sorted: number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
const table = (head: string[], rows: (string | number)[][]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const isBad = ({ verdict }: Verdict) => ['double', 'lost', 'unmarked', 'stuck'].includes(verdict);

export type Section = { text: string; failures: number; says: string };

/** Each pair of fault and point, how many runs it had, and what went wrong in them. */
export function faultSection({
  processes,
  verdicts,
  seconds: took,
}: {
  processes: number;
  verdicts: Verdict[];
  seconds: number;
}): Section {
  const bad = verdicts.filter(isBad);
  const codes = new Set(verdicts.map(({ run }) => run.after).filter((after) => after !== 'truth'))
    .size;
  const text = `## The fault table, ${processes === 1 ? 'one process' : `${processes} processes`}

Each cell is that fault at that point of the exchange, once followed by the device's own word and, where the device is asked again, once by each of
${count(codes)} of the authority's codes. It says how many runs there were; a cell in which a document got two receipts (_double_), one that nobody with us
knows of (_lost_), one that is not marked as such (_unmarked_), or no end within ${settledWithinMs / 1_000} s (_stuck_) would say so. ${dots()}

${faultTable(verdicts, took)}

${bad.length > 0 ? `Failed:\n\n${bad.map((each) => `- ${JSON.stringify(each)}`).join('\n')}` : ''}`;
  return { text, failures: bad.length, says: `${count(verdicts.length)} runs` };
}

export function crashSection(crashes: CrashReport, control: CrashReport): Section {
  const columns = [
    'killed',
    'documents',
    'signed once',
    'settled by a person',
    'double',
    'lost',
    'unmarked',
    'out of order',
    'numbers amiss',
    'broken trails',
  ];
  const kills = (of: CrashReport) => of.crashes.server + of.crashes.postgres + of.crashes.device;
  const text = `## Crashes

Three servers, one PostgreSQL and the devices' process, killed with \`kill -9\` at random moments while documents came in; six businesses.

${table(columns, [crashRow(crashes)])}

Servers ${count(crashes.crashes.server)}, PostgreSQL ${count(crashes.crashes.postgres)}, devices ${count(crashes.crashes.device)} times; and ${count(crashes.crashes.sleeper)} times a server slept for
one to three times its lease, and went on as if nothing had been. From such a moment until everything that was under way was signed, or listed for a
person with its evidence: p50 ${seconds(quantile(crashes.recoveries, 0.5))}, p99 ${seconds(quantile(crashes.recoveries, 0.99))} (${count(crashes.recoveries.length)} measured; waits of the product shortened as in the tests, a lease of 1.5 s).
${crashes.notes
  .slice(0, 20)
  .map((each) => `- ${each}`)
  .join('\n')}${crashes.notes.length > 20 ? `\n- and ${count(crashes.notes.length - 20)} more` : ''}

The negative control is the same with the product broken on purpose: an attempt written after it is sent instead of before, and PostgreSQL with
\`synchronous_commit\` off. It has to fail, and did so ${count(failuresOf(control))} times in ${count(kills(control))} crashes:

${table(columns, [crashRow(control)])}`;
  return {
    text,
    failures: failuresOf(crashes) + (failuresOf(control) > 0 ? 0 : 1),
    says: `${count(kills(crashes))} kills, ${count(crashes.documents)} documents`,
  };
}

export function simulationSection(
  seeds: { seed: number; steps: number; counts: Record<string, number>; problem: string | null }[],
): Section {
  const counts: Record<string, number> = {};
  for (const seed of seeds)
    for (const [what, many] of Object.entries(seed.counts))
      counts[what] = (counts[what] ?? 0) + many;
  const steps = seeds.reduce((sum, seed) => sum + seed.steps, 0);
  const failed = seeds.filter((seed) => seed.problem);
  const text = `## Seeded simulation

The real use cases with the device, network, clock, queue, Zoho and people simulated, one task at a time, every choice the seed's; the promises are
looked at after every committed transaction, and after each seed everything has to be settled in the calm.

${table(['seeds', 'steps', 'failed', ...Object.keys(counts)], [[count(seeds.length), count(steps), failed.length, ...Object.values(counts).map(count)]])}

${failed.map((each) => `- seed ${each.seed}: ${each.problem?.split('\n')[0]}`).join('\n')}`;
  return {
    text,
    failures: failed.length,
    says: `${count(seeds.length)} seeds, ${count(steps)} steps`,
  };
}

export function timeSection({ moments, wrong }: TimeReport): Section {
  const text = `## Time

${count(moments)} sales at the edges of days, months, years and leap days in Rwanda, and with the device's clock up to 24 hours before and behind ours: ${wrong.length === 0 ? 'every date on the wire is the country’s, and nothing dated tomorrow was signed.' : 'wrong:'}
${wrong.map((each) => `- ${each}`).join('\n')}`;
  return { text, failures: wrong.length, says: `${count(moments)} moments` };
}

/** What the dots in the table stand for. */
function dots(): string {
  const why = new Map<string, Set<string>>();
  for (const point of points)
    for (const fault of faults) {
      const reason = absence(point, fault);
      if (reason) why.set(reason, (why.get(reason) ?? new Set()).add(point.replaceAll('_', ' ')));
    }
  return `A dot is no case: ${[...why].map(([reason, at]) => `_${[...at].join('_ and _')}_, ${reason}`).join('; ')}.`;
}

function faultTable(verdicts: Verdict[], took: number): string {
  const cell = (
    kind: string,
    point: (typeof points)[number],
    fault: (typeof faults)[number],
  ): string => {
    if (absence(point, fault)) return '·';
    const own = verdicts.filter(
      ({ run }) => run.kind === kind && run.point === point && run.fault === fault,
    );
    const wrong = own.filter(isBad);
    const words = [...new Set(wrong.map((each) => each.verdict))].map(
      (word) => `${wrong.filter((each) => each.verdict === word).length} ${word}`,
    );
    return wrong.length > 0 ? `**${own.length}: ${words.join(', ')}**` : String(own.length);
  };
  const of = (wanted: Verdict['verdict']) =>
    count(verdicts.filter((each) => each.verdict === wanted).length);
  const itself = verdicts
    .filter((each) => each.settledBy === 'itself')
    .map((each) => each.ms)
    .toSorted((a, b) => a - b);
  const people = verdicts
    .filter((each) => each.settledBy === 'people')
    .map((each) => each.ms)
    .toSorted((a, b) => a - b);
  return `${kinds
    .map(
      (kind) =>
        `${kind}:\n\n${table(
          ['', ...faults.map((each) => each.replaceAll('_', ' '))],
          points.map((point) => [
            point.replaceAll('_', ' '),
            ...faults.map((fault) => cell(kind, point, fault)),
          ]),
        )}`,
    )
    .join('\n\n')}

${table(
  ['runs', 'signed once', 'not signed', 'double', 'lost', 'unmarked', 'stuck'],
  [
    [
      count(verdicts.length),
      of('once'),
      of('not_signed'),
      of('double'),
      of('lost'),
      of('unmarked'),
      of('stuck'),
    ],
  ],
)}

Settled by itself ${count(itself.length)}: p50 ${seconds(quantile(itself, 0.5))}, p99 ${seconds(quantile(itself, 0.99))}, at most ${seconds(itself.at(-1))}. By people who did what the panel asks ${count(people.length)}: p50 ${seconds(quantile(people, 0.5))}, p99 ${seconds(quantile(people, 0.99))}, at most ${seconds(people.at(-1))}. (Waits of the product shortened: it gives up on an answer after half a second instead of thirty, and asks again after 60 ms instead of fifteen seconds. ${Math.round(took)} s for all of them.)`;
}

const crashRow = (of: CrashReport): (string | number)[] => [
  count(of.crashes.server + of.crashes.postgres + of.crashes.device),
  count(of.documents),
  count(of.once),
  count(of.listed),
  of.double,
  of.lost,
  of.unmarked,
  of.outOfOrder,
  of.gaps,
  of.brokenTrails,
];
