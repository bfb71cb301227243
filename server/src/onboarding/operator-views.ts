import { listEntries, type OperatorLogRecorder, type AuditFilter } from '../audit/index.ts';
import {
  type Business,
  type DirectoryEntry,
  findDirectoryEntry,
  getBusiness,
  listDirectory,
  sumTotals,
} from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import { countCrossBusinessAccess } from '../isolation/index.ts';
import { duringSupport, isSupporting } from './support-access.ts';

type Ports = { database: Database; clock: Clock; recordPlatform: OperatorLogRecorder };
type Page = Parameters<typeof listDirectory>[1];

/** What the operator looks at. Looking across businesses is itself something to look up later. */
export const listBusinesses =
  (ports: Ports) =>
  (
    operator: { id: string; origin: string; requestId: string },
    page: Page,
  ): ReturnType<typeof listDirectory> =>
    ports.database.platform(async (tx) => {
      await ports.recordPlatform(
        tx,
        { type: 'operator', ...operator },
        {
          action: 'businesses.listed',
          subject: 'platform',
          after: { search: page.search, status: page.status },
        },
      );
      return listDirectory(tx, page);
    });

export const getBusinessEntry =
  (ports: Pick<Ports, 'database'>) =>
  async (
    ctx: Context,
  ): Promise<{ business: Business; organizationId: DirectoryEntry['organizationId'] }> => {
    const entry = await ports.database.platform((tx) => findDirectoryEntry(tx, ctx.businessId));
    if (!entry) throw new AppError('not_found');
    return {
      business: await ctx.transaction((tx) => getBusiness(tx)),
      organizationId: entry.organizationId,
    };
  };

/**
 * Who did what and when in a business is for the operator; what it said is a document's content,
 * seen only during a support access.
 */
export const readBusinessTrail =
  (ports: Parameters<typeof duringSupport>[0]) =>
  async (ctx: Context, filter: AuditFilter): ReturnType<typeof listEntries> => {
    await getBusinessEntry(ports)(ctx);
    if (await isSupporting(ports)(ctx))
      return duringSupport(ports)(ctx, 'trail', (tx) => listEntries(tx, 'audit', filter));
    const entries = await ctx.transaction((tx) => listEntries(tx, 'audit', filter));
    return entries.map((entry) => ({ ...entry, before: null, after: null }));
  };

export const sumPlatform = (ports: Pick<Ports, 'database' | 'clock'>) => () =>
  ports.database.platform(async (tx) => ({
    ...(await sumTotals(tx)),
    attemptsToday: await countCrossBusinessAccess(
      tx,
      new Date(ports.clock.now().getTime() - 86_400_000),
    ),
  }));
