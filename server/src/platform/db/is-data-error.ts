/**
 * Whether a statement failed for what it was given (a value out of range, a broken constraint, the
 * same row twice) and would fail again: PostgreSQL's classes 21, 22 and 23. Anything else is the
 * database's or the connection's.
 */
export function isDataError(error: unknown): boolean {
  for (
    let each = error as { code?: unknown; cause?: unknown } | null | undefined;
    each;
    each = each.cause as typeof each
  )
    if (typeof each.code === 'string' && /^2[123][0-9A-Z]{3}$/.test(each.code)) return true;
  return false;
}
