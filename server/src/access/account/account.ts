import type { AccountPorts } from './account-ports.ts';
import { confirmEmail, readEmail, sendEmailLink, updateProfile } from './change-email.ts';
import { changePassword, forgotPassword, resetPassword } from './change-password.ts';
import { ownSecondFactor } from './own-second-factor.ts';
import { ownSessions } from './own-sessions.ts';

/** What people do with their own account, whatever their role. */
export const accountOf = (ports: AccountPorts) => ({
  updateProfile: updateProfile(ports),
  readEmail: readEmail(ports),
  sendEmailLink: sendEmailLink(ports),
  confirmEmail: confirmEmail(ports),
  changePassword: changePassword(ports),
  forgotPassword: forgotPassword(ports),
  resetPassword: resetPassword(ports),
  ...ownSecondFactor(ports),
  ...ownSessions(ports),
});

export type Account = ReturnType<typeof accountOf>;
