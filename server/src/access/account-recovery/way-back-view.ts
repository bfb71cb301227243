import type { PendingWayBack } from './list-ways-back.ts';

/** Shows a way back as the API does. */
export const wayBackView = (wayBack: PendingWayBack) => ({
  id: wayBack.id,
  person_id: wayBack.personId,
  name: wayBack.name,
  username: wayBack.username,
  address: wayBack.address,
  user_agent: wayBack.userAgent,
  asked_at: wayBack.askedAt.toISOString(),
  expires_at: wayBack.until.toISOString(),
  operator_from: wayBack.operatorFrom.toISOString(),
  has_other_admin: wayBack.hasOtherAdmin,
});
