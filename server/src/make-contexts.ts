import { permissionsOfSession } from './access/index.ts';
import type { Context, Session } from './context.ts';
import { AppError } from './platform/app-error.ts';
import { withRequestTimeout } from './platform/db/database.ts';
import { openFairQueue } from './platform/fair-queue.ts';
import type { Runtime } from './platform/runtime.ts';

/** What a call brings along besides who makes it. */
export type About = { language: string; requestId: string; origin: string | null };

export type Contexts = ReturnType<typeof makeContexts>;

/**
 * Makes the contexts of whoever asks: the operator, a person or their API key; each with the doors
 * to one business. What people ask for has little time, and the people of one business have a share
 * of the connections that the lanes leave.
 */
export function makeContexts({ database, statements, databasePoolMax }: Runtime) {
  const shares = openFairQueue({
    atOnce: Math.max(2, Math.floor(databasePoolMax * 0.4)),
    waitMs: statements.askedMs,
    lineMost: 500,
  });
  const doors = (
    businessId: string,
    within: <T>(work: () => Promise<T>) => Promise<T>,
  ): Pick<Context, 'transaction' | 'registration'> => ({
    transaction: (work) => within(() => database.transaction(businessId, work)),
    registration: (work) =>
      within(() => database.registration((tx, enter) => work(tx, () => enter(businessId)))),
  });
  const asked = (businessId: string) =>
    doors(businessId, (work) =>
      withRequestTimeout(statements.askedMs, () => shares(businessId, work)),
    );
  const operatorContext = (session: Session, businessId: string, about: About): Context => ({
    businessId,
    actor: { type: 'operator', id: session.person.id, name: session.person.name },
    permissions: permissionsOfSession(session),
    ...about,
    ...asked(businessId),
  });
  const personContext = (session: Session, about: About): Context => {
    const business = session.business;
    if (!business) throw new AppError('not_allowed');
    const { businessId, id } = business.membership;
    return {
      businessId,
      actor: session.apiKey
        ? { type: 'api_key', id: session.apiKey.id, name: session.apiKey.name }
        : { type: 'person', id: session.person.id, membershipId: id, name: session.person.name },
      permissions: permissionsOfSession(session),
      ...about,
      ...asked(businessId),
    };
  };
  return { operatorContext, personContext };
}
