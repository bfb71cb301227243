import { byRole, type Permission, permissionsOf } from '@muhuri/shared/permissions';
import type { Session } from '../context.ts';

/** How long a second factor given in a session holds for what asks for it. */
export const secondFactorMs = 15 * 60_000;

/** Returns what a caller may do: a key's scopes, a member's permissions, or an operator's. */
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

/** Says why a caller may not pass a guard of the contract; null if it may. */
export function refusalOf(
  session: Session | null,
  endpoint: { guard: string; secondFactor?: true },
  now: Date,
): Refusal | null {
  if (endpoint.guard === 'anyone') return null;
  if (!session) return 'not_signed_in';
  return (
    refusalByGuard(session, endpoint.guard) ??
    (endpoint.secondFactor ? refusalByFactor(session, now) : null)
  );
}

function refusalByGuard(session: Session, guard: string): Refusal | null {
  if (guard === 'signed_in') return session.apiKey ? 'not_allowed' : null;
  if (session.isOperator && !session.verifiedAt)
    return session.hasSecondFactor ? 'second_factor_needed' : 'second_factor_setup';
  if (session.awaitsSecondFactor) return 'second_factor_needed';
  if (!permissionsOfSession(session).includes(guard as Permission)) return 'not_allowed';
  // A suspended business may still read what is its own; nothing more is done in its name.
  return session.business?.status === 'suspended' && !['read', 'read_trail'].includes(guard)
    ? 'business_suspended'
    : null;
}

function refusalByFactor({ hasSecondFactor, verifiedAt }: Session, now: Date): Refusal | null {
  if (!hasSecondFactor) return 'second_factor_setup';
  const isFresh = verifiedAt !== null && now.getTime() - verifiedAt.getTime() < secondFactorMs;
  return isFresh ? null : 'second_factor_needed';
}
