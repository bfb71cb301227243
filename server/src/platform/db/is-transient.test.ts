import { expect, test } from 'vitest';
import { isTransient } from './is-transient.ts';

const failed = (...codes: string[]) =>
  codes.reduceRight<Error | undefined>(
    (cause, code) => Object.assign(new Error(code, { cause }), { code }),
    undefined,
  );

test.each(['08006', '25006', '40P01', '53100', '57P01', 'XX000'])(
  'trouble with the database passes: %s',
  (code) => {
    expect(isTransient(failed(code))).toBe(true);
    expect(isTransient(failed('driver', code))).toBe(true);
  },
);

test.each(['22003', '23505', '25P02', 'XX001', 'XX002'])(
  'what it was given, and what is damaged in it, fails at every try: %s',
  (code) => {
    expect(isTransient(failed(code))).toBe(false);
    expect(isTransient(failed('driver', code))).toBe(false);
  },
);

test('a plan made before a column was added passes; another thing that PostgreSQL cannot do stays so', () => {
  expect(
    isTransient(
      Object.assign(new Error('cached plan must not change result type'), {
        code: '0A000',
        routine: 'RevalidateCachedQuery',
      }),
    ),
  ).toBe(true);
  expect(isTransient(failed('0A000'))).toBe(false);
});
