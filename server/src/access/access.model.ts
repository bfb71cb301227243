import type { Role } from '../context.ts';

/** What a membership may do. One table that routes, screens and tests read. */
export type Permission = 'settle';

const byRole: Record<Role, Permission[]> = { business_admin: ['settle'], business_user: [] };

export const may = (membership: { role: Role; permissions: string[] }, permission: Permission): boolean =>
  byRole[membership.role].includes(permission) || membership.permissions.includes(permission);
