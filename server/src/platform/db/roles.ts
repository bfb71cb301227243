/**
 * The roles, by what they may do:
 * - owner (a login): owns schemas and tables, runs migrations. No superuser, so forced row security
 *   binds it too.
 * - `muhuri_worker` (no login): the tables of businesses, each row only under its business.
 * - `muhuri_platform` (no login): the reference schema and nothing else.
 * - `muhuri_lookup` (no login): owns the few functions that answer whether an id exists at all;
 *   reads ids, nothing else.
 * - app (a login): owns nothing, may do nothing by itself (noinherit), becomes worker or platform
 *   within a transaction.
 * - queue (a login): everything on the queue's own schema, nothing on ours.
 */
const groupRoles = ['muhuri_worker', 'muhuri_platform', 'muhuri_queue', 'muhuri_lookup'] as const;

// The owner may hand a function to the lookup role, and nothing more.
export const lookupGrant = 'grant muhuri_lookup to muhuri_owner with inherit false, set true';

/**
 * What a superuser runs once on a new cluster. Names of logins are free; these are the embedded
 * default's.
 */
export const roleStatements = (passwords: {
  owner: string;
  app: string;
  queue: string;
}): string[] => [
  ...groupRoles.map((role) => `create role ${role} nologin`),
  `create role muhuri_owner login noinherit nobypassrls password '${passwords.owner}'`,
  `create role muhuri_app login noinherit nobypassrls password '${passwords.app}'`,
  `create role muhuri_queue_login login nobypassrls password '${passwords.queue}'`,
  'grant muhuri_worker, muhuri_platform to muhuri_app with inherit false, set true',
  'grant muhuri_queue to muhuri_queue_login with inherit true, set true',
  lookupGrant,
];
