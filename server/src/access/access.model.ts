import { byRole, type Permission, permissionsOf } from '@muhuri/shared/permissions';
import type { Session } from '../context.ts';

/** How long a second factor given in a session holds for what asks for it. */
export const secondFactorMs = 15 * 60_000;

/** What a caller may do: an operator's, a key's scopes, or a member's. */
export function permissionsOfSession(session: Session): readonly Permission[] {
  if (session.apiKey) return session.apiKey.scopes;
  if (session.business) return permissionsOf(session.business.membership);
  // An operator without a second factor may set one up and nothing else.
  return session.isOperator && session.verifiedAt ? byRole.admin : [];
}

export type Refusal =
  | 'not_signed_in'
  | 'not_allowed'
  | 'second_factor_setup'
  | 'second_factor_needed'
  | 'business_suspended';

/** Why a caller may not pass a guard of the contract; null where it may. */
export function refusalOf(
  session: Session | null,
  endpoint: { guard: string; secondFactor?: true },
  now: Date,
): Refusal | null {
  if (endpoint.guard === 'anyone') return null;
  if (!session) return 'not_signed_in';
  if (endpoint.guard === 'signed_in') {
    if (session.apiKey) return 'not_allowed';
  } else {
    if (session.isOperator && !session.verifiedAt)
      return session.hasSecondFactor ? 'second_factor_needed' : 'second_factor_setup';
    if (session.awaitsSecondFactor) return 'second_factor_needed';
    if (!permissionsOfSession(session).includes(endpoint.guard as Permission)) return 'not_allowed';
    // Whoever is suspended may still read what is theirs; nothing more is done in its name.
    if (
      session.business?.status === 'suspended' &&
      !['read', 'read_trail'].includes(endpoint.guard)
    )
      return 'business_suspended';
  }
  if (!endpoint.secondFactor) return null;
  if (!session.hasSecondFactor) return 'second_factor_setup';
  const isFresh =
    session.verifiedAt !== null && now.getTime() - session.verifiedAt.getTime() < secondFactorMs;
  return isFresh ? null : 'second_factor_needed';
}
