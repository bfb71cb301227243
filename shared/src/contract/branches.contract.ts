import { z } from 'zod';
import { characters } from './characters.ts';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';

/** A counter as text or as a JSON number. */
const lastNumber = z
  .union([z.string().regex(/^\d{1,15}$/), z.int().nonnegative()])
  .transform(String);

const device = z.object({
  id: z.string(),
  dialect: z.string(),
  serial: z.string(),
  environment: z.enum(['sandbox', 'production']),
  address: z.string(),
  state: z.enum(['new', 'active', 'paused', 'retired']),
  problem: z.looseObject({ code: z.string(), title: z.string(), detail: z.string() }).nullable(),
  /** What the device tells otherwise than the business: while it stands, nothing is sealed. */
  difference: z.looseObject({ code: z.string(), title: z.string(), detail: z.string() }).nullable(),
  /** Who the authority says the device signs for; null where it has not said. */
  told: z
    .object({ name: z.string().nullable(), vat_registered: z.boolean().nullable(), at: time })
    .nullable(),
  sdc_id: z.string().nullable(),
  mrc_number: z.string().nullable(),
  next_invoice_number: z.string().nullable(),
  last_contact_at: time.nullable(),
  queued: z.number(),
  in_doubt: z.number(),
  /**
   * Numbers that were free and that nobody will use: the device was retired, or another program had
   * gone past them.
   */
  burnt_numbers: z.array(z.string()),
  /**
   * Keys that came and could not take the place of those it works with: kept, encrypted, and in use
   * nowhere.
   */
  keys_aside: z.array(
    z.object({ serial: z.string(), sdc_id: z.string().nullable(), asked_at: time.nullable() }),
  ),
});

export const branchView = z
  .object({
    id: z.string(),
    branch_code: z.string(),
    name: z.string(),
    address: z.string(),
    /** What its receipts are given out as in the original; null: whoever prints first decides. */
    original_paper: z.enum(['a4', 'a5', '80mm', '58mm', 'mail', 'zoho']).nullable(),
    /**
     * Since when the branch seals for real: what was created in the books before may have been
     * sealed by another system.
     */
    production_since: time.nullable(),
    device: device.nullable(),
    /** The device that is prepared to follow the present one; `ready` once it is set up. */
    next_device: device.extend({ ready: z.boolean() }).nullable(),
    /** Devices that nothing is sent to any more, the latest first. */
    retired_devices: z.array(device.extend({ retired_at: time.nullable() })),
  })
  .meta({ id: 'Branch' });

export const listBranches = endpoint({
  method: 'GET',
  path: '/branches',
  summary: 'The branches of the business with their devices',
  guard: 'read',
  output: z.object({ branches: z.array(branchView), next_cursor: z.string().nullable() }),
});

const listsView = z
  .object({
    /** A refresh asks for `steps` lists, one after the other. */
    is_running: z.boolean(),
    step: z.number(),
    steps: z.number(),
    refreshed_at: time.nullable(),
    next_at: time.nullable(),
    problem: z.looseObject({ code: z.string(), title: z.string(), detail: z.string() }).nullable(),
    changes: z
      .array(
        z.object({ list: z.string(), added: z.number(), removed: z.number(), renamed: z.number() }),
      )
      .nullable(),
    rates: z.array(
      z.object({ tax_class: z.string(), name: z.string(), percent: z.string().nullable() }),
    ),
    rate_changes: z.array(
      z.object({ tax_class: z.string(), before: z.string(), after: z.string(), since: time }),
    ),
  })
  .meta({ id: 'AuthorityLists' });

export const readAuthorityLists = endpoint({
  method: 'GET',
  path: '/branches/{id}/lists',
  summary: "The authority's rates and lists as the branch's device has them, and what changed",
  guard: 'read',
  output: listsView,
});

export const refreshAuthorityLists = endpoint({
  method: 'POST',
  path: '/branches/{id}/lists',
  summary: "Fetch the authority's rates and lists now; they are fetched every day by themselves",
  guard: 'manage_devices',
  output: listsView,
});

const branchText = (max: number) =>
  characters(
    z
      .string()
      .trim()
      .min(1)
      .regex(/^[^\p{Cc}\p{Cf}]*$/u, 'must hold no control characters'),
    max,
  );

export const addBranch = endpoint({
  method: 'POST',
  path: '/branches',
  summary: 'Add a branch as the authority numbers it; its device is set by vsdc-config',
  guard: 'manage_devices',
  input: z.strictObject({
    branch_code: z.string().regex(/^\d{2,3}$/, 'must be the two or three digits of the authority'),
    name: branchText(100),
    address: branchText(200).or(z.literal('')),
  }),
  output: branchView,
});

export const updateBranch = endpoint({
  method: 'PUT',
  path: '/branches/{id}',
  summary: 'Change name and address of a branch',
  guard: 'manage_devices',
  input: z.strictObject({
    name: branchText(100),
    address: branchText(200).or(z.literal('')),
    /** Left out: as it is. */
    original_paper: z.enum(['a4', 'a5', '80mm', '58mm', 'mail', 'zoho']).nullable().optional(),
  }),
  output: branchView,
});

export const initialiseDevice = endpoint({
  method: 'POST',
  path: '/branches/{id}/initialise',
  summary: 'Initialise the device of a branch with the authority (possible once)',
  guard: 'manage_devices',
  secondFactor: true,
  output: branchView,
});

export const adoptDevice = endpoint({
  method: 'POST',
  path: '/branches/{id}/adopt',
  summary: 'Take over a device that was initialised elsewhere',
  guard: 'manage_devices',
  secondFactor: true,
  input: z.strictObject({
    sdc_id: characters(z.string().trim().min(4), 20),
    mrc_number: z.string().trim().length(11),
    last_invoice_number: lastNumber,
  }),
  output: branchView,
});

export const setNextDevice = endpoint({
  method: 'PUT',
  path: '/branches/{id}/next-device',
  summary:
    'Enter the device that is to follow the one at work: one for production after a rehearsal, or one in the place of a device that is gone',
  guard: 'manage_devices',
  secondFactor: true,
  input: z.strictObject({
    for: z.enum(['production', 'replacement']),
    address: z.url(),
    serial: branchText(100),
  }),
  output: branchView,
});

export const switchDevice = endpoint({
  method: 'POST',
  path: '/branches/{id}/switch',
  summary:
    'Put the device that was prepared in the place of the one at work, for good; what became of that one is said where it is replaced',
  guard: 'manage_devices',
  secondFactor: true,
  input: z.strictObject({ reason: characters(z.string().trim().min(3), 500).optional() }),
  output: branchView,
});

export const pauseLane = endpoint({
  method: 'POST',
  path: '/branches/{id}/pause',
  summary: 'Stop sending to the device of a branch; documents keep their places',
  guard: 'manage_devices',
  output: branchView,
});

export const resumeLane = endpoint({
  method: 'POST',
  path: '/branches/{id}/resume',
  summary: 'Send again; after a collision with the last number and the evidence for it',
  guard: 'manage_devices',
  secondFactor: true,
  input: z.strictObject({
    last_invoice_number: lastNumber.optional(),
    evidence: characters(z.string().trim().min(3), 500).optional(),
  }),
  output: branchView,
});
