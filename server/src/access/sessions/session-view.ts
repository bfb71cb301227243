import { permissionsOf } from '@muhuri/shared/permissions';
import type { Session } from '../../context.ts';
import { secondFactorMs } from '../access.model.ts';

/** Shows whom a caller works for now. */
const toBusinessView = (session: Session) =>
  session.business && {
    id: session.business.membership.businessId,
    business_name: session.business.name,
    tin_number: session.business.taxpayerId,
    organization_id: session.business.organizationId,
    role: session.business.membership.role,
    permissions: permissionsOf(session.business.membership),
  };

/** Shows a session as the API does. */
export const toSessionView = (session: Session, now: Date) => ({
  expires_at: session.expiresAt.toISOString(),
  person: session.person,
  business: toBusinessView(session),
  is_operator: session.isOperator,
  second_factor: secondFactorOf(session, now),
});

function secondFactorOf(session: Session, now: Date): 'none' | 'needed' | 'passed' {
  if (!session.hasSecondFactor) return 'none';
  return session.verifiedAt && now.getTime() - session.verifiedAt.getTime() < secondFactorMs
    ? 'passed'
    : 'needed';
}

/** Shows whom an answer is about: the business that the session is in. */
export const ofBusiness = ({ session }: { session: Session }) => ({
  business: toBusinessView(session),
});
