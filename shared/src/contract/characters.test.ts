import { expect, test } from 'vitest';
import { z } from 'zod';
import { characters } from './characters.ts';

test('a text is as long as people count it, and the description says so', () => {
  const name = characters(z.string().trim().min(1), 100);
  expect(name.safeParse('😀'.repeat(100)).success).toBe(true);
  expect(name.safeParse('😀'.repeat(101)).success).toBe(false);
  expect(name.safeParse('x'.repeat(101)).success).toBe(false);
  expect(name.safeParse(' ').success).toBe(false);
  expect(name.parse(' a ')).toBe('a');
  expect(z.toJSONSchema(z.strictObject({ name: name.optional() }), { io: 'input' })).toMatchObject({
    properties: { name: { type: 'string', maxLength: 100 } },
  });
});
