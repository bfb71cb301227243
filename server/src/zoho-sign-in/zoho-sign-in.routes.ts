import { zohoSignIn } from '@muhuri/shared/contract/index';
import { describeProblem, type ProblemCode } from '@muhuri/shared/problems';
import { type SignedIn, toSessionView } from '../access/index.ts';
import { route } from '../platform/http/route.ts';
import type { pairings } from './pairings.ts';

type Use = {
  pairings: ReturnType<typeof pairings>;
  renew(refreshToken: string): Promise<SignedIn & { refreshToken: string }>;
  now(): Date;
};

export const zohoSignInRoutes = (use: Use) => {
  const signedIn = ({ token, refreshToken, session }: SignedIn & { refreshToken: string }) => ({
    token,
    refresh_token: refreshToken,
    ...toSessionView(session, use.now()),
  });
  return [
    route(zohoSignIn.beginPairing)(async (call, { input }) => {
      const begun = await use.pairings.begin(input.organization_id, call.from);
      return {
        pairing_id: begun.pairingId,
        poll_secret: begun.pollSecret,
        code: begun.code,
        approval_url: begun.approvalUrl,
        expires_at: begun.expiresAt.toISOString(),
      };
    }),
    route(zohoSignIn.pollPairing)(async (call, { input }) => {
      const polled = await use.pairings.poll(
        input.pairing_id,
        input.poll_secret,
        call.from,
        input.device_token,
      );
      const described =
        polled.state === 'refused'
          ? describeProblem({ code: polled.refusal as ProblemCode }, call.language)
          : null;
      return {
        state: polled.state,
        problem: described && {
          code: described.code,
          title: described.title,
          detail: described.detail,
        },
        session: polled.state === 'done' ? signedIn(polled) : null,
      };
    }),
    route(zohoSignIn.takePairing)(async (call, { input }) => {
      const { consentUrl, browserSecret, expiresAt } = await use.pairings.claim(
        input.code,
        call.from,
      );
      return {
        consent_url: consentUrl,
        browser_secret: browserSecret,
        expires_at: expiresAt.toISOString(),
      };
    }),
    route(zohoSignIn.finishApproval)(async (_call, { input }) => {
      const { businessName, organizationName, organizationId, zohoUser, panel, expiresAt } =
        await use.pairings.identifyUser(input);
      return {
        business_name: businessName,
        organization_name: organizationName,
        organization_id: organizationId,
        zoho_user: { name: zohoUser.name, email: zohoUser.email },
        panel: {
          address: panel.address,
          user_agent: panel.userAgent,
          opened_at: panel.openedAt.toISOString(),
        },
        expires_at: expiresAt.toISOString(),
      };
    }),
    route(zohoSignIn.answerApproval)((call, { input }) =>
      use.pairings.approve(input.browser_secret, input.opened_by_me, call.from),
    ),
    route(zohoSignIn.renewSession)(async (_call, { input }) =>
      signedIn(await use.renew(input.refresh_token)),
    ),
  ];
};
