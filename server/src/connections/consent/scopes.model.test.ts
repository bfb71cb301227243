import { expect, test } from 'vitest';
import { scopesFor } from './scopes.model.ts';

const read = [
  'ZohoBooks.invoices.READ',
  'ZohoBooks.creditnotes.READ',
  'ZohoBooks.contacts.READ',
  'ZohoBooks.settings.READ',
];

test('Reading is always asked for', () => {
  expect(scopesFor([], '')).toEqual(read);
});

test('An ability asks for no more than it needs, each scope once', () => {
  const install = ['ZohoBooks.settings.CREATE', 'ZohoBooks.settings.DELETE'];
  expect(scopesFor(['read', 'install'], '')).toEqual([...read, ...install]);
});

test('What was allowed before stays allowed', () => {
  const held = 'ZohoBooks.settings.READ ZohoBooks.bills.READ';
  expect(scopesFor([], held)).toEqual([...read, 'ZohoBooks.bills.READ']);
});

test('A scope that is not of the books is not asked for again', () => {
  expect(scopesFor([], 'ZohoCRM.modules.ALL ZohoBooks.fullaccess.all')).toEqual(read);
});
