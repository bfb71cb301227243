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
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { Registration } from './registration.ts';

export type RegisterBusiness = (
  input: Registration,
) => Promise<{ businessId: string; branchIds: string[]; grantId: string }>;

/**
 * Registers a business with its branches, devices, grant, connection and first account, in one
 * transaction: all of it or nothing. What must be unique across businesses (TIN, e-mail,
 * organization, username) stands in the reference schema and refuses a second one.
 */
export const registerBusiness =
  (ports: {
    database: Database;
    vault: Vault;
    clock: Clock;
    newId: NewId;
    record: Recorder;
    readLogo: ReadLogo;
  }): RegisterBusiness =>
  async (input) => {
    const { database, vault, clock, newId } = ports;
    const at = clock.now();
    const businessId = newId('business');
    const personId = newId('person');
    const membershipId = newId('membership');
    const passwordHash = await hashPassword(input.account.password);
    const { business, zoho, account } = input;
    const grantId = 'id' in zoho.grant ? zoho.grant.id : newId('grant');
    const logo = business.branding.logo
      ? await ports.readLogo(businessId, business.branding.logo, 'branding.logo')
      : null;
    const branches = input.branches.map((branch) => ({ ...branch, id: newId('branch') }));
    await database.registration(async (tx, enter) => {
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
      await insertPerson(
        tx,
        {
          id: personId,
          username: account.username,
          name: account.name,
          email: account.email,
          passwordHash,
          isOperator: false,
          isEmailVerified: true,
        },
        at,
      );
      await insertMembershipIndex(tx, { personId, businessId, membershipId });
      if (!('id' in zoho.grant)) {
        const dataKey = vault.newDataKey(grantId);
        const seal = (field: string, secret: string) =>
          vault.encrypt(dataKey, grantId, field, secret);
        const { accounts_server, api_domain, client_id, client_secret, refresh_token } = zoho.grant;
        await insertGrant(
          tx,
          {
            id: grantId,
            accountsServer: accounts_server,
            apiDomain: api_domain,
            clientId: client_id,
            dataKey,
            clientSecret: seal('client_secret', client_secret),
            refreshToken: seal('refresh_token', refresh_token),
            grantedBy: null,
            scopes: '',
          },
          at,
        );
      }
      const earliest = await earliestGoLive(tx, {
        taxpayerId: business.tin_number,
        organizationId: zoho.organization_id,
      });
      await enter(businessId);
      await insertBusiness(
        tx,
        {
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
        },
        at,
      );
      await raiseEarliestGoLive(tx, earliest);
      await checkGoLive(tx, business.go_live_date);
      for (const branch of branches) {
        await insertBranch(
          tx,
          businessId,
          { id: branch.id, code: branch.branch_code, name: branch.name, address: branch.address },
          at,
        );
        await insertDevice(
          tx,
          businessId,
          {
            id: newId('device'),
            branchId: branch.id,
            ...branch.device,
            transport: 'direct',
            succeeds: null,
          },
          at,
        );
        if (branch.zoho_location_id)
          await putMapping(
            tx,
            businessId,
            'location',
            { key: branch.zoho_location_id, value: { branch_id: branch.id } },
            at,
          );
      }
      await insertConnection(
        tx,
        businessId,
        { id: newId('connection'), grantId, organizationId: zoho.organization_id },
        at,
      );
      await insertMembership(
        tx,
        { id: membershipId, businessId, personId, role: account.role, permissions: [] },
        at,
      );
      for (const [kind, entries] of Object.entries(input.mappings ?? {})) {
        for (const [key, value] of Object.entries(entries))
          await putMapping(
            tx,
            businessId,
            kind as MappingKind,
            {
              key,
              value: mappingKinds[kind as MappingKind].parse(value) as Record<string, string>,
            },
            at,
          );
      }
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
          tin_number: business.tin_number,
          organization_id: zoho.organization_id,
          first_account: personId,
        },
      });
    });
    return { businessId, branchIds: branches.map((branch) => branch.id), grantId };
  };
