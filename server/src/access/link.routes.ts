import { access } from '@muhuri/shared/contract/index';
import { type Call, route } from '../platform/http/route.ts';
import type { Acceptance } from './accept-invitation.ts';
import type { operators } from './operators/operators.ts';
import type { SignedIn } from './sign-in.ts';
import { signedInView } from './signed-in-view.ts';
import type { WaysBack } from './account-recovery/ways-back.ts';

type Use = {
  operators: Pick<ReturnType<typeof operators>, 'become' | 'accept'>;
  waysBack: Pick<WaysBack, 'ask' | 'object'>;
  readInvitation(token: string): Promise<{
    invitation: { email: string; role: 'business_admin' | 'business_user'; expiresAt: Date };
    businessName: string;
  }>;
  acceptInvitation(given: Acceptance, from: Call['from']): Promise<SignedIn>;
  now(): Date;
};

/** What people do before they can sign in: by a link, or because they have lost their way in. */
export const linkRoutes = (use: Use) => {
  const signedIn = (entered: SignedIn) => signedInView(entered, use.now());
  return [
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
