import type { Context, Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import { bindOrganization } from '../bind-organization.ts';
import type { ConsentPorts, ConsentView } from './consent-ports.ts';
import { findOwnConsent, viewConsent } from './read.ts';

type BindInput = {
  organization_id: string;
  business_id: string;
  leave_open?: number | undefined;
};

/** Binds a business of this person to an organization that the consent can serve. */
export const bindConsent =
  (ports: ConsentPorts) =>
  async (ctx: Context, session: Session, id: string, ask: BindInput): Promise<ConsentView> => {
    const consent = await findOwnConsent(ctx, session, id);
    const { businesses, organizations } = await viewConsent(ports, ctx, session, consent);
    const business = businesses.find((each) => each.ctx.businessId === ask.business_id);
    // A business of somebody else's and one that does not exist get the same answer.
    if (!business) throw new AppError('not_found');
    await bindOrganization(ports, business.ctx, {
      grantId: consent.grantId,
      organizations,
      chosen: ask.organization_id,
      leaveOpen: ask.leave_open,
    });
    return viewConsent(ports, ctx, session, consent);
  };
