import { z } from 'zod';
import { lengthOf } from '../text.ts';

/**
 * A text of at most so many characters as people count them, and as JSON Schema's `maxLength` does:
 * an emoji is one. The language counts two, and would refuse a name of sixty of them where a
 * hundred characters are allowed.
 */
export const characters = (text: z.ZodString, max: number): z.ZodString =>
  text
    .refine((given) => lengthOf(given) <= max, `must have at most ${max} characters`)
    .meta({ maxLength: max });
