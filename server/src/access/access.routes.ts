import { access } from '@muhuri/shared/contract/index';
import { route, type Call } from '../platform/http/route.ts';
import type { Account } from './account/account.ts';
import { publicIdOf } from './account/own-sessions.ts';
import type { Session } from '../context.ts';
import type { operators } from './operators/operators.ts';
import type { RememberedDevice } from './second-factor/second-factor.ts';
import { toBusinessView, toSessionView } from './sessions/session-view.ts';
import type { WaysBack } from './way-back/ways-back.ts';
import type { Acceptance } from './accept-invitation.ts';
import type { SignedIn, SignIn, SwitchMembership } from './sign-in.ts';

type Operators = ReturnType<typeof operators>;

type Use = {
  signIn: SignIn;
  switchMembership: SwitchMembership;
  signOut(token: string): Promise<void>;
  account: Account;
  operators: Pick<Operators, 'become' | 'accept'>;
  waysBack: Pick<WaysBack, 'ask' | 'object'>;
  listMemberships(personId: string): Promise<{ businessId: string; businessName: string }[]>;
  readInvitation(token: string): Promise<{
    invitation: { email: string; role: 'business_admin' | 'business_user'; expiresAt: Date };
    businessName: string;
  }>;
  acceptInvitation(given: Acceptance, from: Call['from']): Promise<SignedIn>;
  qrSvg(text: string): Promise<string>;
  now(): Date;
};

/**
 * Before sign-in and around it: who is this, for which business, and how do they keep their
 * account.
 */
export const accessRoutes = (use: Use) => {
  const { account } = use;
  const view = (session: Session) => toSessionView(session, use.now());
  const signedIn = ({ token, session, deviceToken }: SignedIn) => ({
    token,
    ...(deviceToken ? { device_token: deviceToken } : {}),
    ...view(session),
  });
  const ofBusiness = (call: { session: Session }) => ({ business: toBusinessView(call.session) });
  return [
    route(access.login)(async (call, { input }) => signedIn(await use.signIn(input, call.from))),
    route(access.switchMembership)(async (call, { input }) =>
      signedIn(await use.switchMembership(call.token, input.business_id, call.from)),
    ),
    route(access.logout)(async (call) => {
      await use.signOut(call.token);
      return ofBusiness(call);
    }),
    route(access.me)(async (call) => view(call.session)),
    route(access.listMemberships)(async (call) => ({
      memberships: (await use.listMemberships(call.session.person.id))
        .filter((each) => isOpenTo(call.session, each.businessId))
        .map((each) => ({ business_id: each.businessId, business_name: each.businessName })),
      next_cursor: null,
      ...ofBusiness(call),
    })),
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
    route(access.beginTotp)(async (call, { input }) => {
      const begun = await account.beginTotp(call.session, input.password);
      return { ...begun, qr_svg: await use.qrSvg(begun.uri), ...ofBusiness(call) };
    }),
    route(access.confirmTotp)(async (call, { input }) => {
      const { session, recoveryCodes } = await account.confirmTotp(call.session, input.code);
      return { ...view(session), recovery_codes: recoveryCodes };
    }),
    route(access.passSecondFactor)(async (call, { input }) => {
      const { session, deviceToken } = await account.passSecondFactor(
        call.session,
        input,
        call.from,
      );
      return { ...view(session), ...(deviceToken ? { device_token: deviceToken } : {}) };
    }),
    route(access.removeTotp)(async (call, { input }) => {
      await account.removeTotp(call.session, input.password);
      return ofBusiness(call);
    }),
    route(access.readSecondFactor)(async (call) => {
      const { codesLeft, devices } = await account.readFactor(call.session);
      return {
        recovery_codes_left: codesLeft,
        devices: devices.map(deviceView),
        next_cursor: null,
        ...ofBusiness(call),
      };
    }),
    route(access.renewRecoveryCodes)(async (call) => ({
      recovery_codes: await account.renewRecoveryCodes(call.session),
      ...ofBusiness(call),
    })),
    route(access.forgetDevice)(async (call) => {
      await account.forgetDevice(call.session, call.params.id as string);
      return ofBusiness(call);
    }),
    route(access.listSessions)(async (call) => ({
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
      ...ofBusiness(call),
    })),
    route(access.endSession)(async (call) => {
      await account.endSession(call.session, call.params.id as string);
      return ofBusiness(call);
    }),
    route(access.endOtherSessions)(async (call) => {
      await account.endOtherSessions(call.session);
      return ofBusiness(call);
    }),
    route(access.listSignIns)(async (call) => ({
      sign_ins: (await account.listSignIns(call.session)).map((each) => ({
        at: each.at.toISOString(),
        address: each.address,
        user_agent: each.userAgent,
        succeeded: each.succeeded,
      })),
      next_cursor: null,
      ...ofBusiness(call),
    })),
    route(access.readInvitation)(async (_call, { input }) => {
      const { invitation, businessName } = await use.readInvitation(input.token);
      return {
        business_name: businessName,
        email: invitation.email,
        role: invitation.role,
        expires_at: invitation.expiresAt.toISOString(),
      };
    }),
    route(access.acceptInvitation)(async (call, { input }) =>
      signedIn(await use.acceptInvitation(input, call.from)),
    ),
    route(access.becomeOperator)(async (call, { input }) =>
      signedIn(await use.operators.become(input, call.from)),
    ),
    route(access.acceptOperator)(async (call, { input }) =>
      signedIn(await use.operators.accept(input, call.from)),
    ),
    route(access.askWayBack)(async (call, { input }) => {
      await use.waysBack.ask(input.username, input.password, call.from);
      return { state: 'asked' as const };
    }),
    route(access.objectToWayBack)(async (call, { input }) => {
      await use.waysBack.object(input.token, call.from);
      return { state: 'objected' as const };
    }),
  ];
};

const deviceView = (device: RememberedDevice) => ({
  id: device.id,
  address: device.address,
  user_agent: device.userAgent,
  created_at: device.createdAt.toISOString(),
  last_used_at: device.lastUsedAt.toISOString(),
  expires_at: device.expiresAt.toISOString(),
});

/** Whoever came by Zoho is there for one business, and is told of no other. */
const isOpenTo = (session: Session, businessId: string): boolean =>
  !session.zohoUserId || session.business?.membership.businessId === businessId;
