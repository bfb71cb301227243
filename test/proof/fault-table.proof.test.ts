import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { expect, test } from 'vitest';
import { checkout } from '../world.ts';
import { runFaultTable, runsOf } from './fault-table.ts';

// A slice: every pair of point and fault for every kind, each once followed by the truth.
test.each([{ processes: 1 }, { processes: 3 }])(
  'every fault at every point of every kind of exchange ends as one receipt or none, known to us ($processes processes)',
  async ({ processes }) => {
    const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
    const runs = runsOf([]);
    const verdicts = await runFaultTable(postgres, runs, { processes, atOnce: 16 });
    expect(verdicts).toHaveLength(runs.length);
    expect(verdicts.filter((each) => !['once', 'not_signed'].includes(each.verdict))).toEqual([]);
    // What is not signed was refused by an answer that was made up; after the truth alone
    // everything is.
    expect(
      verdicts.filter((each) => each.run.after === 'truth' && each.verdict !== 'once'),
    ).toEqual([]);
    expect(verdicts.filter((each) => each.settledBy === 'people').length).toBeGreaterThan(10);
    await postgres.stop();
  },
  240_000,
);
