import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Database } from '../platform/db/database.ts';
import { findConnection, setConnectionStatus } from './connection.store.ts';
import { findGrantOf } from './grant.store.ts';

/**
 * A dead grant turns the connection to *needs reconnecting*, with one alert; once it lives again,
 * or another one took its place, the connection is active and the alert closes itself. Says whether
 * the connection works.
 */
export const watchGrantHealth =
  (ports: { database: Database; alerts: Pick<Alerts, 'raise' | 'resolve'>; record: Recorder }) =>
  async (ctx: Context): Promise<boolean> => {
    const connection = await ctx.transaction(findConnection);
    if (!connection) return false;
    const grant = await ports.database.platform((tx) => findGrantOf(tx, connection.grantId));
    const status =
      grant?.status === 'active' ? ('active' as const) : ('needs_reconnecting' as const);
    await ctx.transaction(async (tx) => {
      if (connection.status !== status) {
        await setConnectionStatus(tx, connection.id, status);
        await ports.record(tx, ctx, { action: `connection.${status}`, subject: connection.id });
      }
      if (status === 'active')
        await ports.alerts.resolve(tx, ctx, ctx.businessId, ['books_reconnect']);
      else await ports.alerts.raise(tx, ctx, ctx.businessId, { code: 'books_reconnect' });
    });
    return status === 'active';
  };
