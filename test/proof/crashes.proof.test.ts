import { expect, test } from 'vitest';
import { failuresOf, runCrashes } from './crashes.ts';

test('servers, PostgreSQL and devices killed hard under load: every document has one receipt, in order, and nothing is lost', async () => {
  const report = await runCrashes({ crashes: 12, seed: 7 });
  expect(report.documents).toBeGreaterThan(90);
  expect(report.recoveries).toHaveLength(12);
  expect({ ...report, recoveries: [], failures: failuresOf(report) }).toMatchObject({
    failures: 0,
    once: report.documents - report.listed,
  });
}, 240_000);

test('the same with the product broken on purpose is noticed', async () => {
  const { lost, unmarked } = await runCrashes({ crashes: 8, seed: 1, isBroken: true });
  expect(lost + unmarked).toBeGreaterThan(0);
}, 240_000);
