import type { Permission } from '@muhuri/shared/permissions';
import type { Tx } from './platform/db/database.ts';

/**
 * Who does it. Shown in the audit trail, so that a person, a job and the command line are told
 * apart without guessing.
 */
export type Actor =
  | { type: 'person'; id: string; membershipId: string; name: string }
  | { type: 'api_key'; id: string; name: string }
  | { type: 'operator'; id: string; name: string }
  | { type: 'job'; id: string }
  | { type: 'command_line'; id: string };

/**
 * What every call carries: for whom, by whom, from where, and the door to that business's tables.
 */
export type Context = {
  businessId: string;
  actor: Actor;
  /** What this caller may do; a job and the command line are not asked. */
  permissions: readonly Permission[] | null;
  /** BCP 47 language of the person, for problems. */
  language: string;
  requestId: string | null;
  origin: string | null;
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The same, begun at the platform's door: for what must look there first, at who makes it.
   * `enter` goes on to the business's own.
   */
  registration<T>(work: (tx: Tx, enter: () => Promise<void>) => Promise<T>): Promise<T>;
};

export type Role = 'business_admin' | 'business_user';

export type Person = { id: string; username: string; name: string; email: string };

export type Membership = { id: string; businessId: string; role: Role; permissions: string[] };

/**
 * A session is for one membership of one person, or for an API key; the operator's has no business.
 */
export type Session = {
  /** What is stored of it: `<owner>.<hash of the secret>`. */
  id: string;
  person: Person;
  isOperator: boolean;
  expiresAt: Date;
  /** When the second factor was given in this session, and whether there is one. */
  verifiedAt: Date | null;
  hasSecondFactor: boolean;
  /**
   * Begun on an unknown device without the second factor that is set up: it opens nothing before
   * that is given.
   */
  awaitsSecondFactor: boolean;
  /**
   * What wrong codes are counted by once a right one was given: this session, with those it went on
   * from.
   */
  lineage: string;
  business: {
    membership: Membership;
    name: string;
    taxpayerId: string;
    organizationId: string | null;
    status: 'pending' | 'active' | 'suspended' | 'closed';
  } | null;
  /**
   * The Zoho user who entered by it: such a session is for this one membership and opens nothing
   * else of the person's.
   */
  zohoUserId: string | null;
  apiKey: { id: string; name: string; scopes: Permission[] } | null;
};
