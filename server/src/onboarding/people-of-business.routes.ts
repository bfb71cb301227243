import { businesses } from '@muhuri/shared/contract/index';
import { type AddressChanges, type WaysBack, wayBackView } from '../access/index.ts';
import { route, type Call } from '../platform/http/route.ts';
import type { PersonOfBusiness } from './people-of-business.ts';

type Ctx = Call['ctx'];
type Use = {
  listPeople(ctx: Ctx): Promise<PersonOfBusiness[]>;
  setBlocked(
    ctx: Ctx,
    ask: { person_id: string; reason: string },
    isBlocked: boolean,
  ): Promise<void>;
  waysBack: Pick<WaysBack, 'list' | 'grantByOperator'>;
  addressChanges: Pick<AddressChanges, 'open' | 'list' | 'apply'>;
};

/** The people of a business as the operator sees them, and what the operator may do about them. */
export const peopleOfBusinessRoutes = (use: Use) => [
  route(businesses.listPeopleOfBusiness)(async (call) => ({
    people: (await use.listPeople(call.onBusiness)).map((each) => ({
      person_id: each.personId,
      name: each.name,
      role: each.role,
      status: each.status,
      last_sign_in_at: each.lastSignInAt?.toISOString() ?? null,
      api_keys: each.apiKeys,
    })),
    next_cursor: null,
  })),
  route(businesses.blockPerson)(async (call, { input }) => {
    await use.setBlocked(call.onBusiness, input, true);
    return {};
  }),
  route(businesses.unblockPerson)(async (call, { input }) => {
    await use.setBlocked(call.onBusiness, input, false);
    return {};
  }),
  route(businesses.listWaysBackOfBusiness)(async (call) => ({
    ways_back: (await use.waysBack.list(call.onBusiness)).map(wayBackView),
    next_cursor: null,
  })),
  route(businesses.listAddressChanges)(async (call) => ({
    address_changes: (await use.addressChanges.list(call.onBusiness)).map((each) =>
      addressChangeView(each, call.session.person.id),
    ),
    next_cursor: null,
  })),
  route(businesses.openAddressChange)(async (call, { input }) =>
    addressChangeView(
      await use.addressChanges.open(actorOf(call.onBusiness), call.onBusiness, input),
      call.session.person.id,
    ),
  ),
  route(businesses.applyAddressChange)(async (call, { input }) => {
    await use.addressChanges.apply(
      actorOf(call.onBusiness),
      call.onBusiness,
      input.address_change_id,
    );
    return {};
  }),
  route(businesses.grantWayBackByOperator)(async (call, { input }) => ({
    state: (await use.waysBack.grantByOperator(call.onBusiness, input.way_back_id)).state,
  })),
];

const actorOf = (ctx: Ctx) => ({
  type: ctx.actor.type,
  id: ctx.actor.id,
  origin: ctx.origin,
  requestId: ctx.requestId,
});

const addressChangeView = (
  change: Awaited<ReturnType<AddressChanges['list']>>[number],
  ownId: string,
) => ({
  id: change.id,
  person_id: change.personId,
  name: change.name,
  email: change.email,
  reason: change.reason,
  asked_at: change.askedAt.toISOString(),
  operator_from: change.from.toISOString(),
  needs_another_operator: change.needsSecond && change.openedBy === ownId,
});
