import type { Context, Session } from '../context.ts';
import type { Call } from '../platform/http/route.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Calendar } from '../ports/calendar.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { RateLimits } from '../rate-limits/index.ts';
import type { ManagePorts } from './update-business-and-directory.ts';
import { inviteAdmin } from './invite-admin.ts';
import { getBusinessEntry, listBusinesses, sumPlatform } from './operator-views.ts';
import type { OperatorPorts } from './route-ports.ts';
import { registerByOperator } from './register-by-operator.ts';
import { setBusinessStatus } from './set-status.ts';
import { setQuotas } from './set-quotas.ts';
import { beginSupport, endSupport } from './support-access.ts';
import { updateBusiness } from './update-business.ts';

export type OperatorNeeds = {
  dialects: Dialects;
  calendar: Calendar;
  limits: Pick<RateLimits, 'forget'>;
  contexts: {
    operatorContext(session: Session, businessId: string, about: About): Context;
  };
};
type About = { language: string; requestId: string; origin: string | null };

/** Opens what the operator does with businesses. */
export function openOperator(
  { database, clock, newId }: Runtime,
  needs: OperatorNeeds,
  managing: ManagePorts,
): OperatorPorts {
  const { dialects, calendar, limits, contexts } = needs;
  const register = registerByOperator({ ...managing, dialects, day: calendar.dayIn });
  const list = listBusinesses(managing);
  const quotas = setQuotas(managing);
  const supporting = { database, clock, newId, record: managing.record };
  return {
    register: (call, ask) =>
      register(
        (businessId) => contexts.operatorContext(call.session, businessId, aboutOf(call)),
        ask,
      ),
    list: ({ session, from, requestId }, page) =>
      list({ id: session.person.id, origin: from.address, requestId }, page),
    get: getBusinessEntry({ database }),
    update: updateBusiness(managing),
    setStatus: setBusinessStatus(managing),
    setQuotas: async (ctx, given) => {
      await quotas(ctx, given);
      limits.forget(ctx.businessId);
    },
    inviteAdmin: inviteAdmin(managing),
    beginSupport: beginSupport(supporting),
    endSupport: endSupport(supporting),
    totals: sumPlatform({ database, clock }),
  };
}

const aboutOf = ({ language, requestId, from }: Call): About => ({
  language,
  requestId,
  origin: from.address,
});
