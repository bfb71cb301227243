/**
 * How the books have failed to give one document, while they gave others: since when, at which try
 * last, and how often.
 */
export type NotGiven = { since: string; last: string; tries: number };

const minuteMs = 60_000;
/** Looks that come at once, of two windows or two documents, are one try. */
const tryMs = minuteMs;
/** After such a time without a try nothing says that it failed in between. */
const forgottenMs = 24 * 60 * minuteMs;
const neverMs = 15 * minuteMs;
const neverTries = 3;

export function failedAgain(was: NotGiven | null, at: Date): NotGiven {
  const since = was && at.getTime() - Date.parse(was.last) < forgottenMs ? was : null;
  if (!since) return { since: at.toISOString(), last: at.toISOString(), tries: 1 };
  return at.getTime() - Date.parse(since.last) < tryMs
    ? since
    : { ...since, last: at.toISOString(), tries: since.tries + 1 };
}

/**
 * Whether it is none of the failures that end by themselves: three tries over a quarter of an hour,
 * in which other documents were given.
 */
export const isNeverGiven = (document: NotGiven, at: Date): boolean =>
  document.tries >= neverTries && at.getTime() - Date.parse(document.since) >= neverMs;
