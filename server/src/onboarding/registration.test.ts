import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Dialects } from '../ports/dialect/index.ts';
import { registrationUnder } from './registration.ts';

const identity = { key: 'zz-box', country: 'ZZ', checkTaxpayerId: (id: string) => id === 'Z1' };
const dialects = {
  in: (country: string) => (country === 'ZZ' ? { identity } : null),
  all: () => [{ identity }],
} as unknown as Dialects;

const given = JSON.parse(
  readFileSync(new URL('../../business.example.json', import.meta.url), 'utf8'),
);
const file = (more: object, dialect: string) => ({
  ...given,
  business: { ...given.business, ...more },
  branches: given.branches.map((branch: { device: object }) => ({
    ...branch,
    device: { ...branch.device, dialect },
  })),
});
const faults = (described: object) =>
  registrationUnder(dialects)
    .safeParse(described)
    .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`) ?? [];

test('a file is measured by the authority of its own country', () => {
  expect(faults(file({ country: 'ZZ', tin_number: 'Z1' }, 'zz-box'))).toEqual([]);
  expect(faults(file({ country: 'ZZ', tin_number: '123456789' }, 'zz-other'))).toEqual([
    'business.tin_number is no taxpayer id of ZZ',
    'branches.0.device.dialect is none of zz-box',
  ]);
  expect(faults(file({ country: 'YY', tin_number: 'Z1' }, 'zz-box'))).toEqual([
    'business.country is not served',
  ]);
});
