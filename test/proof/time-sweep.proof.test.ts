import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { expect, test } from 'vitest';
import { checkout } from '../world.ts';
import { sweepTime } from './time-sweep.ts';

test('at the edges of days, years and leap days, and with clocks a day apart, dates are the country’s and nothing of tomorrow is signed', async () => {
  const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
  const { moments, wrong } = await sweepTime(postgres);
  expect(moments).toBeGreaterThan(60);
  expect(wrong).toEqual([]);
  await postgres.stop();
}, 120_000);
