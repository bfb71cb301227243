import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { AppError } from './app-error.ts';

/**
 * A function that outside input feeds, named by the module that exports it: it is called in a
 * thread of its own. Arguments and result are copied, so they are plain data and bytes; the module
 * must not need settings, a database or the network.
 */
export type Task<F extends (...args: never[]) => unknown> = {
  module: URL;
  name: string;
  /** What one call may take, in ms, once its module is loaded. */
  timeMs: number;
  /** Says the function's type and is never set. */
  is?: F;
};

type ResultOf<F extends (...args: never[]) => unknown> = Awaited<ReturnType<F>>;

export type BoundedWorker = {
  /**
   * The function's own answer; bytes come back as a Buffer. Throws what the function threw (an
   * AppError with its code); `work_stopped` where it took more time or memory than it may or ended
   * its thread; `business_busy` where too much of this business waits already.
   */
  run<F extends (...args: never[]) => unknown>(
    businessId: string,
    task: Task<F>,
    ...args: Parameters<F>
  ): Promise<ResultOf<F>>;
  close(): Promise<void>;
};

export type WorkLimits = {
  threads: number;
  /** Per thread: objects, and bytes outside the heap (buffers), in MB. */
  heapMb: number;
  bytesMb: number;
  /** What may wait, in all and of one business. */
  waitingMax: number;
  waitingOfOneMax: number;
  /** A thread that has had nothing to do for so long ends, and its memory goes back. */
  idleMs: number;
};

const defaultWorkLimits: WorkLimits = {
  threads: Math.max(2, Math.min(4, availableParallelism())),
  heapMb: 256,
  bytesMb: 128,
  waitingMax: 500,
  waitingOfOneMax: 50,
  idleMs: 60_000,
};

/**
 * Loading a module brings fonts and libraries from disk; a machine under load takes its time over
 * that.
 */
const loadMs = 30_000;
/**
 * How often the bytes outside the heap are looked at: V8 limits the heap by itself, and nothing
 * else.
 */
const lookMs = 100;

type Job = {
  businessId: string;
  task: Task<never>;
  args: unknown[];
  /**
   * Once more on a new thread, where the thread it was on may have been left broken by the job
   * before it.
   */
  isSecond: boolean;
  done(result: unknown): void;
  failed(error: Error): void;
};

type Thread = { worker: Worker; job: Job | null; jobs: number; timers: NodeJS.Timeout[] };

/** What a thread says of its job. */
export type ThreadMessage =
  | { is: 'loaded' }
  | { is: 'done'; result: unknown }
  | { is: 'failed'; problem: AppError['problem'] | null; message: string; stack: string };

/** The threads, what waits for one, and how much of each there may be. */
type Works = {
  limits: WorkLimits;
  /** How many threads one business may have. */
  ofOneMax: number;
  threads: Set<Thread>;
  /** By business; the first in the map has waited longest for its turn. */
  waiting: Map<string, Job[]>;
  isClosed: boolean;
};

/**
 * Drawing and decoding of what businesses give, away from the thread that answers everybody: each
 * call in a thread with a limit of time and memory, and what goes wrong there (an endless loop, a
 * bomb, an error thrown in a callback) ends that thread and nothing else. Businesses take turns,
 * and one of them never has every thread.
 */
export function openBoundedWorker(instead: Partial<WorkLimits> = {}): BoundedWorker {
  const limits = { ...defaultWorkLimits, ...instead };
  const works: Works = {
    limits,
    ofOneMax: Math.max(1, limits.threads - 1),
    threads: new Set(),
    waiting: new Map(),
    isClosed: false,
  };
  return {
    run: (businessId, task, ...args) =>
      new Promise((resolve, reject) => {
        const refusal = refusalOf(works, businessId);
        if (refusal) return reject(refusal);
        const own = works.waiting.get(businessId) ?? [];
        own.push({
          businessId,
          task: task as Task<never>,
          args,
          isSecond: false,
          done: resolve as (result: unknown) => void,
          failed: reject,
        });
        works.waiting.set(businessId, own);
        goOn(works);
      }),
    close: () => close(works),
  };
}

/** Returns why no more work of this business is taken, or null. */
function refusalOf({ limits, waiting, isClosed }: Works, businessId: string): AppError | null {
  if (isClosed) return new AppError('work_stopped', {}, 'the server is closing');
  const own = waiting.get(businessId)?.length ?? 0;
  const inAll = [...waiting.values()].reduce((sum, jobs) => sum + jobs.length, 0);
  return own >= limits.waitingOfOneMax || inAll >= limits.waitingMax
    ? new AppError('business_busy', { retry_after_s: 2 })
    : null;
}

async function close(works: Works): Promise<void> {
  const { threads, waiting } = works;
  works.isClosed = true;
  const left = [
    ...[...waiting.values()].flat(),
    ...[...threads].flatMap((thread) => settle(thread) ?? []),
  ];
  waiting.clear();
  for (const job of left) job.failed(new AppError('work_stopped', {}, 'the server is closing'));
  const last = [...threads];
  threads.clear();
  await Promise.all(last.map(({ worker }) => worker.terminate()));
}

/** The next job whose business may have one more thread; its business goes to the end. */
function nextJob({ threads, waiting, ofOneMax }: Works): Job | undefined {
  for (const [businessId, jobs] of waiting) {
    if ([...threads].filter(({ job }) => job?.businessId === businessId).length >= ofOneMax)
      continue;
    waiting.delete(businessId);
    const job = jobs.shift();
    if (jobs.length > 0) waiting.set(businessId, jobs);
    return job;
  }
  return undefined;
}

/** Gives what waits to the threads that are free, and opens threads while there may be more. */
function goOn(works: Works): void {
  for (;;) {
    const free = [...works.threads].find(({ job }) => !job);
    if (!free && works.threads.size >= works.limits.threads) return;
    const job = nextJob(works);
    if (!job) return;
    begin(works, free ?? open(works), job);
  }
}

function begin(works: Works, thread: Thread, job: Job): void {
  settle(thread);
  thread.job = job;
  thread.jobs += 1;
  thread.worker.ref();
  stopAfter(works, thread, loadMs, 'loading its module');
  thread.timers.push(setInterval(() => void lookAtBytes(works, thread), lookMs).unref());
  thread.worker.postMessage(
    { module: job.task.module.href, name: job.task.name, args: job.args },
    [],
  );
}

function stopAfter(works: Works, thread: Thread, ms: number, what: string): void {
  thread.timers.push(setTimeout(() => stop(works, thread, `${what} took more than ${ms} ms`), ms));
}

async function lookAtBytes(works: Works, thread: Thread): Promise<void> {
  const { bytesMb } = works.limits;
  const statistics = await thread.worker.getHeapStatistics().catch(() => null);
  if (thread.job && statistics && statistics.external_memory > bytesMb << 20)
    stop(works, thread, `more than ${bytesMb} MB of bytes`);
}

/** Takes a thread's job from it, with the timers that watch it. */
function settle(thread: Thread): Job | null {
  for (const timer of thread.timers) clearTimeout(timer);
  const { job } = thread;
  thread.timers = [];
  thread.job = null;
  return job;
}

/** Ends a thread in the middle of its job. */
function stop(works: Works, thread: Thread, why: string): void {
  if (!works.threads.delete(thread)) return;
  settle(thread)?.failed(new AppError('work_stopped', {}, why));
  void thread.worker.terminate();
  goOn(works);
}

/** A thread has ended by itself: out of memory, or by an error nobody caught. */
function ended(works: Works, thread: Thread, error: Error): void {
  if (!works.threads.delete(thread)) return;
  const job = settle(thread);
  // Something a former job left behind may have thrown, perhaps another business's: only a thread
  // of its own shows whose fault it was.
  if (job && thread.jobs > 1 && !job.isSecond && !works.isClosed)
    begin(works, open(works), { ...job, isSecond: true });
  else job?.failed(new AppError('work_stopped', {}, error));
  goOn(works);
}

function open(works: Works): Thread {
  // Nothing of the environment: a thread that decodes strangers' bytes knows no secret.
  const worker = new Worker(new URL('./bounded-worker.thread.ts', import.meta.url), {
    resourceLimits: {
      maxOldGenerationSizeMb: works.limits.heapMb,
      maxYoungGenerationSizeMb: 16,
      stackSizeMb: 4,
    },
    env: {},
  });
  const thread: Thread = { worker, job: null, jobs: 0, timers: [] };
  works.threads.add(thread);
  worker.on('message', (message: ThreadMessage) => hear(works, thread, message));
  worker.on('error', (error: Error) => ended(works, thread, error));
  worker.on('messageerror', (error) => ended(works, thread, error));
  worker.on('exit', () => ended(works, thread, new Error('the thread ended')));
  return thread;
}

function hear(works: Works, thread: Thread, message: ThreadMessage): void {
  if (!thread.job) return;
  if (message.is === 'loaded') {
    for (const timer of thread.timers.splice(0, 1)) clearTimeout(timer);
    stopAfter(works, thread, thread.job.task.timeMs, thread.job.task.name);
    return;
  }
  const job = settle(thread);
  thread.worker.unref();
  const idle = setTimeout(() => stop(works, thread, 'idle'), works.limits.idleMs);
  thread.timers.push(idle.unref());
  if (message.is === 'done')
    job?.done(message.result instanceof Uint8Array ? bufferOf(message.result) : message.result);
  else job?.failed(errorOf(message));
  goOn(works);
}

const errorOf = ({ problem, message, stack }: Extract<ThreadMessage, { is: 'failed' }>): Error =>
  problem ? againThrown(problem, message) : Object.assign(new Error(message), { stack });

const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function againThrown({ code, ...extra }: AppError['problem'], cause: string): AppError {
  return new AppError(code, extra, cause);
}
