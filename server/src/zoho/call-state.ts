import type { Purpose } from '../ports/books.ts';

/**
 * What an answer said of the limits: the day's from its headers, the status and Zoho's own code.
 */
export type Heard = {
  status: number;
  code: string;
  limit: number | null;
  remaining: number | null;
  resetSeconds: number | null;
  retryAfterSeconds: number | null;
};

export type Quota = { limit: number; left: number; resetAt: Date; seenAt: Date };

/**
 * Zoho's limits belong to the organization and are shared with every other program of the customer
 * (zoho-books-api: limits): a hundred calls a minute, some thousands a day, five or ten at once. We
 * take a share and leave the rest.
 */
export type CallBudgetSettings = {
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

export const defaultCallBudget: CallBudgetSettings = {
  perMinute: 80,
  zohoPerMinute: 100,
  keptFor: { sign: 0, write_back: 10, sync: 20 },
  ofDay: 0.5,
  dayReserve: 0.05,
  waitMs: { sign: 8_000, write_back: 60_000, sync: 90_000 },
  blockSecondsMax: 60,
};

const minuteMs = 60_000;
/** Paid plans allow ten calls at once, the free one five; which it is shows in the day's limit. */
const atOnce = (dayLimit: number | null) => (dayLimit !== null && dayLimit >= 2_000 ? 10 : 5);

/** What this process knows of one organization's calls; times in milliseconds since 1970. */
export type CallState = {
  starts: number[];
  running: number;
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
};

export const noCallsYet = (): CallState => ({
  starts: [],
  running: 0,
  blockedUntil: 0,
  gentleUntil: 0,
  atOnceMax: atOnce(null),
  quota: null,
  ownToday: 0,
  othersLastMinute: 0,
  foreign: [],
  lastRemaining: null,
  startsSinceRemaining: 0,
});

/** When a call may start: now, at a moment, or not before another one has ended. */
export type MayStart = 'now' | { at: number } | 'after_another';

/** Says when a call of that purpose may start; forgets what is older than a minute. */
export function mayStart(
  state: CallState,
  purpose: Purpose,
  settings: CallBudgetSettings,
  at: number,
): MayStart {
  if (state.blockedUntil > at) return { at: state.blockedUntil };
  if (state.running >= state.atOnceMax) return 'after_another';
  state.starts = state.starts.filter((each) => at - each < minuteMs);
  state.foreign = state.foreign.filter((each) => at - each.at < minuteMs);
  if (state.gentleUntil > at) {
    const gap = minuteMs / settings.perMinute;
    const last = state.starts.at(-1) ?? 0;
    if (at - last < gap) return { at: last + gap };
  }
  const allowed = allowedInMinute(state, purpose, settings);
  const used = state.starts.length + state.othersLastMinute;
  if (used >= allowed)
    return { at: (state.starts[Math.max(0, state.starts.length - allowed)] ?? at) + minuteMs };
  return isDayLeft(state, purpose, settings, at) ? 'now' : { at: resetOf(state) };
}

/** How many calls of ours the minute holds, as far as this purpose may use them. */
function allowedInMinute(
  state: CallState,
  purpose: Purpose,
  { perMinute, zohoPerMinute, keptFor }: CallBudgetSettings,
): number {
  const foreign = state.foreign.reduce((sum, each) => sum + each.count, 0);
  // A tenth of the share stays ours however much another program spends: a signature must not wait
  // for it for ever.
  const share = Math.max(perMinute / 10, Math.min(perMinute, zohoPerMinute - foreign));
  const isShort = share < perMinute && purpose !== 'sign';
  return Math.max(1, Math.floor(share - (isShort ? keptFor.sync : keptFor[purpose])));
}

/** Whether the day has calls left for the purpose; signing may use all of them. */
function isDayLeft(
  { quota, ownToday }: CallState,
  purpose: Purpose,
  { dayReserve, ofDay }: CallBudgetSettings,
  at: number,
): boolean {
  if (purpose === 'sign' || !quota || quota.resetAt.getTime() <= at) return true;
  return quota.left > quota.limit * dayReserve && ownToday < quota.limit * ofDay;
}

const resetOf = ({ quota }: CallState): number => (quota as Quota).resetAt.getTime();

/** Learns from an answer's headers what is left of the day, and what others have used of it. */
export function learnQuota(state: CallState, heard: Heard, at: number): void {
  const { limit, remaining } = heard;
  if (limit === null || remaining === null) return;
  const before = state.lastRemaining;
  if (before !== null && remaining < before) {
    const count = before - remaining - state.startsSinceRemaining;
    if (count > 0) state.foreign.push({ at, count });
  }
  if (before !== null && remaining > before) state.ownToday = state.running;
  state.lastRemaining = remaining;
  // Calls still on their way may or may not be in that number.
  state.startsSinceRemaining = Math.max(0, state.running - 1);
  state.quota = {
    limit,
    left: remaining,
    resetAt: new Date(at + (heard.resetSeconds ?? 86_400) * 1000),
    seenAt: new Date(at),
  };
  state.atOnceMax = atOnce(limit);
}

/** Zoho's codes: the day is used up; too many calls at once. */
const dayUsed = '45';
const tooManyAtOnce = '1070';

/** Blocks an organization's calls after a 429; says whether anything was blocked. */
export function block(
  state: CallState,
  heard: Heard,
  settings: CallBudgetSettings,
  at: number,
): boolean {
  if (heard.code === tooManyAtOnce) state.atOnceMax = Math.max(1, state.atOnceMax - 1);
  const seconds = secondsOfBlock(heard, settings);
  if (seconds <= 0) return false;
  state.blockedUntil = Math.max(state.blockedUntil, at + seconds * 1000);
  state.gentleUntil = state.blockedUntil + minuteMs / 2;
  return true;
}

/**
 * The block is Zoho's one-minute window; only the day's limit lasts, and even then it is asked
 * again now and then.
 */
function secondsOfBlock(heard: Heard, { blockSecondsMax }: CallBudgetSettings): number {
  if (heard.code === dayUsed) return Math.min(heard.resetSeconds ?? 3_600, 3_600);
  const asked = heard.code === tooManyAtOnce ? 2 : (heard.retryAfterSeconds ?? 60);
  return Math.min(asked, blockSecondsMax);
}
