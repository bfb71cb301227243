import {
  insertInvitation,
  listMembers,
  mailInvitation,
  whilePersonIsActive,
} from '../access/index.ts';
import { findDirectoryEntry, getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { ManagePorts } from './update-business-and-directory.ts';

/**
 * Invites an admin for a business without one: its first invitation was not accepted, or its first
 * admin never came. If there is an admin, blocked or not, the operator invites nobody: by an
 * invitation to an address of their own they would have a session in the business.
 */
export const inviteAdmin =
  (ports: ManagePorts) =>
  async (ctx: Context, email: string): Promise<{ email: string; expiresAt: Date }> => {
    if (!(await ports.database.platform((tx) => findDirectoryEntry(tx, ctx.businessId))))
      throw new AppError('not_found');
    const { entry, token, businessName } = await whilePersonIsActive(ctx, async (tx) => {
      const members = await listMembers(tx);
      if (members.some(({ status, role }) => status === 'active' && role === 'business_admin'))
        throw new AppError('admin_decides');
      const made = await insertInvitation(tx, ctx, ports, {
        email,
        role: 'business_admin',
        permissions: [],
      });
      return { ...made, businessName: (await getBusiness(tx)).name };
    });
    await mailInvitation(ports, ctx, { id: entry.id, email, businessName, token });
    return { email, expiresAt: entry.expiresAt };
  };
