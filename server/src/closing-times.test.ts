import { expect, test } from 'vitest';
import { closingTimes } from './platform/shutdown-timeouts.ts';
import { closeServerMs } from './platform/http/listen.ts';
import { shutdownMs } from './platform/fatal-shutdown.ts';
import { usualTiming } from './receipts/index.ts';
import { usualSettings } from './vsdc/direct-vsdc.ts';

test('what a device said and nobody could write is told of well before the process is ended, whatever else takes as long as it may', () => {
  const until =
    closeServerMs + usualSettings.answerTimeoutMs + closingTimes.lanesMs + closingTimes.cutOffMs;
  // Tried once more as what it is, and once as a doubt.
  expect(until + 2 * usualTiming.recordLastMs).toBeLessThanOrEqual(shutdownMs - 5_000);
});
