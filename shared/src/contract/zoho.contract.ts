import { z } from 'zod';
import { characters } from './characters.ts';
import { time } from './dates.ts';
import { endpoint } from './endpoint.ts';
import { documentId, problemView } from './receipts.contract.ts';

const documentModule = z.enum(['invoices', 'creditnotes']);
const verdict = z.enum([
  'accepted',
  'hint',
  'repeated',
  'stale',
  'foreign',
  'forged',
  'malformed',
  'ping',
]);

const hookView = z
  .object({
    id: z.string(),
    module: documentModule,
    /** The first letters of its key: enough to tell two apart, never enough to use one. */
    prefix: z.string(),
    is_signed: z.boolean(),
    created_at: time,
    ends_at: time.nullable(),
    last_delivery_at: time.nullable(),
  })
  .meta({ id: 'Webhook' });
const newHook = z.object({ webhook: hookView, url: z.string(), secret: z.string() });

export const listHooks = endpoint({
  method: 'GET',
  path: '/webhooks',
  summary: 'The addresses Zoho sends to',
  guard: 'manage_business',
  output: z.object({ webhooks: z.array(hookView), next_cursor: z.null() }),
});

export const makeHook = endpoint({
  method: 'POST',
  path: '/webhooks',
  summary: 'A new address for one kind of document; address and secret are answered this once',
  guard: 'manage_business',
  secondFactor: true,
  answersSecret: true,
  input: z.strictObject({ module: documentModule }),
  output: newHook,
});

export const rotateHook = endpoint({
  method: 'POST',
  path: '/webhooks/{id}/rotate',
  summary: 'A new address and secret; the old ones hold seven more days',
  guard: 'manage_business',
  secondFactor: true,
  answersSecret: true,
  output: newHook,
});

export const removeHook = endpoint({
  method: 'POST',
  path: '/webhooks/{id}/remove',
  summary: 'End an address at once',
  guard: 'manage_business',
  secondFactor: true,
  output: z.object({ removed: z.literal(true) }),
});

export const listDeliveries = endpoint({
  method: 'GET',
  path: '/webhooks/deliveries',
  summary: 'What came to those addresses, newest first, and whether it was believed',
  guard: 'manage_business',
  heavy: true,
  query: z.strictObject({
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.string().max(200).optional(),
    verdict: verdict.optional(),
  }),
  output: z.object({
    deliveries: z.array(
      z.object({
        id: z.string(),
        webhook_id: z.string(),
        at: time,
        verdict,
        module: documentModule,
        document_id: z.string().nullable(),
        modified_at: time.nullable(),
        digest: z.string(),
        bytes: z.number(),
        origin: z.string().nullable(),
      }),
    ),
    next_cursor: z.string().nullable(),
  }),
});

export const receive = endpoint({
  method: 'POST',
  path: '/webhooks/zoho/{key}',
  summary:
    'Where Zoho’s workflow webhooks arrive: proven by key, organization and signature, answered at once, worked on later',
  guard: 'anyone',
  raw: true,
  output: z.object({ received: verdict }),
});

const planView = z.object({
  parts: z.array(
    z.object({
      kind: z.enum(['field', 'webhook', 'workflow']),
      name: z.string(),
      entity: z.enum(['invoice', 'creditnote']),
      is_there: z.boolean(),
    }),
  ),
});

export const installPlan = endpoint({
  method: 'GET',
  path: '/zoho/installation',
  summary: 'What would be made in Zoho for a private installation, and what is there already',
  guard: 'manage_business',
  output: planView,
});

export const install = endpoint({
  method: 'POST',
  path: '/zoho/installation',
  summary: 'Make those fields, webhooks and rules in Zoho, once, and begin to write seals back',
  guard: 'manage_business',
  secondFactor: true,
  output: planView,
});

export const uninstall = endpoint({
  method: 'POST',
  path: '/zoho/installation/remove',
  summary: 'Take webhooks and rules away again; the fields stay, because seals stand in them',
  guard: 'manage_business',
  secondFactor: true,
  output: planView,
});

export const zohoHealth = endpoint({
  method: 'GET',
  path: '/zoho/health',
  summary:
    'The connection with Zoho: quota, errors and latency of the last day, the last look for changes, what waits',
  guard: 'read',
  output: z.object({
    organization_id: z.string().nullable(),
    status: z.enum(['none', 'active', 'needs_reconnecting']),
    calls_today: z.number(),
    failed_today: z.number(),
    median_ms: z.number().nullable(),
    p99_ms: z.number().nullable(),
    last_success_at: time.nullable(),
    quota: z
      .object({ limit: z.number(), left: z.number(), reset_at: time, seen_at: time })
      .nullable(),
    polled: z.record(
      z.string(),
      z.object({ at: time.nullable(), problem: problemView.nullable() }),
    ),
    waiting_documents: z.number(),
    waiting_writes: z.number(),
    failed_writes: z.number(),
    /**
     * What runs by itself for this business and fails just now, each with its reason; it goes from
     * here as soon as it works again.
     */
    failing: z.array(
      z.object({
        job: z.string(),
        since: time,
        last_at: time,
        failures: z.number(),
        problem: problemView,
      }),
    ),
  }),
});

export const pollNow = endpoint({
  method: 'POST',
  path: '/zoho/poll',
  summary: 'Look for changed documents now instead of in some minutes',
  guard: 'sync',
  output: z.object({
    changed: z.number(),
    /**
     * What came of each kind of document. `looked` with a problem: all but what the problem names
     * came in; `failed`: it is tried again by itself; `not_connected`: nothing was asked.
     */
    modules: z.array(
      z.object({
        module: documentModule,
        outcome: z.enum(['looked', 'failed', 'not_connected', 'not_due']),
        changed: z.number(),
        problem: problemView.nullable(),
      }),
    ),
  }),
});

const stepView = z.object({
  step: z.enum(['custom_fields', 'attachment', 'comment', 'mail']),
  state: z.enum(['waiting', 'begun', 'done', 'skipped', 'failed']),
  tries: z.number(),
  problem: problemView.nullable(),
  done_at: time.nullable(),
});
const stepsView = z.object({ steps: z.array(stepView) });

export const writeBack = endpoint({
  method: 'GET',
  path: '/receipts/{id}/write-back',
  summary: 'What was written of a receipt to its document in Zoho',
  guard: 'read',
  output: stepsView,
});

export const retryWriteBack = endpoint({
  method: 'POST',
  path: '/receipts/{id}/write-back',
  summary: 'Write it again where it failed, or for the first time',
  guard: 'seal',
  output: stepsView,
});

export const mailReceipt = endpoint({
  method: 'POST',
  path: '/receipts/{id}/mail',
  summary: 'Have Zoho mail a sealed invoice with its receipt attached; once',
  guard: 'seal',
  output: stepsView,
});

const standing = z.enum([
  'to_seal',
  'waiting',
  'in_doubt',
  'signed_twice',
  'refused',
  'drifted',
  'sealed',
  'exempt',
  'not_due',
  'before_production',
  'sealed_elsewhere',
  'rehearsed',
]);
const month = z.string().regex(/^20\d\d-(?:0[1-9]|1[0-2])$/, 'must be a month such as 2026-11');
const listFilter = {
  month: month.optional(),
  /** Several, separated by commas; left out: everything that is not settled. */
  standing: z
    .string()
    .max(160)
    .transform((text) => text.split(','))
    .pipe(z.array(standing))
    .optional(),
  /** Documents that were sealed by this branch, or whose place in Zoho is mapped to it. */
  branch_id: z.string().max(60).optional(),
  /** Only these, separated by commas. */
  document_ids: z
    .string()
    .regex(/^\d{1,25}(?:,\d{1,25}){0,199}$/, 'must be up to 200 ids of Zoho, separated by commas')
    .transform((text) => text.split(','))
    .optional(),
  search: characters(z.string().trim(), 100).optional(),
};

export const listDocuments = endpoint({
  method: 'GET',
  path: '/documents',
  summary:
    'Documents of Zoho since go-live and where they stand: unless asked otherwise what is not sealed, refused, in doubt or changed since',
  guard: 'read',
  heavy: true,
  query: z.strictObject({
    ...listFilter,
    limit: z.coerce.number().int().min(1).max(200).default(50),
    cursor: z.string().max(200).optional(),
  }),
  output: z.object({
    documents: z.array(
      z.object({
        module: documentModule,
        document_id: z.string(),
        document_number: z.string(),
        document_date: z.string(),
        status: z.string(),
        customer_name: z.string(),
        currency: z.string(),
        total: z.string(),
        location_id: z.string().nullable(),
        standing,
        problem: problemView.nullable(),
        who: z.enum(['person', 'admin', 'wait', 'nobody']),
        receipt_id: z.string().nullable(),
        receipt_label: z.string().nullable(),
        /** Who has said that another system sealed it, and why. */
        sealed_elsewhere: z.object({ reason: z.string(), by: z.string(), at: time }).nullable(),
        /**
         * Whether somebody may say so: it is from before its branch sealed for real, and nothing of
         * it is under way here.
         */
        may_be_elsewhere: z.boolean(),
      }),
    ),
    /** When Zoho was last looked through; null: not yet, so that an empty list says nothing. */
    looked_at: time.nullable(),
    next_cursor: z.string().nullable(),
  }),
});

export const exportDocuments = endpoint({
  method: 'GET',
  path: '/documents.csv',
  summary: 'The same list as a table',
  guard: 'read',
  heavy: true,
  query: z.strictObject(listFilter),
  output: z.any(),
  produces: 'text/csv',
});

export const closeMonth = endpoint({
  method: 'GET',
  path: '/documents/month',
  summary: 'A month: Zoho’s totals by where the documents stand, and whether anything is missing',
  guard: 'read',
  heavy: true,
  query: z.strictObject({ month }),
  output: z.object({
    from: z.string(),
    to: z.string(),
    /** Documents that could not be read again since something changed. */
    unsure: z.number(),
    sums: z.array(
      z.object({
        module: z.string(),
        currency: z.string(),
        standing,
        count: z.number(),
        total: z.string(),
      }),
    ),
    missing: z.number(),
    drifted: z.number(),
    /**
     * Documents of before production that another system has sealed, as people have said; neither
     * missing nor among what was sealed here.
     */
    sealed_elsewhere: z.number(),
    /** Documents that the device signed late, after they were settled or sent anew. */
    signed_twice: z.number(),
    looked_at: time.nullable(),
    complete: z.boolean(),
  }),
});

const documents = z
  .array(z.strictObject({ module: documentModule, document_id: documentId }))
  .min(1)
  .max(200);

export const markElsewhere = endpoint({
  method: 'POST',
  path: '/documents/sealed-elsewhere',
  summary:
    'Say of documents from before production that another system sealed them; all of them or none',
  guard: 'settle',
  secondFactor: true,
  input: z.strictObject({ documents, reason: characters(z.string().trim().min(3), 300) }),
  output: z.object({ marked: z.number() }),
});

export const takeBackElsewhere = endpoint({
  method: 'POST',
  path: '/documents/sealed-elsewhere/taken-back',
  summary: 'Take that back: the documents stand as before production again',
  guard: 'settle',
  secondFactor: true,
  input: z.strictObject({ documents }),
  output: z.object({ taken_back: z.number() }),
});
