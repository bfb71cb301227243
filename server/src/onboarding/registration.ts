import { type MappingKind, mappingKinds } from '@muhuri/shared/contract/mappings.contract';
import { httpAddress } from '@muhuri/shared/http-address';
import { z } from 'zod';
import type { Dialects } from '../ports/dialect/index.ts';

const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const text = z.string().trim().min(1).max(200);

/** A business as a file describes it: what `pnpm business:add` reads. */
export const registration = z.strictObject({
  business: z.strictObject({
    business_name: text,
    email: z.email(),
    location: text,
    tin_number: text,
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

/** The same, as the authority of its country has it. */
export const registrationUnder = (dialects: Dialects) =>
  registration.superRefine(({ business, branches }, context) => {
    const refuse = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const { country, tin_number } = business;
    const dialect = dialects.in(country);
    if (!dialect) return refuse(['business', 'country'], 'is not served');
    if (!dialect.identity.checkTaxpayerId(tin_number))
      refuse(['business', 'tin_number'], `is no taxpayer id of ${country}`);
    const known = dialects.all().map(({ identity }) => identity.key);
    for (const [index, { device }] of branches.entries())
      if (!known.includes(device.dialect))
        refuse(['branches', index, 'device', 'dialect'], `is none of ${known.join(', ')}`);
  });

export type Registration = z.output<typeof registration>;
