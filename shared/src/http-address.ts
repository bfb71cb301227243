import { z } from 'zod';

/**
 * An address somebody gives for us to call. Credentials in it would be stored, shown and logged in
 * clear, and no call carries them; what stands behind a `#` is never sent.
 */
export const httpAddress = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .regex(
      /^https?:\/\/[^/\\?#@\s]+(?:[/?][^#\s]*)?$/i,
      'must be an http or https address without credentials',
    )
    .pipe(z.url({ protocol: /^https?$/ }));
