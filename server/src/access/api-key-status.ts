import { findDirectoryEntry } from '../businesses/index.ts';
import type { Database } from '../platform/db/database.ts';
import { isPersonBlocked } from './person.store.ts';

/** Reads what a key stands on: its business as the directory has it, and whoever made it. */
export const standingOfKey = (database: Database) => (businessId: string, makerId: string) =>
  database.platform(async (tx) => {
    const entry = await findDirectoryEntry(tx, businessId);
    const business = entry && {
      name: entry.name,
      taxpayerId: entry.taxpayerId,
      organizationId: entry.organizationId,
      status: entry.status,
    };
    return { business, isMakerBlocked: await isPersonBlocked(tx, makerId) };
  });
