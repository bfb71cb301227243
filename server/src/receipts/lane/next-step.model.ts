import { inBooks, keptFromItself } from './automatic-signing.model.ts';
import type { LaneTiming } from './lane-timing.model.ts';
import type { LaneDevice, LaneDoubt, LaneHead } from './lane.model.ts';

/** What is known of a lane, under its lock, when its next step is decided. */
export type Situation = {
  lane: Pick<LaneDevice, 'state' | 'isOtherTaxpayer' | 'openAttempt'>;
  /** `stopped`: it was taken from the worker that held it, for nobody. */
  holder: 'this_worker' | 'stopped' | 'another';
  /** The send that was the lane's open one has ended in this transaction. */
  hasJustEnded: boolean;
  /** The process is about to end. */
  isClosing: boolean;
  /** The documents of the lane that may be signed, and the one that goes next. Null: not read. */
  queue: { doubts: LaneDoubt[]; head: LaneHead | null } | null;
  /** The receipts whose sends this process has under way. */
  underWay: readonly string[];
  /** For each receipt asked about: whether its answer may still come here, against the clock. */
  listening: ReadonlyMap<string, boolean>;
  done: ReadonlySet<'alert_open_doubts' | 'doubt_another' | 'withdraw_overtaken'>;
  /** The device has answered the probe. */
  isServing: boolean;
  rules: { resend: 'refused_by_device' | 'may_sign_again'; passesDoubt: boolean };
  timing: LaneTiming;
  now: Date;
};

/** What has to be found out, or written, under the lock before the rest can be decided. */
export type Preparation =
  | { do: 'read_queue' }
  | { do: 'change_asking'; doubt: LaneDoubt }
  | { do: 'find_listening'; receiptIds: string[] }
  | { do: 'alert_open_doubts'; documentNumbers: string[] }
  | { do: 'doubt_another'; head: LaneHead }
  | { do: 'withdraw_overtaken'; head: LaneHead };

export type Conclusion =
  | { do: 'stop'; endsLease: boolean }
  /** `orWhenDue`: at the latest when a document that was set aside is due. */
  | { do: 'release'; until: Date | null; orWhenDue?: true }
  | { do: 'resend'; doubt: LaneDoubt }
  | { do: 'probe' | 'read' | 'register' | 'freeze'; head: LaneHead };

export type Decision = Conclusion | { do: 'prepare'; first: Preparation };

type Asked = { doubts: LaneDoubt[]; due: LaneDoubt | undefined; wakeUps: Date[] };

/**
 * Decides what a lane does next, from what is known of it. Where something else has to be known or
 * written first, that is the decision: the lane does it and decides again.
 */
export function decide(situation: Situation): Decision {
  const onLease = decideOnLease(situation);
  if (onLease) return onLease;
  if (!situation.queue) return prepare({ do: 'read_queue' });
  const { doubts, head } = situation.queue;
  const misasked = doubts.find((doubt) => isMisasked(doubt, situation));
  if (misasked) return prepare({ do: 'change_asking', doubt: misasked });
  const asked = doubts.filter((doubt) => doubt.isAsked);
  const toHear = findUnheard(asked, situation);
  if (toHear.length > 0) return prepare({ do: 'find_listening', receiptIds: toHear });
  const heard = heardOf(asked, situation);
  return (
    decideOnDoubts(heard, head, situation) ??
    (head
      ? decideOnHead(head, heard.wakeUps, situation)
      : { do: 'release', until: earliest(heard.wakeUps), orWhenDue: true })
  );
}

function decideOnLease({ lane, holder, hasJustEnded, isClosing, now }: Situation): Decision | null {
  // Stopped, the lane is free once no send is open: with the one that has just ended it is.
  if (holder === 'stopped')
    return { do: 'stop', endsLease: hasJustEnded || lane.openAttempt === null };
  if (holder === 'another') return { do: 'stop', endsLease: false };
  if (lane.state !== 'active') return { do: 'release', until: null };
  // Another server goes on with it, or this one once it is there again.
  return isClosing ? { do: 'release', until: now } : null;
}

/**
 * Lists the receipts that are due by the clock, of which this process may still hear: woken from a
 * long sleep, it may listen for an answer although the time of its socket has ended.
 */
const findUnheard = (asked: LaneDoubt[], situation: Situation): string[] =>
  situation.underWay.length === 0
    ? []
    : asked
        .filter((doubt) => canSettle(doubt, situation) && !situation.listening.has(doubt.id))
        .map((doubt) => doubt.id);

/**
 * A device that would sign the same number once more is asked about a doubt by nobody but a person:
 * there it would be a second receipt.
 */
function heardOf(asked: LaneDoubt[], situation: Situation): Asked {
  const doubts = asked.map((doubt) =>
    situation.listening.get(doubt.id) ? { ...doubt, hasOpenSocket: true } : doubt,
  );
  const resendable = situation.rules.resend === 'refused_by_device' ? doubts : [];
  return {
    doubts,
    due: resendable.find((doubt) => canSettle(doubt, situation)),
    wakeUps: resendable
      .filter((doubt) => !doubt.isContested)
      .map((doubt) => settleTime(doubt, situation)),
  };
}

/** Decides on the documents that may be signed; null: the lane may go past them. */
function decideOnDoubts(
  { doubts, due, wakeUps }: Asked,
  head: LaneHead | null,
  { done, rules, timing, isServing, now }: Situation,
): Decision | null {
  if (doubts.length > 1 && !done.has('alert_open_doubts'))
    return prepare({
      do: 'alert_open_doubts',
      documentNumbers: doubts.map((doubt) => doubt.documentNumber),
    });
  if (due) return { do: 'resend', doubt: due };
  const [first, second] = doubts;
  if (!first || !head) return null;
  if (!rules.passesDoubt || second) return { do: 'release', until: earliest(wakeUps) };
  const passesAt = later(first.since, timing.doubtWaitMs);
  if (now < passesAt) return { do: 'release', until: earliest([...wakeUps, passesAt]) };
  return isServing ? null : { do: 'probe', head };
}

function decideOnHead(head: LaneHead, wakeUps: Date[], situation: Situation): Decision {
  const { lane, listening, done, timing, now } = situation;
  const waitUntil = (until: Date): Decision => ({
    do: 'release',
    until: earliest([...wakeUps, until]),
  });
  // Whatever has put it there: a document that may be signed under another number waits for whoever
  // settles that, and the lane goes on without it.
  if (head.isDoubted && !done.has('doubt_another')) return prepare({ do: 'doubt_another', head });
  // Bytes that may have left are asked about all the same: what the authority has is not changed by
  // who asks.
  if (lane.isOtherTaxpayer && !head.fixedRequest) return waitUntil(later(now, timing.retryMaxMs));
  if (head.nextTryAt && head.nextTryAt > now) return waitUntil(head.nextTryAt);
  // Woken from a long sleep, this process may still listen for an earlier send of it although by
  // the clock that is over, and others have settled it since.
  if (situation.underWay.includes(head.id)) {
    if (!listening.has(head.id)) return prepare({ do: 'find_listening', receiptIds: [head.id] });
    if (listening.get(head.id)) return waitUntil(later(now, timing.settleQuietMs));
  }
  if (head.filed.terms.reverses && !done.has('withdraw_overtaken'))
    return prepare({ do: 'withdraw_overtaken', head });
  return { do: whatItNeeds(head, situation), head };
}

/**
 * Bytes that may have left are fixed; anything else is read again where it may have changed
 * meanwhile. A reversal follows nothing in the books: it undoes exactly what was signed.
 */
function whatItNeeds(
  head: LaneHead,
  { timing, now }: Pick<Situation, 'timing' | 'now'>,
): 'read' | 'register' | 'freeze' {
  if (head.fixedRequest) return 'freeze';
  const isOld =
    !head.filed.terms.reverses && (!head.readAt || later(head.readAt, timing.readAgainMs) < now);
  if (isOld || keptFromItself(head, head.byItself, inBooks(head.filed)) !== null) return 'read';
  return head.hasUnregisteredItems ? 'register' : 'freeze';
}

/** The number a document is sent under, and the device's counters after it was given. */
export function giveNumber(
  { invoiceNumber }: Pick<LaneHead, 'invoiceNumber'>,
  { nextInvoiceNumber, freeNumbers }: Pick<LaneDevice, 'nextInvoiceNumber' | 'freeNumbers'>,
): { invoiceNumber: string; counters: { next: string; free: string[] } } {
  const asTheyAre = { next: nextInvoiceNumber, free: freeNumbers };
  if (invoiceNumber !== null) return { invoiceNumber, counters: asTheyAre };
  const [returned, ...others] = freeNumbers;
  if (returned !== undefined)
    return { invoiceNumber: returned, counters: { ...asTheyAre, free: others } };
  return {
    invoiceNumber: nextInvoiceNumber,
    counters: { ...asTheyAre, next: (BigInt(nextInvoiceNumber) + 1n).toString() },
  };
}

/** Returns when to ask about a doubt again: a quiet time after its first socket has closed. */
function settleTime(doubt: LaneDoubt, { timing, now }: Situation): Date {
  const quiet = later(doubt.lastEndedAt ?? doubt.since, timing.settleQuietMs);
  const floor = doubt.hasOpenSocket ? latest(quiet, later(now, timing.settleQuietMs)) : quiet;
  return doubt.nextTryAt ? latest(floor, doubt.nextTryAt) : floor;
}

const canSettle = (doubt: LaneDoubt, situation: Situation): boolean =>
  !doubt.isContested && !doubt.hasOpenSocket && settleTime(doubt, situation) <= situation.now;

/**
 * The device would be asked about a doubt although it may be signed under another number too; or it
 * is not asked, and nothing stands against it any more.
 */
const isMisasked = (doubt: LaneDoubt, situation: Situation): boolean =>
  doubt.isAsked
    ? doubt.otherNumber !== null && canSettle(doubt, situation)
    : doubt.otherNumber === null && !doubt.isContested;

const prepare = (first: Preparation): Decision => ({ do: 'prepare', first });

const later = (moment: Date, ms: number): Date => new Date(moment.getTime() + ms);
const latest = (one: Date, other: Date): Date => (one > other ? one : other);
/** Returns the first of some moments; null: there is none. */
export const earliest = (moments: (Date | null)[]): Date | null =>
  moments.reduce(
    (first, moment) => (first === null || (moment !== null && moment < first) ? moment : first),
    null,
  );
