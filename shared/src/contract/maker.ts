import { z } from 'zod';

/**
 * Whoever made something, as the business sees them now; `unknown` where it was nobody who ever
 * worked there.
 */
export const maker = z.object({
  id: z.string(),
  name: z.string().nullable(),
  standing: z.enum(['admin', 'user', 'blocked', 'ended', 'unknown']),
});
