import { expect, test } from 'vitest';
import { watchBy } from './clock.ts';

const at = { wallMs: 0, monotonicMs: 0, bootMs: 0 };
const startWatch = watchBy({
  wallMs: () => at.wallMs,
  monotonicMs: () => at.monotonicMs,
  bootMs: () => at.bootMs,
});

test.each([
  ['a machine that sleeps', { wallMs: 60_000, monotonicMs: 5, bootMs: 60_000 }, 60_000],
  ['a wall clock that is set back', { wallMs: -3_600_000, monotonicMs: 900, bootMs: 900 }, 900],
  [
    'a machine that sleeps and whose wall clock is set back',
    { wallMs: -3_600_000, monotonicMs: 5, bootMs: 60_000 },
    60_000,
  ],
  ['a clock of its age that says little', { wallMs: 700, monotonicMs: 700, bootMs: 0 }, 700],
  ['an ordinary moment', { wallMs: 3, monotonicMs: 3, bootMs: 10 }, 10],
])('time that passes on %s is noticed', (_what, later, passed) => {
  Object.assign(at, { wallMs: 1_800_000_000_000, monotonicMs: 4_000, bootMs: 90_000 });
  const passedMs = startWatch();
  at.wallMs += later.wallMs;
  at.monotonicMs += later.monotonicMs;
  at.bootMs += later.bootMs;
  expect(passedMs()).toBe(passed);
});
