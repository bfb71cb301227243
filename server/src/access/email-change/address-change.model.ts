const dayMs = 86_400_000;

/** How long the former address and everybody of the business may object. */
const objectionMs = 7 * dayMs;
/** How long they may if some of them take no mail. */
const unnotifiedMs = 14 * dayMs;
/** How long a request stays pending. */
const pendingMs = 30 * dayMs;
/** How many mails the former address gets, one a day. */
const mailsMost = 7;
/** How soon everybody is mailed again if somebody was not reached. */
const retryMs = 60 * 60_000;

/** What decides about the time of a change; `notifiedAt` is when everybody had been mailed. */
export type ChangeTimes = {
  askedAt: Date;
  notifiedAt: Date | null;
  mailsSent: number;
  lastMailedAt: Date | null;
};

/** Returns when a change may be applied. */
export const appliesFrom = ({
  notifiedAt,
  askedAt,
}: Pick<ChangeTimes, 'notifiedAt' | 'askedAt'>): Date =>
  new Date(notifiedAt ? notifiedAt.getTime() + objectionMs : askedAt.getTime() + unnotifiedMs);

export const isExpired = ({ askedAt }: Pick<ChangeTimes, 'askedAt'>, now: Date): boolean =>
  now.getTime() > askedAt.getTime() + pendingMs;

/** Says whether a mail is due: once a day, and sooner if somebody was not reached. */
export function isMailDue(change: ChangeTimes, now: Date): boolean {
  const { notifiedAt, mailsSent, lastMailedAt, askedAt } = change;
  if (isExpired(change, now) || (notifiedAt !== null && mailsSent >= mailsMost)) return false;
  const sinceMs = now.getTime() - (lastMailedAt ?? askedAt).getTime();
  return sinceMs >= (notifiedAt === null ? retryMs : dayMs);
}

/**
 * Says whether everybody of the business is mailed, and not only the former address: at the
 * beginning, and again before the end.
 */
export const isForEverybody = ({
  notifiedAt,
  mailsSent,
}: Pick<ChangeTimes, 'notifiedAt' | 'mailsSent'>): boolean =>
  notifiedAt === null || mailsSent === mailsMost - 1;
