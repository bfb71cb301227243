import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';

/**
 * Disconnects an organization. Rules and webhooks go while the grant still allows it; where it is
 * dead they stay at Zoho, and lead nowhere.
 */
export const disconnectOrganization =
  (ports: {
    uninstall(ctx: Context): Promise<unknown>;
    disconnect(ctx: Context, id: string): Promise<void>;
  }) =>
  async (ctx: Context, id: string): Promise<void> => {
    await ports.uninstall(ctx).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error;
    });
    await ports.disconnect(ctx, id);
  };
