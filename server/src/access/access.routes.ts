import { access } from '@muhuri/shared/contract/index';
import { answer } from '../platform/http/answer.ts';
import type { Session } from '../context.ts';
import type { SignIn, SwitchMembership } from './sign-in.ts';

export const accessRoutes = (use: { signIn: SignIn; switchMembership: SwitchMembership; signOut(token: string): Promise<void> }) => [
  answer(access.login)(async (_call, { input }) => toView(await use.signIn(input))),
  answer(access.switchMembership)(async (call, { input }) => toView(await use.switchMembership(call.token, input.business_id))),
  answer(access.logout)(async (call) => {
    await use.signOut(call.token);
    return {};
  }),
  answer(access.me)(async (call) => {
    const { token: _token, ...rest } = toView({ token: '', session: call.session });
    return rest;
  }),
];

const toView = ({ token, session }: { token: string; session: Session }) => ({
  token,
  expires_at: session.expiresAt.toISOString(),
  person: session.person,
  business: session.business && {
    id: session.business.membership.businessId,
    business_name: session.business.name,
    tin_number: session.business.taxpayerId,
    organization_id: session.business.organizationId,
    role: session.business.membership.role,
    permissions: session.business.membership.permissions,
  },
});
