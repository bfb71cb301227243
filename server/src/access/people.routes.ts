import { access } from '@muhuri/shared/contract/index';
import { route, type Call } from '../platform/http/route.ts';
import type { ApiKeyEntity } from './api-key.entity.ts';
import type { InvitationEntity } from './invitation.entity.ts';
import type { Maker } from './keys-of-person.ts';
import type { Member } from './people.ts';
import type { WaysBack } from './account-recovery/ways-back.ts';
import { wayBackView } from './account-recovery/way-back-view.ts';

type Ctx = Call['ctx'];
type RoleAsk = { role: 'business_admin' | 'business_user'; permissions: string[] };
type Use = {
  listPeople(ctx: Ctx): Promise<Member[]>;
  changeMember(
    ctx: Ctx,
    id: string,
    change: RoleAsk & { version: number; keep_api_keys?: string[] | undefined },
  ): Promise<Member>;
  endMember(ctx: Ctx, id: string, keep: string[] | undefined): Promise<Member>;
  listInvitations(ctx: Ctx): Promise<InvitationEntity[]>;
  invite(ctx: Ctx, ask: RoleAsk & { email: string }): Promise<InvitationEntity>;
  withdrawInvitation(ctx: Ctx, id: string): Promise<InvitationEntity>;
  listKeys(ctx: Ctx): Promise<ApiKeyEntity[]>;
  createKey(
    ctx: Ctx,
    ask: { name: string; scopes: string[]; expires_at?: string | undefined },
  ): Promise<{ key: string; entry: ApiKeyEntity }>;
  revokeKey(ctx: Ctx, id: string): Promise<ApiKeyEntity>;
  makersOf(ctx: Ctx, ids: string[]): Promise<Map<string, Maker>>;
  waysBack: Pick<WaysBack, 'list' | 'grantByAdmin' | 'refuse'>;
  now(): Date;
};

/** Who works for the business, who is asked to, and which programs may. */
export const peopleRoutes = (use: Use) => {
  const id = (call: Call) => call.params.id as string;
  const keyViews = async (ctx: Ctx, keys: ApiKeyEntity[]) => {
    const makers = await use.makersOf(
      ctx,
      keys.map((each) => each.createdBy),
    );
    return keys.map((each) => keyView(each, makers.get(each.createdBy) as Maker));
  };
  const oneView = async (ctx: Ctx, key: ApiKeyEntity) =>
    (await keyViews(ctx, [key]))[0] as ReturnType<typeof keyView>;
  return [
    route(access.listPeople)(async (call) => ({
      people: (await use.listPeople(call.ctx)).map(memberView),
      next_cursor: null,
    })),
    route(access.changeMember)(async (call, { input }) =>
      memberView(await use.changeMember(call.ctx, id(call), input)),
    ),
    route(access.endMember)(async (call, { input }) =>
      memberView(await use.endMember(call.ctx, id(call), input.keep_api_keys)),
    ),
    route(access.listInvitations)(async (call) => ({
      invitations: (await use.listInvitations(call.ctx)).map((each) =>
        invitationView(each, use.now()),
      ),
      next_cursor: null,
    })),
    route(access.invite)(async (call, { input }) =>
      invitationView(await use.invite(call.ctx, input), use.now()),
    ),
    route(access.withdrawInvitation)(async (call) =>
      invitationView(await use.withdrawInvitation(call.ctx, id(call)), use.now()),
    ),
    route(access.listWaysBack)(async (call) => ({
      ways_back: (await use.waysBack.list(call.ctx)).map(wayBackView),
      next_cursor: null,
    })),
    route(access.grantWayBack)(async (call) => ({
      state: (await use.waysBack.grantByAdmin(call.ctx, id(call))).state,
    })),
    route(access.refuseWayBack)(async (call) => ({
      state: (await use.waysBack.refuse(call.ctx, id(call))).state,
    })),
    route(access.listKeys)(async (call) => ({
      api_keys: await keyViews(call.ctx, await use.listKeys(call.ctx)),
      next_cursor: null,
    })),
    route(access.createKey)(async (call, { input }) => {
      const { key, entry } = await use.createKey(call.ctx, input);
      return { key, api_key: await oneView(call.ctx, entry) };
    }),
    route(access.revokeKey)(async (call) =>
      oneView(call.ctx, await use.revokeKey(call.ctx, id(call))),
    ),
  ];
};

const memberView = ({
  membership,
  username,
  name,
  email,
  hasSecondFactor,
  isBlocked,
  lastSignInAt,
}: Member) => ({
  id: membership.id,
  person_id: membership.personId,
  username,
  name,
  email,
  role: membership.role,
  permissions: membership.permissions,
  status: membership.status,
  has_second_factor: hasSecondFactor,
  has_zoho_user: membership.zohoUserId !== null,
  is_blocked: isBlocked,
  last_sign_in_at: lastSignInAt?.toISOString() ?? null,
  version: membership.version,
  created_at: membership.createdAt.toISOString(),
});

const invitationView = (invitation: InvitationEntity, now: Date) => ({
  id: invitation.id,
  email: invitation.email,
  role: invitation.role,
  permissions: invitation.permissions,
  state: invitation.stateAt(now),
  expires_at: invitation.expiresAt.toISOString(),
  created_at: invitation.createdAt.toISOString(),
});

const keyView = (key: ApiKeyEntity, maker: Maker) => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  scopes: key.scopes,
  made_by: maker,
  is_suspended: maker.standing === 'blocked' && key.revokedAt === null,
  created_at: key.createdAt.toISOString(),
  expires_at: key.expiresAt?.toISOString() ?? null,
  last_used_at: key.lastUsedAt?.toISOString() ?? null,
  revoked_at: key.revokedAt?.toISOString() ?? null,
});
