import type { Tx } from './platform/db/database.ts';

/** Who does it. Shown in the audit trail, so that a person, a job and the command line are told apart without guessing. */
export type Actor = { type: 'person'; id: string; membershipId: string; name: string } | { type: 'job'; id: string } | { type: 'command_line'; id: string };

/** What every call carries: for whom, by whom, from where, and the door to that business's tables. */
export type Context = {
  businessId: string;
  actor: Actor;
  /** BCP 47 language of the person, for problems. */
  language: string;
  requestId: string | null;
  origin: string | null;
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
};

export type Role = 'business_admin' | 'business_user';

export type Person = { id: string; username: string; name: string };

export type Membership = { id: string; businessId: string; role: Role; permissions: string[] };

/** A session is for one membership of one person; the operator's has none. */
export type Session = {
  person: Person;
  expiresAt: Date;
  business: { membership: Membership; name: string; taxpayerId: string; organizationId: string | null } | null;
};
