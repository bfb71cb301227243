/** How long a session lives without being used. */
export const sessionMs = 12 * 3_600_000;

/** How long a session lives at most, however much it is used; an operator's lives shorter. */
export const longestMs = 7 * 86_400_000;
export const operatorLongestMs = 12 * 3_600_000;

/** How often the last use of a session is written down. */
export const seenEveryMs = 5 * 60_000;

/** How long a token that can be renewed lives, and how long it may lie unused. */
export const shortMs = 15 * 60_000;
export const idleMs = 12 * 3_600_000;

/**
 * How long the same refresh token gets the same successor: the frames of one page renew at the same
 * time.
 */
export const sameAnswerMs = 10_000;

/**
 * How often Zoho is asked whether its user is still there, and how long a session goes on while
 * Zoho does not say.
 */
export const checkEveryMs = 5 * 60_000;
export const uncheckedMaxMs = 3_600_000;

/** What decides whether a refresh token may renew its session. */
export type Renewable = {
  refreshHash: string;
  previousHash: string | null;
  renewUntil: Date;
  createdAt: Date;
  renewedAt: Date | null;
};

/**
 * Judges a refresh token. Only the current token and the last one used are accepted: the answer to
 * the last one may have been lost. An older one is held by two, of whom one is a thief.
 */
export function renewability(
  session: Renewable,
  presentedHash: string,
  now: Date,
): 'renewable' | 'expired' | 'used_before' {
  const isExpired =
    session.renewUntil.getTime() <= now.getTime() ||
    session.createdAt.getTime() + longestMs <= now.getTime();
  if (isExpired) return 'expired';
  const isKnown = presentedHash === session.refreshHash || presentedHash === session.previousHash;
  return isKnown ? 'renewable' : 'used_before';
}

/** Returns when this token was answered, if that was a moment ago; null if it was not. */
export function answeredLately(
  { previousHash, renewedAt }: Renewable,
  presentedHash: string,
  now: Date,
): Date | null {
  if (presentedHash !== previousHash || !renewedAt) return null;
  return now.getTime() - renewedAt.getTime() > sameAnswerMs ? null : renewedAt;
}

/**
 * Decides about a session by what Zoho says of its user; `isThere` is null if Zoho does not answer.
 * An outage of Zoho must not sign everybody out, and must not let somebody stay for long who was
 * removed there.
 */
export function afterZohoCheck(
  isThere: boolean | null,
  uncheckedMs: number,
): 'checked' | 'unchecked' | 'ended' | 'unavailable' {
  if (isThere === false) return 'ended';
  if (isThere === null) return uncheckedMs > uncheckedMaxMs ? 'unavailable' : 'unchecked';
  return 'checked';
}

/** Returns when a session ends that is passed on: it lives no longer than the first one could. */
export const endOfPassed = (begun: Date, now: Date): Date =>
  new Date(Math.min(now.getTime() + sessionMs, begun.getTime() + longestMs));
