import { setTimeout as pause } from 'node:timers/promises';
import { getBusiness } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { BooksPeople } from '../ports/books-people.ts';

const patienceMs = 5_000;

/**
 * Says whether a Zoho user may still come in by Zoho: they are active in the bound organization, and
 * the business admits them at all. Null if Zoho does not answer.
 */
export const checkZohoUser =
  (ports: { people: Pick<BooksPeople, 'find'>; contextOf(businessId: string): Context }) =>
  async (businessId: string, zohoUserId: string): Promise<boolean | null> => {
    const { connection, mode } = await ports.contextOf(businessId).transaction(async (tx) => ({
      connection: await findConnection(tx),
      mode: (await getBusiness(tx)).settings.zoho_sign_in,
    }));
    if (mode === 'off' || !connection) return false;
    const { organizationId, grantId } = connection;
    const asked = ports.people
      .find({ businessId, organizationId, grantId, purpose: 'sync' }, zohoUserId)
      .then(
        (user) => user?.isActive ?? false,
        (error: unknown) => {
          if (error instanceof AppError) return null;
          throw error;
        },
      );
    return Promise.race([asked, pause(patienceMs, null, { ref: false })]);
  };
