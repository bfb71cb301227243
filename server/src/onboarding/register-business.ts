import { type MappingKind, mappingKinds } from '@muhuri/shared/contract/mappings.contract';
import {
  hashPassword,
  insertMembership,
  insertMembershipIndex,
  insertPerson,
} from '../access/index.ts';
import type { Recorder } from '../audit/index.ts';
import { insertBranch, insertDevice } from '../branches/index.ts';
import {
  checkGoLive,
  defaultSettings,
  earliestGoLive,
  insertBusiness,
  insertDirectoryEntry,
  raiseEarliestGoLive,
  type ReadLogo,
} from '../businesses/index.ts';
import { putMapping } from '../catalogue/index.ts';
import { insertConnection, insertGrant } from '../connections/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database, Tx } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Registration } from './registration.ts';

export type RegisterBusiness = (
  input: Registration,
) => Promise<{ businessId: string; branchIds: string[]; grantId: string }>;

type Ports = {
  database: Database;
  vault: Vault;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  readLogo: ReadLogo;
};

/** A registration with the ids and values that are prepared before its transaction. */
type Prepared = {
  input: Registration;
  at: Date;
  businessId: string;
  personId: string;
  membershipId: string;
  grantId: string;
  passwordHash: string;
  logo: Awaited<ReturnType<ReadLogo>> | null;
  branches: (Registration['branches'][number] & { id: string })[];
};

/**
 * Registers a business with its branches, devices, grant, connection and first account, in one
 * transaction: all of it or nothing. What must be unique across businesses (TIN, e-mail,
 * organization, username) stands in the reference schema and refuses a second one.
 */
export const registerBusiness =
  (ports: Ports): RegisterBusiness =>
  async (input) => {
    const prepared = await prepare(ports, input);
    const { businessId, branches, grantId, at } = prepared;
    await ports.database.registration(async (tx, enter) => {
      await insertInDirectory(tx, prepared);
      await insertGrantOf(ports, tx, prepared);
      const earliest = await earliestGoLive(tx, {
        taxpayerId: input.business.tin_number,
        organizationId: input.zoho.organization_id,
      });
      await enter(businessId);
      await insertBusiness(tx, businessOf(ports, prepared), at);
      await raiseEarliestGoLive(tx, earliest);
      await checkGoLive(tx, input.business.go_live_date);
      for (const branch of branches) await insertBranchOf(ports, tx, prepared, branch);
      await insertConnectionAndMember(ports, tx, prepared);
      await putMappings(tx, prepared);
      await recordRegistered(ports, tx, prepared);
    });
    return { businessId, branchIds: branches.map((branch) => branch.id), grantId };
  };

async function prepare(ports: Ports, input: Registration): Promise<Prepared> {
  const { newId } = ports;
  const at = ports.clock.now();
  const businessId = newId('business');
  const personId = newId('person');
  const membershipId = newId('membership');
  const passwordHash = await hashPassword(input.account.password);
  const { grant } = input.zoho;
  const grantId = 'id' in grant ? grant.id : newId('grant');
  const given = input.business.branding.logo;
  const logo = given ? await ports.readLogo(businessId, given, 'branding.logo') : null;
  const branches = input.branches.map((branch) => ({ ...branch, id: newId('branch') }));
  return {
    input,
    at,
    businessId,
    personId,
    membershipId,
    grantId,
    passwordHash,
    logo,
    branches,
  };
}

/** Inserts what is unique among businesses: the business's entry and its first account. */
async function insertInDirectory(tx: Tx, prepared: Prepared): Promise<void> {
  const { input, at, businessId, personId, membershipId, passwordHash } = prepared;
  const { business, zoho } = input;
  await insertDirectoryEntry(
    tx,
    {
      businessId,
      name: business.business_name,
      status: 'active',
      taxpayerId: business.tin_number,
      email: business.email,
      organizationId: zoho.organization_id,
    },
    at,
  );
  const { username, name, email } = input.account;
  await insertPerson(
    tx,
    { id: personId, username, name, email, passwordHash, isOperator: false, isEmailVerified: true },
    at,
  );
  await insertMembershipIndex(tx, { personId, businessId, membershipId });
}

/** Inserts the grant, unless the file names one that is there. */
async function insertGrantOf(
  { vault }: Ports,
  tx: Tx,
  { input, grantId, at }: Prepared,
): Promise<void> {
  const { grant } = input.zoho;
  if ('id' in grant) return;
  const dataKey = vault.newDataKey(grantId);
  const encrypt = (field: string, secret: string) => vault.encrypt(dataKey, grantId, field, secret);
  await insertGrant(
    tx,
    {
      id: grantId,
      accountsServer: grant.accounts_server,
      apiDomain: grant.api_domain,
      clientId: grant.client_id,
      dataKey,
      clientSecret: encrypt('client_secret', grant.client_secret),
      refreshToken: encrypt('refresh_token', grant.refresh_token),
      grantedBy: null,
      scopes: '',
    },
    at,
  );
}

const businessOf = (
  { vault }: Ports,
  { input: { business }, businessId, logo }: Prepared,
): Parameters<typeof insertBusiness>[1] => ({
  id: businessId,
  name: business.business_name,
  email: business.email,
  location: business.location,
  taxpayerId: business.tin_number,
  phone: business.phone_number,
  status: 'active',
  country: business.country,
  isVatRegistered: business.vat_registered,
  goLiveDate: business.go_live_date,
  settings: { ...defaultSettings, ...business.settings } as typeof defaultSettings,
  branding: {
    trade_name: business.business_name,
    address_lines: [business.location],
    email: business.email,
    phone: business.phone_number,
    accent_color: '#1f2329',
    legal_lines: [],
    top_message: '',
    bottom_message: '',
    ...(business.branding as object),
    logo,
  },
  dataKey: vault.newDataKey(businessId),
});

async function insertBranchOf(
  { newId }: Ports,
  tx: Tx,
  { businessId, at }: Prepared,
  branch: Prepared['branches'][number],
): Promise<void> {
  const { id, branch_code: code, name, address, device, zoho_location_id: locationId } = branch;
  await insertBranch(tx, businessId, { id, code, name, address }, at);
  await insertDevice(
    tx,
    businessId,
    { id: newId('device'), branchId: id, ...device, transport: 'direct', succeeds: null },
    at,
  );
  if (locationId)
    await putMapping(tx, businessId, 'location', { key: locationId, value: { branch_id: id } }, at);
}

async function insertConnectionAndMember(
  { newId }: Ports,
  tx: Tx,
  { input, at, businessId, grantId, personId, membershipId }: Prepared,
): Promise<void> {
  await insertConnection(
    tx,
    businessId,
    { id: newId('connection'), grantId, organizationId: input.zoho.organization_id },
    at,
  );
  const { role } = input.account;
  await insertMembership(tx, { id: membershipId, businessId, personId, role, permissions: [] }, at);
}

async function putMappings(tx: Tx, { input, businessId, at }: Prepared): Promise<void> {
  for (const [name, entries] of Object.entries(input.mappings ?? {})) {
    const kind = name as MappingKind;
    for (const [key, given] of Object.entries(entries)) {
      const value = mappingKinds[kind].parse(given) as Record<string, string>;
      await putMapping(tx, businessId, kind, { key, value }, at);
    }
  }
}

async function recordRegistered(
  ports: Ports,
  tx: Tx,
  { input, businessId, personId }: Prepared,
): Promise<void> {
  const ctx: Context = {
    businessId,
    actor: { type: 'command_line', id: 'business:add' },
    permissions: null,
    language: 'en',
    requestId: null,
    origin: null,
    transaction: () => Promise.reject(new Error('already in one')),
    registration: () => Promise.reject(new Error('already in one')),
  };
  await ports.record(tx, ctx, {
    action: 'business.registered',
    subject: businessId,
    after: {
      tin_number: input.business.tin_number,
      organization_id: input.zoho.organization_id,
      first_account: personId,
    },
  });
}
