export { permissionsOfSession, refusalOf } from './access.model.ts';
export { ApiKeyEntity } from './api-key.entity.ts';
export { InvitationEntity } from './invitation.entity.ts';
export { mailInvitation, insertInvitation } from './invite.ts';
export { withdrawInvitationsOf } from './invitations.ts';
export {
  listKeysMadeBy,
  findMakers,
  type Maker,
  suspendKeysOf,
  notifyOfKeys,
} from './keys-of-person.ts';
export { MembershipEntity } from './membership.entity.ts';
export { nameActors } from './name-actors.ts';
export { type EndWithOperator } from './operators/operators.ts';
export { hashPassword } from './password.ts';
export { listAdministered, listPeople } from './people.ts';
export {
  blockPerson,
  holdPerson,
  insertPerson,
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
export { deleteSessionsOf } from './sessions/session.store.ts';
export { type Sessions } from './sessions/sessions.ts';
export { countEveryFailure, insertTry, trySucceeded } from './sign-in-failure.store.ts';
export { type From, type SignedIn } from './sign-in.ts';
export { counting } from './tries.ts';
export { wayBackView } from './account-recovery/way-back-view.ts';
export { type AddressChanges } from './email-change/address-changes.ts';
export { endAddressChangesBy } from './email-change/address-change.store.ts';
export { revokePending } from './revoke-on-block.ts';
export { endWaysBackOf, type WaysBack } from './account-recovery/ways-back.ts';
