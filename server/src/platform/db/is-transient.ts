/**
 * Classes of PostgreSQL that tell of trouble with the database and not with what it was given: a
 * connection, a transaction that has to be begun anew or may not write, a lack of disk, memory or
 * connections, an operator, a lock or a time that ran out, the machine, a fault of its own.
 */
const passing = /^(?:08|25|40|53|55|57|58|XX)[0-9A-Z]{3}$/;
/**
 * What does not tell of that: a statement after the one that failed says nothing about why; and
 * data or an index that is damaged stays so at every try.
 */
const exceptions = ['25P02', 'XX001', 'XX002'];

/**
 * A statement that was prepared before a column was added and gives it as well. Its code stands for
 * all that PostgreSQL cannot do, and its text is in PostgreSQL's own language: where it comes from
 * says what it is.
 */
export const isStalePlan = ({ code, routine }: { code?: unknown; routine?: unknown }): boolean =>
  code === '0A000' && routine === 'RevalidateCachedQuery';

/** Whether PostgreSQL itself says that the same would go through another time. */
export function isTransient(error: unknown): boolean {
  for (
    let each = error as { code?: unknown; routine?: unknown; cause?: unknown } | null | undefined;
    each;
    each = each.cause as typeof each
  )
    if (
      isStalePlan(each) ||
      (typeof each.code === 'string' && passing.test(each.code) && !exceptions.includes(each.code))
    )
      return true;
  return false;
}
