import { expect, test } from 'vitest';
import { demandIn, demandsOf } from './device-demands.model.ts';
import type { SigningInput } from './signing-input.model.ts';

const filed = (kind: 'sale' | 'refund', terms: object = {}) =>
  ({ sale: { kind }, terms }) as unknown as SigningInput;

test('a refusal shows what a device wants once; what was filed so already, or can only be sent as it was signed, shows nothing', () => {
  expect(demandIn('refused_supply', filed('sale'))).toBe('exact_supply');
  expect(demandIn('refused_supply', filed('sale', { demands: ['exact_supply'] }))).toBeNull();
  expect(demandIn('refused_refund_quantity', filed('refund'))).toBe('refund_quantities');
  expect(demandIn('refused_refund_quantity', filed('sale'))).toBeNull();
  const reverses = { reverses: { receiptId: 'rcp_1', invoiceNumber: '41' } };
  for (const code of ['refused_supply', 'refused_refund_quantity'] as const)
    expect(demandIn(code, filed('refund', reverses))).toBeNull();
});

test('a device that has shown nothing leaves a filing as it is', () => {
  expect(demandsOf({ demands: [] })).toEqual({});
  expect(demandsOf({ demands: ['exact_supply'] })).toEqual({ demands: ['exact_supply'] });
});
