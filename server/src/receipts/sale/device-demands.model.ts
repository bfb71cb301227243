import type { ProblemCode } from '@muhuri/shared/problems';
import type { Demand, SigningInput, SigningTerms } from './signing-input.model.ts';

/*
 * How strictly devices check is written down nowhere. What goes to them follows the authority's papers; where a device refuses a document for one of
 * these, nothing was signed, and it is sent once more in the way that device wants, as is everything after it.
 */
const byRefusal: Partial<Record<ProblemCode, Demand>> = {
  refused_supply: 'exact_supply',
  refused_refund_quantity: 'refund_quantities',
};

/**
 * What a refusal shows that the device wants, of a document that was not filed so; null: it says
 * nothing new.
 */
export function demandIn(code: ProblemCode, { sale, terms }: SigningInput): Demand | null {
  const demand = byRefusal[code];
  // A reversal is exactly what was signed, and is never made anew: it would be refused, and sent
  // again, without end.
  if (!demand || terms.reverses || terms.demands?.includes(demand)) return null;
  return demand === 'refund_quantities' && sale.kind !== 'refund' ? null : demand;
}

/** As it stands in the terms of a sale: nothing where the device has shown nothing. */
export const demandsOf = (device: { demands: string[] }): Pick<SigningTerms, 'demands'> =>
  device.demands.length > 0 ? { demands: device.demands as Demand[] } : {};
