import { type Amount, compare } from '@muhuri/shared/money';
import type { Sale } from '../../model/sale.model.ts';
import type { Charges } from './charges.model.ts';
import {
  type Classified,
  classifyAdjustment,
  classifyLine,
  classifyRefund,
  classifyShipping,
  percentOfRefundedShipping,
  soldIn,
  sourceOf,
} from './classify.model.ts';
import type { Draft } from './sale-draft.model.ts';

/** What each line and charge of a document is to the authority; null: not known, with a finding. */
export type ClassifiedDocument = {
  lines: (Classified | null)[];
  shipping: Classified | null;
  adjustment: Classified | null;
};

/** Classifies the lines and charges of a document; those of a refund as its sale was. */
export function classifyDocument(draft: Draft, charges: Charges): ClassifiedDocument {
  const { document, setup, findings } = draft;
  return {
    lines: classifyLines(draft),
    shipping: classifyCharge(draft, {
      source: 'charge:shipping',
      field: 'shipping',
      amount: charges.shipping,
      percent: (sale) => percentOfRefundedShipping(document, sale, setup),
      usual: () => classifyShipping(document, setup, findings),
    }),
    adjustment: classifyCharge(draft, {
      source: 'charge:adjustment',
      field: 'adjustment',
      amount: charges.adjustment,
      percent: () => null,
      usual: () => classifyAdjustment(setup, findings),
    }),
  };
}

function classifyLines({ lines, shape, setup, refunded, findings }: Draft): (Classified | null)[] {
  const sold = refunded && soldIn(refunded);
  return lines.map(({ line, index }) => {
    if (shape.odd.has(index)) return null;
    if (!sold) return classifyLine(line, index, setup, findings);
    const asked = {
      source: sourceOf(line),
      field: `line_items[${index}]`,
      name: line.name,
      percent: line.tax?.percent ?? '0',
    };
    return classifyRefund(asked, sold, setup, findings);
  });
}

type Charge = {
  source: string;
  field: string;
  amount: Amount;
  /** The percentage of tax that a refund of the charge is of. */
  percent(sale: Sale): string | null;
  usual(): Classified | null;
};

function classifyCharge(
  { shape, setup, refunded, findings }: Draft,
  { source, field, amount, percent, usual }: Charge,
): Classified | null {
  if (compare(amount, '0') <= 0 || (source === 'charge:shipping' && shape.isShippingOdd))
    return null;
  if (!refunded) return usual();
  const name = setup.charges[field]?.name ?? field;
  const asked = { source, field, name, percent: percent(refunded) };
  return classifyRefund(asked, soldIn(refunded), setup, findings);
}
