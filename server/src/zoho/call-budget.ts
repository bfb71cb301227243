import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Purpose } from '../ports/books.ts';
import {
  block,
  type CallBudgetSettings,
  type CallState,
  defaultCallBudget,
  type Heard,
  learnQuota,
  type MayStart,
  mayStart,
  noCallsYet,
  type Quota,
} from './call-state.ts';

export { type CallBudgetSettings, defaultCallBudget };

export type CallBudget = {
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

/** The more urgent first. */
const order: Purpose[] = ['sign', 'write_back', 'sync'];

type Waiting = {
  purpose: Purpose;
  since: number;
  go(done: () => void): void;
  give(error: AppError): void;
};
type State = CallState & { waiting: Waiting[]; timer: NodeJS.Timeout | null };
type Rules = { settings: CallBudgetSettings; now(): number };

/** Gives the calls of each organization their turn, within what Zoho and we allow. */
export function openCallBudget(
  clock: Clock,
  settings: CallBudgetSettings = defaultCallBudget,
): CallBudget {
  const states = new Map<string, State>();
  const rules: Rules = { settings, now: () => clock.now().getTime() };
  const stateOf = (organizationId: string): State => {
    const state = states.get(organizationId) ?? { ...noCallsYet(), waiting: [], timer: null };
    states.set(organizationId, state);
    return state;
  };
  return {
    turn(organizationId, purpose) {
      const state = stateOf(organizationId);
      return new Promise((go, give) => {
        state.waiting.push({ purpose, since: rules.now(), go, give });
        pump(state, rules);
      });
    },
    heard(organizationId, heard) {
      const state = stateOf(organizationId);
      learnQuota(state, heard, rules.now());
      if (heard.status === 429 && block(state, heard, settings, rules.now())) pump(state, rules);
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

/** Starts what may start, refuses what would wait too long, and sets the timer for the next look. */
function pump(state: State, rules: Rules): void {
  if (state.timer) clearTimeout(state.timer);
  state.timer = null;
  const wakeAt = Math.min(startDue(state, rules), refuseLate(state, rules));
  if (wakeAt !== Number.POSITIVE_INFINITY)
    state.timer = setTimeout(() => pump(state, rules), Math.max(5, wakeAt - rules.now())).unref();
}

/** Starts every call that may; returns when the next one may, if only time is in its way. */
function startDue(state: State, rules: Rules): number {
  let wakeAt = Number.POSITIVE_INFINITY;
  for (const purpose of order)
    for (;;) {
      const next = state.waiting.find((each) => each.purpose === purpose);
      if (!next) break;
      const when = mayStart(state, purpose, rules.settings, rules.now());
      if (when !== 'now') {
        if (when !== 'after_another') wakeAt = Math.min(wakeAt, when.at);
        break;
      }
      state.waiting.splice(state.waiting.indexOf(next), 1);
      start(state, next, rules);
    }
  return wakeAt;
}

/** Refuses what would wait longer than its purpose may; returns when the next patience ends. */
function refuseLate(state: State, { settings, now }: Rules): number {
  let wakeAt = Number.POSITIVE_INFINITY;
  state.waiting = state.waiting.filter((each) => {
    const until = each.since + settings.waitMs[each.purpose];
    const when = mayStart(state, each.purpose, settings, now());
    if (until <= now() || isAfter(when, until)) {
      each.give(
        new AppError(
          'books_limit',
          typeof when === 'object' ? { until: new Date(when.at).toISOString() } : {},
        ),
      );
      return false;
    }
    wakeAt = Math.min(wakeAt, until);
    return true;
  });
  return wakeAt;
}

const isAfter = (when: MayStart, until: number): boolean =>
  typeof when === 'object' && when.at > until;

function start(state: State, waiting: Waiting, rules: Rules): void {
  state.starts.push(rules.now());
  state.running += 1;
  state.ownToday += 1;
  state.startsSinceRemaining += 1;
  let isDone = false;
  waiting.go(() => {
    if (isDone) return;
    isDone = true;
    state.running -= 1;
    pump(state, rules);
  });
}
