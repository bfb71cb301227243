/**
 * What each role may do: the one table that routes, screens and tests read. A guard of the contract
 * is either one of these, `anyone` (before sign-in) or `signed_in`.
 */
export const permissions = {
  read: 'See receipts, branches, numbers and alerts of the business',
  seal: 'Seal documents, withdraw and print',
  confirm: 'Confirm what carries a risk: documents before go-live, old ones',
  settle: "Settle a doubt with the authority's data",
  check: 'Confirm what another person proposed',
  sync: 'Run a synchronisation by hand',
  manage_business: 'Change the business, its branding, mappings and Zoho connection',
  manage_devices: 'Add branches, initialise, adopt, pause and resume devices',
  manage_people: 'Invite people, change their roles, end their memberships',
  manage_keys: 'Create and revoke API keys',
  read_trail: 'Read and export the activity of the business',
  operate: 'Register businesses, change their status, see totals of the platform',
} as const;

export type Permission = keyof typeof permissions;
export type RoleName = 'admin' | 'business_admin' | 'business_user';

/** Single permissions an admin may add to a `business_user`. */
export const grantable = ['settle', 'confirm', 'check', 'sync'] as const satisfies Permission[];

/** What an API key may be given: never people, keys or the platform. */
export const scopes = [
  'read',
  'seal',
  'confirm',
  'sync',
  'read_trail',
] as const satisfies Permission[];

export const byRole: Record<RoleName, readonly Permission[]> = {
  /** The operator: health and totals, never a business's documents, signatures or secrets. */
  admin: ['operate'],
  business_admin: [
    'read',
    'seal',
    'confirm',
    'settle',
    'check',
    'sync',
    'manage_business',
    'manage_devices',
    'manage_people',
    'manage_keys',
    'read_trail',
  ],
  business_user: ['read', 'seal'],
};

/** A member's permissions: the role's and the single ones. */
export const permissionsOf = (member: {
  role: RoleName;
  permissions: readonly string[];
}): Permission[] => [
  ...new Set([
    ...byRole[member.role],
    ...grantable.filter((each) => member.role !== 'admin' && member.permissions.includes(each)),
  ]),
];
