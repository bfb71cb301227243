import { z } from 'zod';
import { characters } from './characters.ts';
import { email, wayBackEntry } from './access.contract.ts';
import { day, time } from './dates.ts';
import { endpoint } from './endpoint.ts';
import { branchView } from './branches.contract.ts';
import { problemView, receiptView } from './receipts.contract.ts';

/** Text a person typed: trimmed, no control or invisible characters. */
export const text = (max: number) =>
  characters(
    z
      .string()
      .trim()
      .min(1)
      .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must hold no control characters'),
    max,
  );
const optionalText = (max: number) => text(max).or(z.literal(''));
export const taxpayerId = z
  .string()
  .trim()
  .regex(/^[A-Z0-9]{9,11}$/, 'must be the nine to eleven characters of the authority');
const country = z.string().regex(/^[A-Z]{2}$/);
const limit = z.coerce.number().int().min(1).max(200).default(50);
const cursor = z.string().max(200).optional();
const status = z.enum(['pending', 'active', 'suspended', 'closed']);

const settings = z.strictObject({
  partial_refunds: z.boolean(),
  reversal_without_data: z.boolean(),
  header_tax: z.enum(['lines', 'class']),
  qr_form: z.enum(['url', 'hash']),
  document_age_days_max: z.number().int().min(1).max(3650),
  auto_seal: z.enum(['off', 'sent', 'approved']),
  exempt: z.strictObject({
    customer_ids: z.array(z.string().regex(/^\d{1,25}$/)).max(500),
    location_ids: z.array(z.string().regex(/^\d{1,25}$/)).max(50),
    number_prefixes: z.array(text(40)).max(50),
  }),
  write_back: z.boolean(),
  mail_after_seal: z.boolean(),
  zoho_sign_in: z.enum(['off', 'members', 'users']),
  seal_fields: z.strictObject({
    receipt_number: optionalText(100),
    sdc_id: optionalText(100),
    signature: optionalText(100),
    verification_url: optionalText(100),
    signed_at: optionalText(100),
  }),
  custom_fields: z.strictObject({ buyer_tin: text(100), purchase_code: text(100) }),
});
const branding = z.strictObject({
  trade_name: text(100),
  address_lines: z.array(text(100)).max(4),
  email: email.nullable(),
  phone: text(40).nullable(),
  accent_color: z.string().regex(/^#[0-9a-f]{6}$/i, 'must be a colour such as #1f6feb'),
  /**
   * A PNG or JPEG as a data URL, of at most 200 kB and a million pixels; it is kept as we have
   * written it anew. `null` removes it.
   */
  logo: z.string().max(280_000).nullable(),
  legal_lines: z.array(text(100)).max(4),
  top_message: optionalText(100),
  bottom_message: optionalText(100),
});

/**
 * What of the configuration is a matter of looks, and what asks for the second factor: where money,
 * taxes, people, the taxpayer, Zoho or whom a receipt says it is from depend on it. A field that
 * stands in neither asks, and fails `config-fields.test.ts`.
 */
export const configFields: Record<string, 'looks' | 'asks'> = {
  'settings.partial_refunds': 'asks',
  'settings.reversal_without_data': 'asks',
  'settings.header_tax': 'asks',
  'settings.qr_form': 'looks',
  'settings.document_age_days_max': 'asks',
  'settings.auto_seal': 'asks',
  'settings.exempt': 'asks',
  'settings.write_back': 'asks',
  'settings.mail_after_seal': 'asks',
  'settings.zoho_sign_in': 'asks',
  'settings.seal_fields': 'asks',
  'settings.custom_fields': 'asks',
  'branding.trade_name': 'asks',
  'branding.address_lines': 'asks',
  'branding.email': 'asks',
  'branding.phone': 'asks',
  'branding.accent_color': 'looks',
  'branding.logo': 'looks',
  'branding.legal_lines': 'looks',
  'branding.top_message': 'looks',
  'branding.bottom_message': 'looks',
  go_live_date: 'asks',
  location: 'asks',
  phone_number: 'asks',
};

export const businessEntry = z
  .object({
    id: z.string(),
    business_name: z.string(),
    email: z.string(),
    location: z.string(),
    tin_number: z.string(),
    phone_number: z.string(),
    country: z.string(),
    vat_registered: z.boolean(),
    status,
    organization_id: z.string().nullable(),
    go_live_date: day,
    version: z.number(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'Business' });

const registration = {
  business_name: text(200),
  email,
  location: text(200),
  tin_number: taxpayerId,
  phone_number: text(40),
  /** Left out, it is the one country that is served. */
  country: country.optional(),
  vat_registered: z.boolean().default(true),
  go_live_date: day.optional(),
};

export const registerBusiness = endpoint({
  method: 'POST',
  path: '/businesses',
  summary: 'Register a business; its first admin is invited by mail in the same step',
  guard: 'operate',
  input: z.strictObject({ ...registration, admin_email: email }),
  output: z.object({
    business: businessEntry,
    invitation: z.object({
      email: z.string(),
      expires_at: time,
      is_mailed: z
        .boolean()
        .describe(
          'False where the mail could not be sent: the invitation was withdrawn, and the admin is invited once more',
        ),
    }),
  }),
});

export const listBusinesses = endpoint({
  method: 'GET',
  path: '/businesses',
  summary: 'Businesses of the platform with their health; newest first',
  guard: 'operate',
  heavy: true,
  query: z.strictObject({
    limit,
    cursor,
    search: characters(z.string().trim(), 100).optional(),
    status: status.optional(),
  }),
  output: z.object({
    businesses: z.array(
      z.object({
        id: z.string(),
        business_name: z.string(),
        tin_number: z.string(),
        email: z.string(),
        organization_id: z.string().nullable(),
        status,
        created_at: time,
        totals: z
          .object({
            signed: z.number(),
            signed_today: z.number(),
            refused: z.number(),
            queued: z.number(),
            in_doubt: z.number(),
            oldest_unsigned_at: time.nullable(),
            last_contact_at: time.nullable(),
            devices: z.number(),
            devices_paused: z.number(),
            people: z.number(),
            requests_today: z.number(),
            alerts: z.number(),
            zoho: z.object({
              status: z.enum(['none', 'active', 'needs_reconnecting']),
              calls: z.number(),
              failed: z.number(),
              looked_at: time.nullable(),
            }),
            updated_at: time,
          })
          .nullable(),
      }),
    ),
    next_cursor: z.string().nullable(),
  }),
});

export const getBusiness = endpoint({
  method: 'GET',
  path: '/businesses/{id}',
  summary: 'One business',
  guard: 'operate',
  output: businessEntry,
});

export const updateBusiness = endpoint({
  method: 'PUT',
  path: '/businesses/{id}',
  summary: 'Change a business; what is unique among businesses is changed here only',
  guard: 'operate',
  secondFactor: true,
  input: z.strictObject({
    business_name: text(200),
    email,
    location: text(200),
    tin_number: taxpayerId,
    phone_number: text(40),
    vat_registered: z.boolean(),
    version: z.int(),
  }),
  output: businessEntry,
});

const statusChange = (path: `/${string}`, summary: string) =>
  endpoint({
    method: 'PUT',
    path,
    summary,
    guard: 'operate',
    secondFactor: true,
    input: z.strictObject({ reason: text(300).optional() }).optional(),
    output: businessEntry,
  });
export const deactivateBusiness = statusChange(
  '/businesses/{id}/deactivate',
  'Suspend a business: nobody signs in or seals; history stays',
);
export const activateBusiness = statusChange(
  '/businesses/{id}/activate',
  'Activate a business again',
);
export const closeBusiness = statusChange(
  '/businesses/{id}/close',
  'Close a business for good: its secrets are erased, its receipts stay',
);

export const setQuotas = endpoint({
  method: 'PUT',
  path: '/businesses/{id}/quotas',
  summary: 'Set what a business may ask for in a minute and a day; null goes back to the usual',
  guard: 'operate',
  input: z.strictObject({
    requests_per_minute: z.int().min(60).max(1_000_000).nullable(),
    requests_per_day: z.int().min(1_000).max(1_000_000_000).nullable(),
  }),
  output: z.object({
    requests_per_minute: z.number().nullable(),
    requests_per_day: z.number().nullable(),
  }),
});

export const inviteAdmin = endpoint({
  method: 'POST',
  path: '/businesses/{id}/invitations',
  summary: 'Invite an admin to a business that has none left',
  guard: 'operate',
  secondFactor: true,
  input: z.strictObject({ email }),
  output: z.object({ email: z.string(), expires_at: time }),
});

// What a business sees and sets of itself

export const getOwnBusiness = endpoint({
  method: 'GET',
  path: '/businesses/me',
  summary: 'The business of this session',
  guard: 'read',
  output: businessEntry,
});

export const correctTaxpayer = endpoint({
  method: 'PUT',
  path: '/businesses/me/taxpayer',
  summary: 'Name and VAT registration as the authority has them, where its device tells otherwise',
  guard: 'manage_business',
  secondFactor: true,
  input: z.strictObject({
    business_name: text(200),
    vat_registered: z.boolean(),
    version: z.int(),
  }),
  output: businessEntry,
});

const configView = z
  .object({
    settings,
    branding,
    go_live_date: day,
    location: z.string(),
    phone_number: z.string(),
    version: z.number(),
  })
  .meta({ id: 'BusinessConfig' });

export const getConfig = endpoint({
  method: 'GET',
  path: '/businesses/me/config',
  summary: 'Settings and branding of the business',
  guard: 'read',
  output: configView,
});

export const updateConfig = endpoint({
  method: 'PUT',
  path: '/businesses/me/config',
  summary:
    'Change settings, branding, go-live date and contact; what is not named stays. Looks are free, every other change asks for the second factor',
  guard: 'manage_business',
  bodyKb: 512,
  input: z.strictObject({
    settings: settings.partial().optional(),
    branding: branding.partial().optional(),
    go_live_date: day.optional(),
    location: text(200).optional(),
    phone_number: text(40).optional(),
    version: z.int(),
  }),
  output: configView,
});

export const previewBranding = endpoint({
  method: 'POST',
  path: '/businesses/me/branding/preview',
  summary: 'A training receipt with this branding, as PDF; stores nothing, signs nothing',
  guard: 'manage_business',
  bodyKb: 512,
  input: z.strictObject({
    branding: branding.partial(),
    paper: z.enum(['a4', 'a5', '80mm', '58mm']).default('a4'),
  }),
  output: z.string(),
  produces: 'application/pdf',
});

const deviceConfig = z.strictObject({
  branch_id: z.string().max(60).optional(),
  address: characters(z.string().trim(), 300),
  serial: text(100),
  environment: z.enum(['sandbox', 'production']),
  /** Left out, it is the device's own, or the only one of the business's country. */
  dialect: z.string().max(40).optional(),
});

export const updateVsdcConfig = endpoint({
  method: 'PUT',
  path: '/businesses/me/vsdc-config',
  summary:
    'Set address, serial and environment of a branch’s device (head office where no branch is named)',
  guard: 'manage_devices',
  secondFactor: true,
  input: deviceConfig,
  output: branchView,
});

const probe = z
  .object({
    result: z.enum([
      'fine',
      'down',
      'wrong_address',
      'vsdc_missing',
      'offline_soon',
      'down_or_stopped',
      'address_refused',
      'not_initialised',
      'other_taxpayer',
    ]),
    title: z.string(),
    detail: z.string(),
    at: time,
    answer_ms: z.number().nullable(),
    /** When the device last proved contact with the authority; an estimate of its 24-hour clock. */
    last_upstream_at: time.nullable(),
    offline_hours: z.number().nullable(),
  })
  .meta({ id: 'Probe' });

export const testVsdc = endpoint({
  method: 'POST',
  path: '/businesses/me/test-vsdc',
  summary: 'Ask a device whether it serves; never signs',
  guard: 'manage_devices',
  input: z.strictObject({ branch_id: z.string().max(60).optional() }),
  output: probe,
});

export const vsdcStatus = endpoint({
  method: 'GET',
  path: '/businesses/me/vsdc-status',
  summary: 'Every device with its state, last contact and last test',
  guard: 'read',
  output: z.object({
    devices: z.array(z.object({ branch: branchView, probe: probe.nullable() })),
    next_cursor: z.null(),
  }),
});

const zohoConfig = z
  .object({
    organization_id: z.string().nullable(),
    organization_name: z.string().nullable(),
    data_centre: z.string().nullable(),
    status: z.enum(['none', 'active', 'needs_reconnecting']),
    grant_id: z.string().nullable(),
    connection_id: z.string().nullable(),
    /**
     * Where an account may live, by the keys that connecting takes; what the operator added stands
     * first.
     */
    data_centres: z.array(z.string()),
    has_own_client: z.boolean(),
    /**
     * Each address with as much of its key as tells two apart; whole it is shown only when it is
     * made.
     */
    webhooks: z.array(
      z.object({ id: z.string(), module: z.string(), url: z.string(), prefix: z.string() }),
    ),
  })
  .meta({ id: 'ZohoConfig' });

export const getZohoConfig = endpoint({
  method: 'GET',
  path: '/businesses/me/zoho-config',
  summary: 'Organization, data centre and grant of the business',
  guard: 'manage_business',
  output: zohoConfig,
});

export const getStats = endpoint({
  method: 'GET',
  path: '/businesses/me/stats',
  summary: 'Receipts by day and outcome, over thirty days unless another span is named',
  guard: 'read',
  heavy: true,
  query: z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(30) }),
  output: z.object({
    from: day,
    to: day,
    currency: z.string(),
    signed: z.number(),
    refunds: z.number(),
    refused: z.number(),
    total: z.string(),
    refunded: z.string(),
    queued: z.number(),
    in_doubt: z.number(),
    /**
     * Documents that should be sealed and that nothing was begun with, or that were refused; since
     * when the oldest.
     */
    due: z.number(),
    due_since: time.nullable(),
    /** What sandbox devices signed; in no other number here. */
    test_receipts: z.number(),
    sealed_elsewhere: z.number(),
    days: z.array(z.object({ day, signed: z.number(), refused: z.number(), total: z.string() })),
    failures: z.array(z.object({ code: z.string(), title: z.string(), count: z.number() })),
  }),
});

export const recentInvoices = endpoint({
  method: 'GET',
  path: '/businesses/me/recent-invoices',
  summary: 'Receipts, newest first, with their states',
  guard: 'read',
  heavy: true,
  query: z.strictObject({
    limit,
    cursor,
    /**
     * Those of sandbox devices, or the real ones; without it test receipts are shown only until
     * their branch is in production.
     */
    environment: z.enum(['sandbox', 'production']).optional(),
    state: z.enum(['queued', 'signed', 'refused', 'in_doubt', 'withdrawn']).optional(),
    search: characters(z.string().trim(), 100).optional(),
  }),
  output: z.object({ receipts: z.array(receiptView), next_cursor: z.string().nullable() }),
});

export const getUsage = endpoint({
  method: 'GET',
  path: '/businesses/me/usage',
  summary: 'What the business has used of its quotas',
  guard: 'read',
  output: z.object({
    quotas: z.array(
      z.object({
        what: z.string(),
        period: z.enum(['minute', 'day', 'month']),
        limit: z.number(),
        used: z.number(),
        left: z.number(),
        resets_at: time,
      }),
    ),
    days: z.array(z.object({ day, requests: z.number(), receipts: z.number() })),
  }),
});

// Setting a business up

const step = z.object({
  state: z.enum(['open', 'done', 'broken']),
  problem: problemView.nullable(),
  checked_at: time.nullable(),
});
export const setupView = z
  .object({
    steps: z.object({ business: step, vsdc: step, zoho: step, rehearsal: step }),
    next: z.enum(['business', 'vsdc', 'zoho', 'rehearsal']).nullable(),
    environment: z.enum(['sandbox', 'production']).nullable(),
    rehearsal: z.array(
      z.object({
        what: z.string(),
        state: z.enum(['done', 'failed', 'skipped']),
        detail: z.string(),
      }),
    ),
  })
  .meta({ id: 'Setup' });

export const setupStatus = endpoint({
  method: 'GET',
  path: '/businesses/me/setup/status',
  summary: 'How far the setup is; each step is tried against the real thing',
  guard: 'manage_business',
  output: setupView,
});

export const setupBusiness = endpoint({
  method: 'POST',
  path: '/businesses/me/setup/step1',
  summary: 'The business: contact, VAT registration, go-live date',
  guard: 'manage_business',
  secondFactor: true,
  input: z.strictObject({
    location: text(200),
    phone_number: text(40),
    vat_registered: z.boolean(),
    go_live_date: day,
  }),
  output: setupView,
});

export const setupVsdc = endpoint({
  method: 'POST',
  path: '/businesses/me/setup/step2',
  summary: 'The device of head office: set, tried, initialised or adopted',
  guard: 'manage_devices',
  secondFactor: true,
  input: z.strictObject({
    address: characters(z.string().trim(), 300),
    serial: text(100),
    environment: z.enum(['sandbox', 'production']),
    /** Left out, it is the device's own, or the only one of the business's country. */
    dialect: z.string().max(40).optional(),
    adopt: z
      .strictObject({
        sdc_id: characters(z.string().trim().min(4), 20),
        mrc_number: z.string().trim().length(11),
        last_invoice_number: z.string().regex(/^\d{1,15}$/),
      })
      .optional(),
  }),
  output: setupView,
});

export const setupZoho = endpoint({
  method: 'POST',
  path: '/businesses/me/setup/step3',
  summary: 'Zoho by a self-client code: what the grant can see, then the organization',
  guard: 'manage_business',
  secondFactor: true,
  input: z.strictObject({
    data_centre: z.string().max(100).optional(),
    client_id: text(200).optional(),
    client_secret: text(200).optional(),
    code: text(300).optional(),
    organization_id: z
      .string()
      .regex(/^\d{1,20}$/)
      .optional(),
    /** Other books than before, although so many documents of those are not settled. */
    leave_open: z.number().int().min(0).max(10_000_000).optional(),
  }),
  output: z.object({
    setup: setupView,
    organizations: z.array(
      z.object({ organization_id: z.string(), name: z.string(), currency_code: z.string() }),
    ),
  }),
});

export const rehearse = endpoint({
  method: 'POST',
  path: '/businesses/me/setup/rehearsal',
  summary:
    'The rehearsal: on a sandbox device an invoice is signed, on a production device nothing is',
  guard: 'manage_business',
  input: z.strictObject({
    document_id: z
      .string()
      .regex(/^\d{1,25}$/)
      .optional(),
  }),
  output: setupView,
});

// Support access

const supportEntry = z
  .object({
    id: z.string(),
    operator_name: z.string(),
    reason: z.string(),
    begun_at: time,
    until: time,
    ended_at: time.nullable(),
  })
  .meta({ id: 'SupportAccess' });

export const beginSupport = endpoint({
  method: 'POST',
  path: '/businesses/{id}/support-access',
  summary: 'See documents of a business for a while, with a reason it can read',
  guard: 'operate',
  secondFactor: true,
  input: z.strictObject({ reason: text(300), minutes: z.number().int().min(5).max(240) }),
  output: supportEntry,
});

export const endSupport = endpoint({
  method: 'POST',
  path: '/businesses/{id}/support-access/end',
  summary: 'End the support access',
  guard: 'operate',
  output: supportEntry,
});

export const supportDocuments = endpoint({
  method: 'GET',
  path: '/businesses/{id}/receipts',
  summary: 'Receipts of a business, only while support access is open',
  guard: 'operate',
  heavy: true,
  query: z.strictObject({ limit, cursor }),
  output: z.object({ receipts: z.array(receiptView), next_cursor: z.string().nullable() }),
});

export const listPeopleOfBusiness = endpoint({
  method: 'GET',
  path: '/businesses/{id}/people',
  summary:
    'Who works for a business: name, role and last sign-in; that it was looked at stands in the business’s activity',
  guard: 'operate',
  output: z.object({
    people: z.array(
      z.object({
        person_id: z.string(),
        name: z.string(),
        role: z.enum(['business_admin', 'business_user']),
        status: z.enum(['active', 'ended', 'blocked']),
        last_sign_in_at: time.nullable(),
        /** API keys in force that they have made; while they are blocked these open nothing. */
        api_keys: z.number(),
      }),
    ),
    next_cursor: z.null(),
  }),
});

const personBlocked = (path: `/${string}`, summary: string) =>
  endpoint({
    method: 'POST',
    path,
    summary,
    guard: 'operate',
    secondFactor: true,
    input: z.strictObject({ person_id: z.string().min(1).max(60), reason: text(300) }),
    output: z.object({}),
  });
export const blockPerson = personBlocked(
  '/businesses/{id}/people/block',
  'Keep a person out of everything, with a reason their businesses can read',
);
export const unblockPerson = personBlocked(
  '/businesses/{id}/people/unblock',
  'Let a blocked person in again',
);

export const listWaysBackOfBusiness = endpoint({
  method: 'GET',
  path: '/businesses/{id}/ways-back',
  summary: 'Who of a business has lost their second factor and asks to be let in',
  guard: 'operate',
  output: z.object({ ways_back: z.array(wayBackEntry), next_cursor: z.null() }),
});

const addressChange = z
  .object({
    id: z.string(),
    person_id: z.string(),
    name: z.string(),
    email: z.string(),
    reason: z.string(),
    asked_at: time,
    /** From when on an operator may put it in force. */
    operator_from: time,
    /** Whether somebody else has to: you have asked for it, and are not the only operator. */
    needs_another_operator: z.boolean(),
  })
  .meta({ id: 'AddressChange' });

export const listAddressChanges = endpoint({
  method: 'GET',
  path: '/businesses/{id}/address-changes',
  summary: 'Other addresses that are asked for: of an only admin who has lost mailbox and password',
  guard: 'operate',
  output: z.object({ address_changes: z.array(addressChange), next_cursor: z.null() }),
});

export const openAddressChange = endpoint({
  method: 'POST',
  path: '/businesses/{id}/address-changes',
  summary:
    'Ask for another address of the only admin: everybody of the business is told and has seven days to object',
  guard: 'operate',
  secondFactor: true,
  input: z.strictObject({ person_id: z.string().min(1).max(60), email, reason: text(300) }),
  output: addressChange,
});

export const applyAddressChange = endpoint({
  method: 'POST',
  path: '/businesses/{id}/address-changes/apply',
  summary:
    'Put another address in force after seven days without objection; by another operator where there is one',
  guard: 'operate',
  secondFactor: true,
  input: z.strictObject({ address_change_id: z.string().min(1).max(60) }),
  output: z.object({}),
});

export const grantWayBackByOperator = endpoint({
  method: 'POST',
  path: '/businesses/{id}/ways-back/grant',
  summary:
    'Let somebody back in where no other admin can decide, once every admin had a day to object',
  guard: 'operate',
  secondFactor: true,
  input: z.strictObject({ way_back_id: z.string().min(1).max(60) }),
  output: z.object({ state: z.string() }),
});

export const listSupport = endpoint({
  method: 'GET',
  path: '/support-access',
  summary: 'When the operator could see documents of the business, and why',
  guard: 'read',
  output: z.object({ support_access: z.array(supportEntry), next_cursor: z.null() }),
});

// The platform

export const platformTotals = endpoint({
  method: 'GET',
  path: '/platform/totals',
  summary: 'Numbers of the whole platform',
  guard: 'operate',
  output: z.object({
    businesses: z.record(z.string(), z.number()),
    signed: z.number(),
    signed_today: z.number(),
    queued: z.number(),
    in_doubt: z.number(),
    alerts: z.number(),
    people: z.number(),
    attempts_today: z.number(),
    /** Businesses by the state of their connection with Zoho. */
    zoho: z.record(z.string(), z.number()),
    zoho_looked_at: time.nullable(),
    updated_at: time.nullable(),
  }),
});

export const listAttempts = endpoint({
  method: 'GET',
  path: '/platform/attempts',
  summary: 'Tries to reach another business’s data, newest first',
  guard: 'operate',
  heavy: true,
  query: z.strictObject({ limit, cursor }),
  output: z.object({
    attempts: z.array(
      z.object({
        id: z.string(),
        at: time,
        business_id: z.string(),
        actor: z.string(),
        route: z.string(),
        asked: z.string(),
        origin: z.string().nullable(),
      }),
    ),
    next_cursor: z.string().nullable(),
  }),
});
