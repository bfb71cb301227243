import { access } from '@muhuri/shared/contract/index';
import type { Session } from '../../context.ts';
import { route } from '../../platform/http/route.ts';
import { ofBusiness, toSessionView } from '../sessions/session-view.ts';
import type { Account } from './account.ts';

type Use = { account: Account; now(): Date };

/** How people keep name, address and password of their own account. */
export const accountRoutes = ({ account, now }: Use) => {
  const view = (session: Session) => toSessionView(session, now());
  return [
    route(access.updateProfile)(async (call, { input }) => {
      const { session, isVerified, pending } = await account.updateProfile(call.session, input);
      return { ...view(session), email_verified: isVerified, email_pending: pending };
    }),
    route(access.readProfile)(async (call) => {
      const { isVerified, pending } = await account.readEmail(call.session);
      return { ...view(call.session), email_verified: isVerified, email_pending: pending };
    }),
    route(access.sendEmailLink)(async (call) => {
      await account.sendEmailLink(call.session);
      return ofBusiness(call);
    }),
    route(access.confirmEmail)((_call, { input }) => account.confirmEmail(input.token)),
    route(access.changePassword)(async (call, { input }) => {
      await account.changePassword(call.session, input.current_password, input.new_password);
      return ofBusiness(call);
    }),
    route(access.forgotPassword)(async (call, { input }) => {
      await account.forgotPassword(input.username, call.from);
      return {};
    }),
    route(access.resetPassword)(async (_call, { input }) => {
      await account.resetPassword(input.token, input.new_password);
      return {};
    }),
  ];
};
