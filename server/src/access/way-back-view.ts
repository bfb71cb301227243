import type { PendingWayBack } from './way-back.ts';

/** A way back as the API tells of it. */
export const wayBackView = (is: PendingWayBack) => ({
  id: is.id,
  person_id: is.personId,
  name: is.name,
  username: is.username,
  address: is.address,
  user_agent: is.userAgent,
  asked_at: is.askedAt.toISOString(),
  expires_at: is.until.toISOString(),
  operator_from: is.operatorFrom.toISOString(),
  has_other_admin: is.hasOtherAdmin,
});
