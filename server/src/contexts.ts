import { permissionsOfSession } from './access/index.ts';
import type { Context, Session } from './context.ts';
import { AppError } from './platform/app-error.ts';
import type { Database } from './platform/db/database.ts';

/** What a call brings along besides who makes it. */
export type About = { language: string; requestId: string; origin: string | null };

/** Contexts for whoever acts: a job, the operator, a person or their API key; each with the door to one business. */
export function contextsOf(database: Database) {
  const jobContext = (businessId: string, id: string): Context => ({
    businessId,
    actor: { type: 'job', id },
    permissions: null,
    language: 'en',
    requestId: null,
    origin: null,
    transaction: (work) => database.transaction(businessId, work),
  });
  const operatorContext = (session: Session, businessId: string, about: About): Context => ({
    businessId,
    actor: { type: 'operator', id: session.person.id, name: session.person.name },
    permissions: permissionsOfSession(session),
    ...about,
    transaction: (work) => database.transaction(businessId, work),
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
      transaction: (work) => database.transaction(businessId, work),
    };
  };
  return { jobContext, operatorContext, personContext };
}
