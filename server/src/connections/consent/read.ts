import type { Context, Session } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { ConsentPorts, ConsentView } from './consent-ports.ts';
import { type Consent, findConsent } from './consent.store.ts';

export const readConsent =
  (ports: ConsentPorts) =>
  async (ctx: Context, session: Session, id: string): Promise<ConsentView> =>
    viewConsent(ports, ctx, session, await findOwnConsent(ctx, session, id));

/** Finds a consent of this person that became a grant. */
export async function findOwnConsent(
  ctx: Context,
  session: Session,
  id: string,
): Promise<Consent & { grantId: string }> {
  const consent = await ctx.transaction((tx) => findConsent(tx, id, session.person.id));
  if (!consent?.grantId) throw new AppError('not_found');
  return { ...consent, grantId: consent.grantId };
}

/** Shows which organizations a consent can serve, and which businesses it could serve there. */
export async function viewConsent(
  ports: ConsentPorts,
  ctx: Context,
  session: Session,
  consent: { id: string; grantId: string },
): Promise<ConsentView> {
  const { token, apiDomain } = await ports.tokens.of(consent.grantId);
  const [organizations, businesses] = await Promise.all([
    ports.accounts.listOrganizations(apiDomain, token),
    ports.listAdministered(session, ctx),
  ]);
  const businessOf = (organizationId: string) =>
    businesses.find((each) => each.organizationId === organizationId)?.ctx.businessId ?? null;
  return {
    id: consent.id,
    organizations: organizations.map((each) => ({
      ...each,
      businessId: businessOf(each.organizationId),
    })),
    businesses,
  };
}
