import { expect, test } from 'vitest';
import { AppError } from '../app-error.ts';
import { openTokenGate } from './token-gate.ts';

/**
 * A door behind which these tokens are real, for callers who have sent too many made-up ones by
 * now.
 */
function door(real: Set<string>) {
  let isTurnedAway = false;
  const looked: string[] = [];
  const { read } = openTokenGate<string>({
    look: async (token) => {
      looked.push(token);
      if (!real.has(token)) throw new AppError('not_signed_in');
      return token;
    },
    refusal: 'not_signed_in',
    limits: {
      refusedToken: async () => {},
      turnedAwaySeconds: async () => (isTurnedAway ? 30 : 0),
    },
  });
  return {
    read: (token: string) => read(token, '192.0.2.1'),
    looked,
    turnAway: () => (isTurnedAway = true),
  };
}

test('a token that was real a moment ago passes among many made-up ones; one that has ended since is as good as made up', async () => {
  const real = new Set(['alice', 'bob']);
  const { read, looked, turnAway } = door(real);
  for (const token of real) expect(await read(token)).toBe(token);
  turnAway();
  expect(await read('alice')).toBe('alice');
  real.delete('bob');
  await expect(read('bob')).rejects.toMatchObject({ code: 'not_signed_in' });
  looked.length = 0;
  await expect(read('bob')).rejects.toMatchObject({ code: 'rate_limited' });
  await expect(read('carol')).rejects.toMatchObject({ code: 'rate_limited' });
  expect(looked).toEqual([]);
});

test('a made-up token is not looked for again within a second', async () => {
  const { read, looked } = door(new Set());
  for (let n = 0; n < 3; n++)
    await expect(read('dora')).rejects.toMatchObject({ code: 'not_signed_in' });
  expect(looked).toEqual(['dora']);
});
