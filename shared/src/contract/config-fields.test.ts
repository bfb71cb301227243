import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { configFields, updateConfig } from './businesses.contract.ts';

type Schema = { properties?: Record<string, Schema> };

/** Settings and branding are changed field by field; anything else as a whole. */
const groups = ['settings', 'branding'];
const fieldsOf = (schema: Schema): string[] =>
  Object.entries(schema.properties ?? {})
    .filter(([name]) => name !== 'version')
    .flatMap(([name, inner]) =>
      groups.includes(name)
        ? Object.keys(inner.properties ?? {}).map((each) => `${name}.${each}`)
        : [name],
    );

describe('every field of the configuration', () => {
  const fields = fieldsOf(
    z.toJSONSchema(updateConfig.input, { io: 'input', unrepresentable: 'any' }) as Schema,
  );

  test('is a matter of looks or asks for the second factor, and is said to be which', () => {
    expect(fields.length).toBeGreaterThan(20);
    expect(fields.filter((each) => !configFields[each])).toEqual([]);
  });

  test('is there still where it is listed', () => {
    expect(Object.keys(configFields).filter((each) => !fields.includes(each))).toEqual([]);
  });
});
