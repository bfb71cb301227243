export { may, type Permission } from './access.model.ts';
export { hashPassword } from './password.ts';
export { insertMembership, insertMembershipIndex, insertPerson } from './person.store.ts';
export { deleteExpiredSessions } from './session.store.ts';
export { openSessions, type Sessions } from './sessions.ts';
export { type SignIn, type SwitchMembership, signIn, switchMembership } from './sign-in.ts';
