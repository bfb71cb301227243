import type { Context } from '../context.ts';
import type { Database } from '../platform/db/database.ts';
import { type ListedPerson, listPersons } from './person.store.ts';
import { listMembers } from './membership.store.ts';

/**
 * How long a blocked admin still counts as if they were there. An operator who wants to decide alone
 * must not make room by blocking the others first. It is four times as long as a request stays
 * pending, and long enough for those who cannot sign in, and their colleagues, to ask why. An admin
 * who was blocked for longer has left the firm.
 */
const blockedLatelyMs = 30 * 86_400_000;

/**
 * Lists who may decide about a person's request: `all` admins of the business, blocked or not;
 * `others`, who count beside that person; `present`, who of them could decide at once; and
 * `everybody` who works there.
 */
export async function otherAdmins(
  { database }: { database: Database },
  ctx: Context,
  request: { personId: string; askedAt: Date },
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
  const others = all.filter(
    (each) => each.id !== request.personId && counts(each, request.askedAt),
  );
  return { all, others, present: others.filter((each) => !each.isBlocked), everybody };
}

const counts = ({ block }: ListedPerson, askedAt: Date): boolean =>
  block === null ||
  (block.byType === 'operator' &&
    (block.at?.getTime() ?? Infinity) > askedAt.getTime() - blockedLatelyMs);
