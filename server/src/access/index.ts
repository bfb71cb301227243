export { permissionsOfSession, refusalOf } from './access.model.ts';
export { ApiKeyEntity } from './api-key.entity.ts';
export { createKey, listKeys, readKey, revokeKey } from './api-keys.ts';
export { InvitationEntity } from './invitation.entity.ts';
export { acceptInvitation, readInvitation } from './accept-invitation.ts';
export { invite, mailInvitation, insertInvitation } from './invite.ts';
export { listInvitations, withdrawInvitation, withdrawInvitationsOf } from './invitations.ts';
export {
  listKeysMadeBy,
  findMakers,
  type Maker,
  describeMakers,
  suspendKeysOf,
  notifyOfKeys,
} from './keys-of-person.ts';
export { MembershipEntity } from './membership.entity.ts';
export { nameActors } from './name-actors.ts';
export { notifyPerson } from './notify-person.ts';
export { type EndWithOperator, operators } from './operators/operators.ts';
export { accountOf } from './account/account.ts';
export { hashPassword } from './password.ts';
export { changeMember, endMember, listAdministered, listPeople } from './people.ts';
export {
  blockPerson,
  holdPerson,
  insertPerson,
  isPersonBlocked,
  listPersons,
  noteSignIn,
  unblockPerson,
  whilePersonIsActive,
} from './person.store.ts';
export {
  findMemberStatus,
  insertMembership,
  insertMembershipIndex,
  listEveryMembership,
  listMembers,
  listMemberships,
} from './membership.store.ts';
export { toSessionView } from './sessions/session-view.ts';
export { deleteExpiredSessions, deleteSessionsOf } from './sessions/session.store.ts';
export { openSessions, type Sessions } from './sessions/sessions.ts';
export { openSecondFactor } from './second-factor/second-factor.ts';
export { deleteOldDevices } from './second-factor/second-factor.store.ts';
export {
  countEveryFailure,
  deleteOldTries,
  insertTry,
  trySucceeded,
} from './sign-in-failure.store.ts';
export {
  verifyCredentials,
  type From,
  type SignedIn,
  signIn,
  switchMembership,
} from './sign-in.ts';
export { openTotp } from './second-factor/totp.ts';
export { deleteOldCounted } from './counted-try.store.ts';
export { counting, openTries } from './tries.ts';
export { wayBackView } from './way-back/way-back-view.ts';
export { type AddressChanges, addressChanges } from './address-change/address-changes.ts';
export { endAddressChangesBy } from './address-change/address-change.store.ts';
export { revokePending } from './revoke-pending.ts';
export { endWaysBackOf, type WaysBack, waysBack } from './way-back/ways-back.ts';
