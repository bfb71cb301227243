import { access } from '@muhuri/shared/contract/index';
import { route } from '../../platform/http/route.ts';
import type { Account } from '../account/account.ts';
import { publicIdOf } from '../account/own-sessions.ts';
import { ofBusiness } from './session-view.ts';

/** What people see and end of their own sessions. */
export const sessionRoutes = ({ account }: { account: Account }) => [
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
];
