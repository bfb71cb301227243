import { z } from 'zod';
import { characters } from './characters.ts';
import { endpoint } from './endpoint.ts';

const zohoId = z.string().min(1).max(60);
const code = characters(z.string().trim().min(1), 20);

export const itemMapping = z.strictObject({
  item_class: code,
  item_type: z.enum(['1', '2', '3']),
  package_unit: code,
  quantity_unit: code,
  origin: z.string().regex(/^[A-Z]{2}$/),
  /** Only where the line has no tax of its own to follow (free lines of an adjustment). */
  tax_class: code.optional(),
  name: characters(z.string().trim().min(1), 200).optional(),
});

/**
 * One kind of mapping: from what Zoho calls it to what the authority calls it. `tax`: Zoho tax or
 * tax-group id → tax class. `item`: Zoho item id → item; the key `default` holds for items without
 * their own, `free_text` for lines without an item. `charge`: `shipping` and `adjustment`.
 * `location`: Zoho location id → branch id, the key `none` for documents without a location.
 * `payment_mode`: Zoho's payment mode → payment method.
 */
export const mappingKinds = {
  tax: z.strictObject({ tax_class: code }),
  item: itemMapping,
  charge: itemMapping,
  location: z.strictObject({ branch_id: z.string().min(1).max(60) }),
  payment_mode: z.strictObject({ payment_method: code }),
} as const;
export type MappingKind = keyof typeof mappingKinds;

const entry = z.object({ key: zohoId, value: z.record(z.string(), z.unknown()) });
const choices = z.record(z.string(), z.array(z.object({ code: z.string(), name: z.string() })));

export const getMappings = endpoint({
  method: 'GET',
  path: '/mappings/{kind}',
  summary: 'The mappings of one kind, with the codes they may choose from',
  guard: 'manage_business',
  heavy: true,
  output: z.object({ mappings: z.array(entry), choices, next_cursor: z.string().nullable() }),
});

export const listMappingNames = endpoint({
  method: 'GET',
  path: '/mappings/{kind}/names',
  summary: 'What Zoho calls the taxes, items or locations that a mapping may be about',
  guard: 'manage_business',
  output: z.object({
    names: z.array(z.object({ key: z.string(), name: z.string() })),
    next_cursor: z.null(),
  }),
});

export const putMappings = endpoint({
  method: 'PUT',
  path: '/mappings/{kind}',
  summary: 'Set mappings of one kind; keys not named stay as they are',
  guard: 'manage_business',
  // How something is taxed follows from it, and what is sealed by itself is shown to nobody before.
  secondFactor: true,
  heavy: true,
  input: z.strictObject({
    mappings: z
      .array(z.strictObject({ key: zohoId, value: z.record(z.string(), z.unknown()) }))
      .min(1)
      .max(500),
  }),
  output: z.object({ mappings: z.array(entry), choices, next_cursor: z.string().nullable() }),
});

export const findTaxpayer = endpoint({
  method: 'GET',
  path: '/taxpayers/{tin}',
  summary: "The name the authority knows a taxpayer by, asked through the business's device",
  guard: 'read',
  output: z.object({ tin_number: z.string(), name: z.string().nullable() }),
});
