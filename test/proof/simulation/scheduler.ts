import type { Random } from './random.ts';

const stuckMs = 10_000;

/**
 * Whoever a task belongs to; when it dies, what it has parked is never taken up again, and while it
 * sleeps nothing of it goes on.
 */
export type Owner = { name: string; isAlive: boolean; isAsleep?: boolean };

type Parked = { owner: Owner; resume(): void; name: string };
type Timer = { at: number; order: number; owner: Owner; run(): void };

/**
 * Runs one task at a time. A task goes on until it parks: at a transaction, a send, an answer of
 * Zoho, a wait. Which of the parked goes next, and when time passes, the seed decides; nothing else
 * does. Time stands still while anything can run.
 */
export class Scheduler {
  now: number;
  readonly trace: string[] = [];
  readonly #random: Random;
  #parked: Parked[] = [];
  #timers: Timer[] = [];
  #running = 0;
  #order = 0;
  #quiet: (() => void) | null = null;

  constructor(random: Random, startsAt: number) {
    this.#random = random;
    this.now = startsAt;
  }

  /** A task of its own. It begins when it is chosen. */
  spawn(owner: Owner, name: string, work: () => Promise<unknown>): void {
    this.#parked.push({ owner, name, resume: () => void this.track(work) });
  }

  /** Follows what has begun until it ends, so that a step waits for it. */
  async track<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      this.ended();
    }
  }

  began(): void {
    this.#running += 1;
  }
  ended(): void {
    this.#running -= 1;
    if (this.#running === 0) this.#quiet?.();
  }

  /** Waits until chosen. */
  park(owner: Owner, name: string): Promise<void> {
    return new Promise<void>((resolve) => {
      if (owner.isAlive) this.#parked.push({ owner, name, resume: resolve });
      this.ended();
    });
  }

  /** Waits in simulated time, and then until chosen. */
  wait(owner: Owner, ms: number, name: string): Promise<void> {
    return new Promise<void>((resolve) => {
      if (owner.isAlive)
        this.after(owner, ms, () => this.#parked.push({ owner, name, resume: resolve }));
      this.ended();
    });
  }

  after(owner: Owner, ms: number, run: () => void): () => void {
    const timer: Timer = { at: this.now + Math.max(0, ms), order: this.#order++, owner, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Nothing of this owner runs or waits any more. */
  kill(owner: Owner): void {
    owner.isAlive = false;
    this.#parked = this.#parked.filter((each) => each.owner !== owner);
    this.#timers = this.#timers.filter((each) => each.owner !== owner);
  }

  /**
   * Its machine stands still for so long: it knows nothing of it, and goes on afterwards as if
   * nothing had been.
   */
  sleep(owner: Owner, ms: number, sleeper: Owner): void {
    owner.isAsleep = true;
    this.note(`${owner.name} sleeps`);
    this.after(sleeper, ms, () => {
      this.note(`${owner.name} wakes up`);
      owner.isAsleep = false;
    });
  }

  note(text: string): void {
    this.trace.push(`${this.now} ${text}`);
  }

  /** One step; false where nothing is left to do before `until`. */
  async step(until: number): Promise<boolean> {
    const due = this.#timers
      .filter((each) => each.at <= this.now && !each.owner.isAsleep)
      .sort((a, b) => a.at - b.at || a.order - b.order);
    if (due.length > 0) {
      const [first] = due as [Timer];
      this.#timers = this.#timers.filter((each) => each !== first);
      await this.#run(first.run);
      return true;
    }
    const passes = this.#timers.length > 0 && this.#random.chance(0.1);
    const awake = this.#parked.filter((each) => !each.owner.isAsleep);
    if (awake.length > 0 && !passes) {
      const chosen = awake[this.#random.below(awake.length)] as Parked;
      this.#parked.splice(this.#parked.indexOf(chosen), 1);
      this.note(`${chosen.owner.name}: ${chosen.name}`);
      await this.#run(() => {
        this.began();
        chosen.resume();
      });
      return true;
    }
    const next = this.#timers.reduce<number | null>(
      (least, each) =>
        !each.owner.isAsleep && (least === null || each.at < least) ? each.at : least,
      null,
    );
    if (next === null || next > until) return false;
    this.now = Math.max(this.now, next);
    return true;
  }

  /** Lets something go on, and waits until everything that it set going has parked or ended. */
  async #run(go: () => void): Promise<void> {
    go();
    for (;;) {
      // What ends may set something else going in the same breath.
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.#running === 0) return;
      await new Promise<void>((resolve, reject) => {
        // Real time passes here only while PostgreSQL works: whoever waits for anything else would
        // wait for ever.
        const watch = setTimeout(
          () =>
            reject(
              new Error(
                `something waits outside of the simulation, after: ${this.trace.slice(-8).join(' | ')}`,
              ),
            ),
          stuckMs,
        );
        this.#quiet = () => {
          clearTimeout(watch);
          resolve();
        };
        if (this.#running === 0) this.#quiet();
      });
      this.#quiet = null;
    }
  }
}
