import { listEveryMembership, listMemberships } from '../membership.store.ts';
import type { SessionPorts } from './session-ports.ts';
import {
  listOperatorSessionIds,
  listOperatorSessions,
  listSessionIdsOf,
  listSessionsOf,
  type StoredSession,
} from './session.store.ts';

type ListedSession = StoredSession & { businessName: string | null };

/** Lists the newest living sessions of a person in every business, to be shown. */
export const listSessions =
  ({ database, clock }: Pick<SessionPorts, 'database' | 'clock'>) =>
  async (person: { id: string; isOperator: boolean }): Promise<ListedSession[]> => {
    if (person.isOperator) {
      const sessions = await database.platform((tx) =>
        listOperatorSessions(tx, person.id, clock.now()),
      );
      return sessions.map((each) => ({ ...each, businessName: null }));
    }
    const found: ListedSession[] = [];
    const memberships = await database.platform((tx) => listMemberships(tx, person.id));
    for (const { businessId, membershipId, businessName } of memberships) {
      const sessions = await database.transaction(businessId, (tx) =>
        listSessionsOf(tx, businessId, membershipId, clock.now()),
      );
      found.push(...sessions.map((each) => ({ ...each, businessName })));
    }
    return found;
  };

/** Lists the ids of all sessions of a person, however many there are. */
export const listSessionIds =
  ({ database }: Pick<SessionPorts, 'database'>) =>
  async (personId: string): Promise<string[]> => {
    const { memberships, ids } = await database.platform(async (tx) => ({
      memberships: await listEveryMembership(tx, personId),
      ids: await listOperatorSessionIds(tx, personId),
    }));
    for (const { businessId, membershipId } of memberships)
      ids.push(
        ...(await database.transaction(businessId, (tx) =>
          listSessionIdsOf(tx, businessId, membershipId),
        )),
      );
    return ids;
  };
