import { expect, test, vi } from 'vitest';
import type { Context } from '../context.ts';
import { type Job, type Round, startJobs } from './jobs.ts';
import { silentLog } from './log.ts';
import { openSignals, topic } from './signals.ts';

const due = topic('due');
const round: Round = {
  name: 'all',
  everyMs: 60_000,
  woken: { name: 'woken', everyMs: 60_000, by: [due] },
  actor: 'somebody',
  severalAs: 'the work',
};

function start(jobs: Job[]) {
  const signals = openSignals();
  const failed: string[] = [];
  const run = (name: string) => async (work: () => Promise<unknown>) => {
    try {
      await work();
      return true;
    } catch {
      failed.push(name);
      return false;
    }
  };
  const started = startJobs({
    jobs,
    retention: [],
    signals,
    businessIds: async () => ['a', 'b'],
    contextFor: (actor) => (businessId) => ({ businessId, actor: { id: actor } }) as Context,
    database: {} as never,
    clock: { now: () => new Date(0) },
    log: silentLog,
    health: {
      run: (businessId, job, work) => run(`${job} of ${businessId}`)(work),
      runPlatform: (job, work) => run(job)(work),
    },
    everyMs: {},
  });
  return { ...started, signals, failed };
}

test('the steps of a round follow each other in the order of their chapters', async () => {
  const done: string[] = [];
  const step = (name: string, more: object = {}): Job => ({
    round,
    name,
    forBusiness: async (ctx) => void done.push(`${name} ${ctx.businessId}`),
    ...more,
  });
  await within(start([step('one'), step('two', { isOnlyWhenDue: true })]), async (jobs) => {
    jobs.signals.raise(due, 'b');
    await jobs.now('woken');
    expect(done).toEqual(['one b']);
    await jobs.now('all');
    expect(done.toSorted()).toEqual(['one a', 'one b', 'one b', 'two a', 'two b']);
  });
});

test('a gate that does not open keeps the rest of a round from one business alone', async () => {
  const done: string[] = [];
  const jobs: Job[] = [
    { round, name: 'gate', isGate: true, forBusiness: async (ctx) => ctx.businessId === 'a' },
    { round, name: 'rest', forBusiness: async (ctx) => void done.push(ctx.businessId) },
  ];
  await within(start(jobs), async ({ now }) => {
    await now('all');
    expect(done).toEqual(['a']);
  });
});

test('one after the other, a business whose work failed is worked on again by the next run', async () => {
  const { severalAs: _several, ...inTurn } = round;
  const forBusiness = vi.fn().mockRejectedValueOnce(new Error('not today')).mockResolvedValue(true);
  await within(start([{ round: inTurn, name: 'work', forBusiness }]), async (jobs) => {
    await jobs.now('all');
    expect(jobs.failed).toEqual(['work of a']);
    await jobs.now('woken');
    await jobs.now('woken');
    expect(forBusiness.mock.calls.map(([ctx]) => (ctx as Context).businessId)).toEqual([
      'a',
      'b',
      'a',
    ]);
  });
});

test('drained, what is held in memory is written down first and what follows the rest comes last', async () => {
  const done: string[] = [];
  const job = (name: string, drain?: 'first' | 'last'): Job => ({
    name,
    everyMs: 60_000,
    run: async () => void done.push(name),
    ...(drain && { drain }),
  });
  const work: Job = {
    round: { ...round, drain: 'work' },
    name: 'work',
    forBusiness: async (ctx) => void done.push(ctx.businessId),
  };
  await within(
    start([job('chain', 'last'), job('not due'), work, job('flush', 'first')]),
    async (jobs) => {
      await jobs.drain();
      expect(done).toEqual(['flush', 'a', 'b', 'chain']);
    },
  );
});

async function within<T extends { stop(): void }>(jobs: T, work: (jobs: T) => Promise<void>) {
  try {
    await work(jobs);
  } finally {
    jobs.stop();
  }
}
