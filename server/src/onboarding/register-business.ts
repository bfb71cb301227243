import { mappingKinds, type MappingKind } from '@muhuri/shared/contract/mappings.contract';
import { httpAddress } from '@muhuri/shared/http-address';
import { z } from 'zod';
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
  type ReadLogo,
  insertBusiness,
  insertDirectoryEntry,
  raiseEarliestGoLive,
} from '../businesses/index.ts';
import { putMapping } from '../catalogue/index.ts';
import { insertConnection, insertGrant } from '../connections/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const text = z.string().trim().min(1).max(200);

/** A business as a file describes it: what `pnpm business:add` reads. */
export const registration = z.strictObject({
  business: z.strictObject({
    business_name: text,
    email: z.email(),
    location: text,
    tin_number: z.string().regex(/^\d{9}$/, 'a Rwandan TIN has nine digits'),
    phone_number: text,
    country: z.string().regex(/^[A-Z]{2}$/),
    vat_registered: z.boolean(),
    go_live_date: day,
    settings: z
      .strictObject({
        partial_refunds: z.boolean(),
        reversal_without_data: z.boolean(),
        header_tax: z.enum(['lines', 'class']),
        qr_form: z.enum(['url', 'hash']),
        verification_base: httpAddress(300).nullable(),
        document_age_days_max: z.number().int().min(1).max(3650),
        custom_fields: z.strictObject({ buyer_tin: text, purchase_code: text }),
      })
      .partial()
      .default({}),
    branding: z
      .strictObject({
        trade_name: text,
        address_lines: z.array(text).max(4),
        email: text.nullable(),
        phone: text.nullable(),
        accent_color: z.string().regex(/^#[0-9a-f]{6}$/i),
        logo: z.string().max(280_000).nullable(),
        legal_lines: z.array(text).max(4),
        top_message: z.string().max(100),
        bottom_message: z.string().max(100),
      })
      .partial()
      .default({}),
  }),
  branches: z
    .array(
      z.strictObject({
        branch_code: z.string().regex(/^\d{2,3}$/),
        name: text,
        address: z.string().max(200),
        zoho_location_id: z.string().optional(),
        device: z.strictObject({
          dialect: text,
          serial: z.string().min(1).max(100),
          environment: z.enum(['sandbox', 'production']),
          address: httpAddress(300),
        }),
      }),
    )
    .min(1),
  zoho: z.strictObject({
    organization_id: z.string().regex(/^\d{1,20}$/),
    grant: z.union([
      z.strictObject({ id: z.string().startsWith('grt_') }),
      z.strictObject({
        accounts_server: httpAddress(300),
        api_domain: httpAddress(300),
        client_id: text,
        client_secret: text,
        refresh_token: text,
      }),
    ]),
  }),
  account: z.strictObject({
    username: z.string().regex(/^[a-z0-9._@-]{3,100}$/i),
    name: text,
    email: z.email(),
    password: z.string().min(12).max(200),
    role: z.enum(['business_admin', 'business_user']).default('business_admin'),
  }),
  mappings: z
    .partialRecord(
      z.enum(Object.keys(mappingKinds) as [MappingKind, ...MappingKind[]]),
      z.record(z.string(), z.record(z.string(), z.string())),
    )
    .optional(),
});

export type Registration = z.output<typeof registration>;
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

export type AddPerson = (
  businessId: string,
  account: Registration['account'],
) => Promise<{ personId: string }>;

/** One more person in a business, with a password set by whoever runs the command line. */
export const addPerson =
  (ports: { database: Database; clock: Clock; newId: NewId; record: Recorder }): AddPerson =>
  async (businessId, account) => {
    const at = ports.clock.now();
    const personId = ports.newId('person');
    const membershipId = ports.newId('membership');
    const passwordHash = await hashPassword(account.password);
    await ports.database.registration(async (tx, enter) => {
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
      await enter(businessId);
      await insertMembership(
        tx,
        { id: membershipId, businessId, personId, role: account.role, permissions: [] },
        at,
      );
      const ctx: Context = {
        businessId,
        actor: { type: 'command_line', id: 'person:add' },
        permissions: null,
        language: 'en',
        requestId: null,
        origin: null,
        transaction: () => Promise.reject(new Error('already in one')),
        registration: () => Promise.reject(new Error('already in one')),
      };
      await ports.record(tx, ctx, {
        action: 'membership.added',
        subject: membershipId,
        after: { person_id: personId, role: account.role },
      });
    });
    return { personId };
  };
