/** How long every admin may object before an operator may decide. */
export const objectionMs = 24 * 3_600_000;

/** How long a request stays pending. */
export const pendingMs = 7 * 86_400_000;

/**
 * How long an operator waits if some admin's address takes no mail. By then the others have had
 * their day many times, and nobody is locked out for ever.
 */
export const unnotifiedMs = 3 * 86_400_000;

/** Returns when an operator may decide about a request. */
export const operatorFrom = ({
  notifiedAt,
  askedAt,
}: {
  notifiedAt: Date | null;
  askedAt: Date;
}): Date =>
  new Date(notifiedAt ? notifiedAt.getTime() + objectionMs : askedAt.getTime() + unnotifiedMs);

/**
 * Says whether the password has changed since a request. The request proved the former password
 * only, and whoever asked may be why it was changed: nothing is granted to them.
 */
export const isOfFormerPassword = (
  { passwordChangedAt }: { passwordChangedAt: Date | null },
  { askedAt }: { askedAt: Date },
): boolean => passwordChangedAt !== null && passwordChangedAt > askedAt;
