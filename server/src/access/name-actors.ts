import type { Database } from '../platform/db/database.ts';
import { listPersons } from './person.store.ts';

/**
 * Gives entries of a trail the names of the people in them; programs, jobs and the command line
 * keep what they are.
 */
export const nameActors =
  (ports: { database: Database }) =>
  async <E extends { actor_id: string }>(entries: E[]): Promise<(E & { actorName?: string })[]> => {
    const ids = [...new Set(entries.map((each) => each.actor_id))].filter((id) =>
      id.startsWith('per_'),
    );
    const persons =
      ids.length > 0 ? await ports.database.platform((tx) => listPersons(tx, ids)) : [];
    const names = new Map(persons.map((person) => [person.id, person.name]));
    return entries.map((each) => {
      const actorName = names.get(each.actor_id);
      return actorName === undefined ? each : { ...each, actorName };
    });
  };
