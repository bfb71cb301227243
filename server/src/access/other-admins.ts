import type { Context } from '../context.ts';
import type { Database } from '../platform/db/database.ts';
import { type ListedPerson, listPersons } from './person.store.ts';
import { listMembers } from './membership.store.ts';

/**
 * An admin whom an operator has kept out for less than this before something was asked, or since
 * it, counts as if they were there: an operator who wants to decide alone must not make room by
 * blocking the others first. Four times as long as a request stays open, and long enough for
 * whoever cannot sign in, and their colleagues, to ask why; whoever was kept out for longer has
 * left the firm.
 */
const blockedLatelyMs = 30 * 86_400_000;

/**
 * Every admin of a business, kept out or not; those beside one person who decide; those of them who
 * could at once; and everybody else too.
 */
export async function otherAdmins(
  { database }: { database: Database },
  ctx: Context,
  is: { personId: string; askedAt: Date },
): Promise<{
  all: ListedPerson[];
  others: ListedPerson[];
  present: ListedPerson[];
  everybody: ListedPerson[];
}> {
  const members = (await ctx.transaction(listMembers)).filter((each) => each.status === 'active');
  const everybody = await database.platform((tx) =>
    listPersons(
      tx,
      members.map((each) => each.personId),
    ),
  );
  const admins = new Set(
    members.filter((each) => each.role === 'business_admin').map((each) => each.personId),
  );
  const all = everybody.filter((each) => admins.has(each.id));
  const others = all.filter((each) => each.id !== is.personId && counts(each, is.askedAt));
  return { all, others, present: others.filter((each) => !each.isBlocked), everybody };
}

const counts = ({ block }: ListedPerson, askedAt: Date): boolean =>
  block === null ||
  (block.byType === 'operator' &&
    (block.at?.getTime() ?? Infinity) > askedAt.getTime() - blockedLatelyMs);
