import { expect, it } from 'vitest';
import { wrongWith } from './subject.ts';

it('takes a subject that names its area and says what the commit does', () => {
  for (const good of [
    'receipts: number anew what a late signature holds the number of',
    'dialect rw-vsdc: say for how long a device signs by itself',
    'zoho-sign-in: a file for each step of a pairing',
    'docs: nothing is embedded',
  ])
    expect(wrongWith(good), good).toBeNull();
});

it('refuses one that is long, without an area, past or ended like a sentence', () => {
  expect(wrongWith(`tests: ${'a'.repeat(70)}`)).toContain('77 characters');
  expect(wrongWith('Fix things')).toContain('area: imperative');
  expect(wrongWith('tests: added more')).toContain('`add`, not `added`');
  expect(wrongWith('tests: add more.')).toContain('title');
});
