import { access } from '@muhuri/shared/contract/index';
import type { Session } from '../context.ts';
import { route } from '../platform/http/route.ts';
import { ofBusiness, toSessionView } from './sessions/session-view.ts';
import type { SignedIn, SignIn, SwitchMembership } from './sign-in.ts';
import { signedInView } from './signed-in-view.ts';

type Use = {
  signIn: SignIn;
  switchMembership: SwitchMembership;
  signOut(token: string): Promise<void>;
  listMemberships(personId: string): Promise<{ businessId: string; businessName: string }[]>;
  now(): Date;
};

/** Who a caller is, and for which business. */
export const signInRoutes = (use: Use) => {
  const signedIn = (entered: SignedIn) => signedInView(entered, use.now());
  return [
    route(access.login)(async (call, { input }) => signedIn(await use.signIn(input, call.from))),
    route(access.switchMembership)(async (call, { input }) =>
      signedIn(await use.switchMembership(call.token, input.business_id, call.from)),
    ),
    route(access.logout)(async (call) => {
      await use.signOut(call.token);
      return ofBusiness(call);
    }),
    route(access.me)(async (call) => toSessionView(call.session, use.now())),
    route(access.listMemberships)(async (call) => ({
      memberships: (await use.listMemberships(call.session.person.id))
        .filter((each) => isOpenTo(call.session, each.businessId))
        .map((each) => ({ business_id: each.businessId, business_name: each.businessName })),
      next_cursor: null,
      ...ofBusiness(call),
    })),
  ];
};

/** Limits a person who came by Zoho to one business; they are told of no other. */
const isOpenTo = (session: Session, businessId: string): boolean =>
  !session.zohoUserId || session.business?.membership.businessId === businessId;
