import { expect, test } from 'vitest';
import { passesByItself } from './passes-by-itself.ts';

const failed = (...codes: string[]) =>
  codes.reduceRight<Error | undefined>(
    (cause, code) => Object.assign(new Error(code, { cause }), { code }),
    undefined,
  );

test.each(['08006', '25006', '40P01', '53100', '57P01', 'XX000'])(
  'trouble with the database passes: %s',
  (code) => {
    expect(passesByItself(failed(code))).toBe(true);
    expect(passesByItself(failed('driver', code))).toBe(true);
  },
);

test.each(['22003', '23505', '25P02', 'XX001', 'XX002'])(
  'what it was given, and what is damaged in it, fails at every try: %s',
  (code) => {
    expect(passesByItself(failed(code))).toBe(false);
    expect(passesByItself(failed('driver', code))).toBe(false);
  },
);

test('a plan made before a column was added passes; another thing that PostgreSQL cannot do stays so', () => {
  expect(
    passesByItself(
      Object.assign(new Error('cached plan must not change result type'), {
        code: '0A000',
        routine: 'RevalidateCachedQuery',
      }),
    ),
  ).toBe(true);
  expect(passesByItself(failed('0A000'))).toBe(false);
});
