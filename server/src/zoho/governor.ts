import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Purpose } from '../ports/books.ts';

/**
 * What an answer said of the limits: the day's from its headers, the status and Zoho's own code.
 */
type Heard = {
  status: number;
  code: string;
  limit: number | null;
  remaining: number | null;
  resetSeconds: number | null;
  retryAfterSeconds: number | null;
};

type Quota = { limit: number; left: number; resetAt: Date; seenAt: Date };

export type Governor = {
  /**
   * Waits for this organization's turn, the more urgent purpose first. Throws `books_limit` where it
   * would take too long. Call `done` after.
   */
  turn(organizationId: string, purpose: Purpose): Promise<() => void>;
  heard(organizationId: string, heard: Heard): void;
  /**
   * What the other processes of this installation did lately; they share the same organization's
   * limits.
   */
  others(organizationId: string, lastMinute: number, today: number): void;
  quota(organizationId: string): Quota | null;
  close(): void;
};

/**
 * Zoho's limits belong to the organization and are shared with every other program of the customer
 * (zoho-books-api: limits): a hundred calls a minute, some thousands a day, five or ten at once. We
 * take a share and leave the rest.
 */
export type GovernorSettings = {
  /** Calls in any sixty seconds that are ours, of those Zoho allows the organization. */
  perMinute: number;
  zohoPerMinute: number;
  /** How much of the minute is kept free of the less urgent. */
  keptFor: Record<Purpose, number>;
  /** Our part of the day; signing may go beyond it. */
  ofDay: number;
  /** This part of the day is left to signing alone. */
  dayReserve: number;
  waitMs: Record<Purpose, number>;
  /** No block is kept longer than this, whatever Zoho asks for; the day’s end apart. */
  blockSecondsMax: number;
};

export const usualGovernor: GovernorSettings = {
  perMinute: 80,
  zohoPerMinute: 100,
  keptFor: { sign: 0, write_back: 10, sync: 20 },
  ofDay: 0.5,
  dayReserve: 0.05,
  waitMs: { sign: 8_000, write_back: 60_000, sync: 90_000 },
  blockSecondsMax: 60,
};

const minuteMs = 60_000;
const order: Purpose[] = ['sign', 'write_back', 'sync'];
/** Paid plans allow ten calls at once, the free one five; which it is shows in the day's limit. */
const atOnce = (dayLimit: number | null) => (dayLimit !== null && dayLimit >= 2_000 ? 10 : 5);

type Waiting = {
  purpose: Purpose;
  since: number;
  go(done: () => void): void;
  give(error: AppError): void;
};
type State = {
  starts: number[];
  running: number;
  waiting: Waiting[];
  blockedUntil: number;
  /** After a block calls go one by one for a while: everybody at once would be the next block. */
  gentleUntil: number;
  atOnceMax: number;
  quota: Quota | null;
  ownToday: number;
  othersLastMinute: number;
  /**
   * Calls of the customer's other programs, seen as the day's count falling faster than our own
   * calls explain.
   */
  foreign: { at: number; count: number }[];
  lastRemaining: number | null;
  startsSinceRemaining: number;
  timer: NodeJS.Timeout | null;
};

export function governor(clock: Clock, settings: GovernorSettings = usualGovernor): Governor {
  const states = new Map<string, State>();
  const now = () => clock.now().getTime();
  const stateOf = (organizationId: string): State => {
    let state = states.get(organizationId);
    if (!state) {
      state = {
        starts: [],
        running: 0,
        waiting: [],
        blockedUntil: 0,
        gentleUntil: 0,
        atOnceMax: atOnce(null),
        quota: null,
        ownToday: 0,
        othersLastMinute: 0,
        foreign: [],
        lastRemaining: null,
        startsSinceRemaining: 0,
        timer: null,
      };
      states.set(organizationId, state);
    }
    return state;
  };

  /**
   * When a call of that purpose may start: now, at a moment, or not before somebody else has ended.
   */
  const mayStart = (state: State, purpose: Purpose): 'now' | { at: number } | 'after_another' => {
    const at = now();
    if (state.blockedUntil > at) return { at: state.blockedUntil };
    if (state.running >= state.atOnceMax) return 'after_another';
    state.starts = state.starts.filter((each) => at - each < minuteMs);
    state.foreign = state.foreign.filter((each) => at - each.at < minuteMs);
    if (state.gentleUntil > at) {
      const gap = minuteMs / settings.perMinute;
      const last = state.starts.at(-1) ?? 0;
      if (at - last < gap) return { at: last + gap };
    }
    const foreign = state.foreign.reduce((sum, each) => sum + each.count, 0);
    // A tenth of the share stays ours however much another program spends: a signature must not
    // wait for it for ever.
    const share = Math.max(
      settings.perMinute / 10,
      Math.min(settings.perMinute, settings.zohoPerMinute - foreign),
    );
    const allowed = Math.max(
      1,
      Math.floor(
        share -
          (share < settings.perMinute && purpose !== 'sign'
            ? settings.keptFor.sync
            : settings.keptFor[purpose]),
      ),
    );
    const used = state.starts.length + state.othersLastMinute;
    if (used >= allowed)
      return { at: (state.starts[Math.max(0, state.starts.length - allowed)] ?? at) + minuteMs };
    if (purpose !== 'sign' && state.quota && state.quota.resetAt.getTime() > at) {
      const { limit, left, resetAt } = state.quota;
      if (left <= limit * settings.dayReserve || state.ownToday >= limit * settings.ofDay)
        return { at: resetAt.getTime() };
    }
    return 'now';
  };

  const pump = (state: State): void => {
    if (state.timer) clearTimeout(state.timer);
    state.timer = null;
    let wakeAt = Number.POSITIVE_INFINITY;
    for (const purpose of order) {
      for (;;) {
        const next = state.waiting.find((each) => each.purpose === purpose);
        if (!next) break;
        const when = mayStart(state, purpose);
        if (when === 'now') {
          state.waiting.splice(state.waiting.indexOf(next), 1);
          start(state, next);
          continue;
        }
        if (when !== 'after_another') wakeAt = Math.min(wakeAt, when.at);
        break;
      }
    }
    const staying: Waiting[] = [];
    for (const each of state.waiting) {
      const over = each.since + settings.waitMs[each.purpose];
      const when = mayStart(state, each.purpose);
      if (over <= now() || (typeof when === 'object' && when.at > over)) {
        each.give(
          new AppError(
            'books_limit',
            typeof when === 'object' ? { until: new Date(when.at).toISOString() } : {},
          ),
        );
        continue;
      }
      staying.push(each);
      wakeAt = Math.min(wakeAt, over);
    }
    state.waiting = staying;
    if (wakeAt !== Number.POSITIVE_INFINITY)
      state.timer = setTimeout(() => pump(state), Math.max(5, wakeAt - now())).unref();
  };

  const start = (state: State, waiting: Waiting): void => {
    state.starts.push(now());
    state.running += 1;
    state.ownToday += 1;
    state.startsSinceRemaining += 1;
    let isDone = false;
    waiting.go(() => {
      if (isDone) return;
      isDone = true;
      state.running -= 1;
      pump(state);
    });
  };

  return {
    turn(organizationId, purpose) {
      const state = stateOf(organizationId);
      return new Promise((go, give) => {
        state.waiting.push({ purpose, since: now(), go, give });
        pump(state);
      });
    },
    heard(organizationId, heard) {
      const state = stateOf(organizationId);
      const at = now();
      if (heard.limit !== null && heard.remaining !== null) {
        if (state.lastRemaining !== null && heard.remaining < state.lastRemaining) {
          const count = state.lastRemaining - heard.remaining - state.startsSinceRemaining;
          if (count > 0) state.foreign.push({ at, count });
        }
        if (state.lastRemaining !== null && heard.remaining > state.lastRemaining)
          state.ownToday = state.running;
        state.lastRemaining = heard.remaining;
        // Calls still on their way may or may not be in that number.
        state.startsSinceRemaining = Math.max(0, state.running - 1);
        state.quota = {
          limit: heard.limit,
          left: heard.remaining,
          resetAt: new Date(at + (heard.resetSeconds ?? 86_400) * 1000),
          seenAt: new Date(at),
        };
        state.atOnceMax = atOnce(heard.limit);
      }
      if (heard.status !== 429) return;
      // The block is Zoho's one-minute window; only the day's limit lasts, and even then it is
      // asked again now and then.
      const seconds =
        heard.code === '45'
          ? Math.min(heard.resetSeconds ?? 3_600, 3_600)
          : heard.code === '1070'
            ? 2
            : (heard.retryAfterSeconds ?? 60);
      if (heard.code === '1070') state.atOnceMax = Math.max(1, state.atOnceMax - 1);
      const bounded = heard.code === '45' ? seconds : Math.min(seconds, settings.blockSecondsMax);
      if (bounded <= 0) return;
      state.blockedUntil = Math.max(state.blockedUntil, at + bounded * 1000);
      state.gentleUntil = state.blockedUntil + minuteMs / 2;
      pump(state);
    },
    others(organizationId, lastMinute, today) {
      const state = stateOf(organizationId);
      state.othersLastMinute = lastMinute;
      state.ownToday = Math.max(state.ownToday, today);
    },
    quota: (organizationId) => states.get(organizationId)?.quota ?? null,
    close() {
      for (const state of states.values()) {
        if (state.timer) clearTimeout(state.timer);
        for (const each of state.waiting.splice(0))
          each.give(new AppError('books_unavailable', {}, 'the server closes'));
      }
    },
  };
}
