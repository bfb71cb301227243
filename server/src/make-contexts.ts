import { permissionsOfSession } from './access/index.ts';
import type { Context, Session } from './context.ts';
import { AppError } from './platform/app-error.ts';
import {
  withRequestTimeout,
  type Database,
  type StatementLimits,
  withJobTimeout,
} from './platform/db/database.ts';
import type { FairQueue } from './platform/fair-queue.ts';

/** What a call brings along besides who makes it. */
export type About = { language: string; requestId: string; origin: string | null };

/**
 * Contexts for whoever acts: a job, the operator, a person or their API key; each with the doors to
 * one business. What people ask for has little time, and the people of one business have a share of
 * the connections; jobs have more time, and lines of their own.
 */
export function makeContexts(database: Database, limits: StatementLimits, shares: FairQueue) {
  const doors = (
    businessId: string,
    within: <T>(work: () => Promise<T>) => Promise<T>,
  ): Pick<Context, 'transaction' | 'registration'> => ({
    transaction: (work) => within(() => database.transaction(businessId, work)),
    registration: (work) =>
      within(() => database.registration((tx, enter) => work(tx, () => enter(businessId)))),
  });
  const asked = (businessId: string) =>
    doors(businessId, (work) => withRequestTimeout(limits.askedMs, () => shares(businessId, work)));
  const jobContext = (businessId: string, id: string): Context => ({
    businessId,
    actor: { type: 'job', id },
    permissions: null,
    language: 'en',
    requestId: null,
    origin: null,
    // Often begun by what a person asked for, and not bound by it.
    ...doors(businessId, (work) => withJobTimeout(limits.jobMs, work)),
  });
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
  return { jobContext, operatorContext, personContext };
}
