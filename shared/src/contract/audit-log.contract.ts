import { z } from 'zod';
import { characters } from './characters.ts';
import { day, time } from './dates.ts';
import { endpoint } from './endpoint.ts';

const filters = {
  action: characters(z.string().trim(), 60).optional(),
  actor: characters(z.string().trim(), 60).optional(),
  subject: characters(z.string().trim(), 60).optional(),
  from: day.optional(),
  to: day.optional(),
};
const limit = z.coerce.number().int().min(1).max(200).default(50);

const entry = z
  .object({
    id: z.string(),
    at: time,
    actor_type: z.string(),
    actor: z.string(),
    /** What the actor is called, where it is a person. */
    actor_name: z.string().nullable(),
    action: z.string(),
    subject: z.string(),
    before: z.unknown(),
    after: z.unknown(),
    origin: z.string().nullable(),
    request_id: z.string().nullable(),
    position: z.string().nullable(),
  })
  .meta({ id: 'TrailEntry' });

export const listTrail = endpoint({
  method: 'GET',
  path: '/trail',
  summary: 'What was done in the business, by whom and from where; newest first',
  guard: 'read_trail',
  heavy: true,
  query: z.strictObject({ limit, cursor: z.string().max(200).optional(), ...filters }),
  output: z.object({ trail: z.array(entry), next_cursor: z.string().nullable() }),
});

export const exportTrail = endpoint({
  method: 'GET',
  path: '/trail.csv',
  summary: 'The same as CSV, at most fifty thousand entries',
  guard: 'read_trail',
  heavy: true,
  query: z.strictObject(filters),
  output: z.string(),
  produces: 'text/csv',
});

export const verifyTrail = endpoint({
  method: 'GET',
  path: '/trail/verify',
  summary:
    'Recomputes the chain of the trail from where it was last found whole, or all of it: where it breaks, if it does, and what is not sealed yet',
  guard: 'read_trail',
  heavy: true,
  query: z.strictObject({ whole: z.enum(['true', 'false']).default('false') }),
  output: z.object({
    /** How many entries there are, up to the break where there is one. */
    sealed: z.number(),
    unsealed: z.array(z.string()),
    broken_at: z.string().nullable(),
    head: z.string().nullable(),
    /** The first place that was recomputed now; those before it were found whole earlier. */
    checked_from: z.string(),
  }),
});

export const businessTrail = endpoint({
  method: 'GET',
  path: '/businesses/{id}/trail',
  summary:
    'What was done in a business: who, what and when; what was changed to what only during a support access',
  guard: 'operate',
  heavy: true,
  query: z.strictObject({ limit, cursor: z.string().max(200).optional(), ...filters }),
  output: z.object({ trail: z.array(entry), next_cursor: z.string().nullable() }),
});

export const platformTrail = endpoint({
  method: 'GET',
  path: '/platform/trail',
  summary: 'What operators did on the platform, newest first',
  guard: 'operate',
  heavy: true,
  query: z.strictObject({ limit, cursor: z.string().max(200).optional(), ...filters }),
  output: z.object({ trail: z.array(entry), next_cursor: z.string().nullable() }),
});
