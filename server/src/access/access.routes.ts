import { access } from '@muhuri/shared/contract/index';
import { answer, type Call } from '../platform/http/answer.ts';
import type { OwnAccount } from './own-account.ts';
import { publicIdOf } from './own-account.ts';
import type { Session } from '../context.ts';
import { toSessionView } from './session-view.ts';
import type { Acceptance } from './invitations.ts';
import type { SignedIn, SignIn, SwitchMembership } from './sign-in.ts';

type Use = {
  signIn: SignIn;
  switchMembership: SwitchMembership;
  signOut(token: string): Promise<void>;
  account: OwnAccount;
  listMemberships(personId: string): Promise<{ businessId: string; businessName: string }[]>;
  readInvitation(token: string): Promise<{ invitation: { email: string; role: 'business_admin' | 'business_user'; expiresAt: Date }; businessName: string }>;
  acceptInvitation(given: Acceptance, from: Call['from']): Promise<SignedIn>;
  qrSvg(text: string): Promise<string>;
  now(): Date;
};

/** Before sign-in and around it: who is this, for which business, and how do they keep their account. */
export const accessRoutes = (use: Use) => {
  const { account } = use;
  const view = (session: Session) => toSessionView(session, use.now());
  const signedIn = ({ token, session }: SignedIn) => ({ token, ...view(session) });
  return [
    answer(access.login)(async (call, { input }) => signedIn(await use.signIn(input, call.from))),
    answer(access.switchMembership)(async (call, { input }) => signedIn(await use.switchMembership(call.token, input.business_id, call.from))),
    answer(access.logout)(async (call) => {
      await use.signOut(call.token);
      return {};
    }),
    answer(access.me)(async (call) => view(call.session)),
    answer(access.listMemberships)(async (call) => ({
      memberships: (await use.listMemberships(call.session.person.id))
        .filter((each) => isOpenTo(call.session, each.businessId))
        .map((each) => ({ business_id: each.businessId, business_name: each.businessName })),
      next_cursor: null,
    })),
    answer(access.updateProfile)(async (call, { input }) => ({ person: await account.updateProfile(call.session, input) })),
    answer(access.changePassword)(async (call, { input }) => {
      await account.changePassword(call.session, input.current_password, input.new_password);
      return {};
    }),
    answer(access.forgotPassword)(async (_call, { input }) => {
      await account.forgotPassword(input.username);
      return {};
    }),
    answer(access.resetPassword)(async (_call, { input }) => {
      await account.resetPassword(input.token, input.new_password);
      return {};
    }),
    answer(access.beginTotp)(async (call, { input }) => {
      const begun = await account.beginTotp(call.session, input.password);
      return { ...begun, qr_svg: await use.qrSvg(begun.uri) };
    }),
    answer(access.confirmTotp)(async (call, { input }) => view(await account.passSecondFactor(call.session, input.code, true))),
    answer(access.passSecondFactor)(async (call, { input }) => view(await account.passSecondFactor(call.session, input.code, false))),
    answer(access.removeTotp)(async (call, { input }) => {
      await account.removeTotp(call.session, input.password);
      return {};
    }),
    answer(access.listSessions)(async (call) => ({
      sessions: (await account.listSessions(call.session)).map((each) => ({
        id: publicIdOf(each.id),
        business_name: each.businessName,
        address: each.address,
        user_agent: each.userAgent,
        created_at: each.createdAt.toISOString(),
        last_seen_at: each.lastSeenAt?.toISOString() ?? null,
        is_current: each.id === call.session.id,
      })),
      next_cursor: null,
    })),
    answer(access.endSession)(async (call) => {
      await account.endSession(call.session, call.params.id as string);
      return {};
    }),
    answer(access.listSignIns)(async (call) => ({
      sign_ins: (await account.listSignIns(call.session)).map((each) => ({
        at: each.at.toISOString(),
        address: each.address,
        user_agent: each.userAgent,
        succeeded: each.succeeded,
      })),
      next_cursor: null,
    })),
    answer(access.readInvitation)(async (_call, { input }) => {
      const { invitation, businessName } = await use.readInvitation(input.token);
      return { business_name: businessName, email: invitation.email, role: invitation.role, expires_at: invitation.expiresAt.toISOString() };
    }),
    answer(access.acceptInvitation)(async (call, { input }) => signedIn(await use.acceptInvitation(input, call.from))),
    answer(access.becomeOperator)(async (call, { input }) => signedIn(await account.becomeOperator(input, call.from))),
  ];
};

/** Whoever came by Zoho is there for one business, and is told of no other. */
const isOpenTo = (session: Session, businessId: string): boolean => !session.zohoUserId || session.business?.membership.businessId === businessId;
