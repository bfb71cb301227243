import { listAdministered } from '../access/index.ts';
import type { Context, Session } from '../context.ts';
import type { Database } from '../platform/db/database.ts';

/** Lists the businesses that a person leads, each with the door to its tables. */
export const administeredBy =
  (database: Database) =>
  async (
    session: Session,
    ctx: Context,
  ): Promise<{ name: string; organizationId: string | null; ctx: Context }[]> =>
    (await listAdministered({ database })(session.person.id)).map((each) => ({
      name: each.businessName,
      organizationId: each.organizationId,
      ctx: {
        ...ctx,
        businessId: each.businessId,
        actor: {
          type: 'person',
          id: session.person.id,
          membershipId: each.membershipId,
          name: session.person.name,
        },
        transaction: (work) => database.transaction(each.businessId, work),
        registration: (work) =>
          database.registration((tx, enter) => work(tx, () => enter(each.businessId))),
      },
    }));
