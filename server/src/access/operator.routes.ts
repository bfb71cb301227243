import { access } from '@muhuri/shared/contract/index';
import { route, type Call } from '../platform/http/route.ts';
import type { operators } from './operators/operators.ts';

/** Operators among themselves. */
export const operatorRoutes = (
  use: Pick<ReturnType<typeof operators>, 'list' | 'invite' | 'end'>,
) => {
  const actorOf = ({ session, from, requestId }: Call) => ({
    type: 'operator',
    id: session.person.id,
    origin: from.address,
    requestId,
  });
  return [
    route(access.listOperators)(async (call) => ({
      operators: (await use.list()).map((each) => ({
        id: each.id,
        username: each.username,
        name: each.name,
        email: each.email,
        has_second_factor: each.hasSecondFactor,
        last_sign_in_at: each.lastSignInAt?.toISOString() ?? null,
        created_at: each.createdAt.toISOString(),
        is_self: each.id === call.session.person.id,
      })),
      next_cursor: null,
    })),
    route(access.inviteOperator)(async (call, { input }) => {
      const { email, expiresAt } = await use.invite(actorOf(call), input.email);
      return { email, expires_at: expiresAt.toISOString() };
    }),
    route(access.endOperator)(async (call) => {
      await use.end(actorOf(call), call.params.id as string);
      return {};
    }),
  ];
};
