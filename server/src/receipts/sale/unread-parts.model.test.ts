import { expect, test } from 'vitest';
import type { StoredProblem } from '@muhuri/shared/problems';
import { document } from './make-sale.samples.ts';
import { findUnreadPart, sayUnread } from './unread-parts.model.ts';

const mobile: StoredProblem = { code: 'buyer_mobile_missing' };
const method: StoredProblem = { code: 'payment_method_missing' };
const unread = document({ unread: ['contact', 'payments'] });

test('what the books failed to give keeps a document back only where somebody is asked for it', () => {
  expect(findUnreadPart(unread, [])).toBeNull();
  expect(findUnreadPart(unread, [{ code: 'document_void' }])).toBeNull();
  expect(findUnreadPart(unread, [method])).toBe('payments');
  expect(findUnreadPart(unread, [method, mobile])).toBe('contact');
  expect(findUnreadPart(document(), [method, mobile])).toBeNull();
});

test('whoever is asked is told that the books may have it', () => {
  expect(sayUnread(unread, [method, { code: 'document_void' }])).toEqual([
    { ...method, unread: true },
    { code: 'document_void' },
  ]);
  expect(sayUnread(document(), [method])).toEqual([method]);
});
