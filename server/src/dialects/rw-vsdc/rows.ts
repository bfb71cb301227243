import { z } from 'zod';
import { saidOf } from '../../dialect-kit/envelope.ts';
import type { DeviceAnswer } from '../../ports/dialect/index.ts';

export const text = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value).trim()));

/**
 * Rows as they can be read: one that cannot be is left out, and takes none of its neighbours along.
 */
export const rowsOf = <T extends z.ZodType>(row: T) =>
  z.array(z.unknown()).transform((rows) =>
    rows.flatMap((each): z.output<T>[] => {
      const read = row.safeParse(each);
      return read.success ? [read.data] : [];
    }),
  );

/** What something said that is no answer of a device. */
export const failed = (answer: DeviceAnswer) => ({ is: 'failed' as const, ...saidOf(answer) });
