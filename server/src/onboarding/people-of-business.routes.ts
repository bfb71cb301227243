import { businesses } from '@muhuri/shared/contract/index';
import { type WaysBack, wayBackView } from '../access/index.ts';
import { answer, type Call } from '../platform/http/answer.ts';
import type { PersonOfBusiness } from './people-of-business.ts';

type Ctx = Call['ctx'];
type Use = {
  listPeople(ctx: Ctx): Promise<PersonOfBusiness[]>;
  setBlocked(ctx: Ctx, ask: { person_id: string; reason: string }, isBlocked: boolean): Promise<void>;
  waysBack: Pick<WaysBack, 'list' | 'grantByOperator'>;
};

/** The people of a business as the operator sees them, and what the operator may do about them. */
export const peopleOfBusinessRoutes = (use: Use) => [
  answer(businesses.listPeopleOfBusiness)(async (call) => ({
    people: (await use.listPeople(call.onBusiness)).map((each) => ({
      person_id: each.personId,
      name: each.name,
      role: each.role,
      status: each.status,
      last_sign_in_at: each.lastSignInAt?.toISOString() ?? null,
    })),
    next_cursor: null,
  })),
  answer(businesses.blockPerson)(async (call, { input }) => {
    await use.setBlocked(call.onBusiness, input, true);
    return {};
  }),
  answer(businesses.unblockPerson)(async (call, { input }) => {
    await use.setBlocked(call.onBusiness, input, false);
    return {};
  }),
  answer(businesses.listWaysBackOfBusiness)(async (call) => ({
    ways_back: (await use.waysBack.list(call.onBusiness)).map(wayBackView),
    next_cursor: null,
  })),
  answer(businesses.grantWayBackByOperator)(async (call, { input }) => ({
    state: (await use.waysBack.grantByOperator(call.onBusiness, input.way_back_id)).state,
  })),
];
