import { add, compare, round } from '@muhuri/shared/money';
import type { StoredProblem } from '@muhuri/shared/problems';
import type { BooksDocument } from '../../model/books-document.model.ts';
import type { Answers, Setup } from './sale-setup.model.ts';
import type { Sale, SaleLine } from '../../model/sale.model.ts';
import { buyerOf, foreignOf, paymentMethodOf } from './buyer-and-payment.model.ts';
import { checkShape, checkUnpriced, checkVat, isNothing } from './check-document.model.ts';
import { checkState } from './check-eligibility.model.ts';
import type { Draft } from './sale-draft.model.ts';
import { price } from './price-lines.model.ts';

/** A document as far as it can be made a sale. */
export type Made = {
  sale: Sale | null;
  /** The same as soon as its money is known, whatever else is still missing. */
  priced: Sale | null;
  findings: StoredProblem[];
};

/**
 * Turns a document into a sale, or says in findings what stands in the way. What the buyer pays for
 * a line in the books is the truth (the VSDC's prices are tax-inclusive, and grossing a unit price
 * up misses the books' line by more than a cent on many lines): so money comes from each line's
 * net, its tax and its share of the entity discount, and the sale's total equals the document's.
 *
 * A finding about the document's shape ends its pricing: what arithmetic would say of such a
 * document is not true. A refund is priced as its sale was, so it is not priced at all before its
 * sale is known. `isSameBuyer`: whether it is of its sale's buyer, who may be another contact by
 * now.
 */
export function makeSale(
  document: BooksDocument,
  setup: Setup,
  answers: Answers,
  refunded: Sale | null,
  isSameBuyer = document.customer.id === refunded?.customerId,
): Made {
  const isRefund = document.module === 'creditnotes';
  const lines = document.lines
    .map((line, index) => ({ line, index }))
    .filter(({ line }) => !isNothing(line));
  const findings = [
    ...checkState(document, setup, answers),
    ...checkSeller(document, setup, refunded),
  ];
  const shape = checkShape(document, lines, setup, refunded);
  findings.push(...shape.findings);
  const draft = { document, lines, shape, setup, answers, refunded, findings };
  const isSaleKnown = !isRefund || refunded !== null;
  const priced = isSaleKnown && !shape.isUnpriced ? price(draft) : null;
  if (refunded && !priced) findings.push(...checkUnpriced(lines, shape, refunded, isSameBuyer));
  const buyer = buyerOf(document, setup, answers, refunded);
  const paymentMethod = isSaleKnown ? checkBuyerAndPayment(draft, buyer) : null;
  if (isRefund) findings.push(...checkReason(answers, setup));
  const sale = priced && assemble(draft, priced, buyer, paymentMethod ?? '');
  const isWhole = findings.length === 0 && isSaleKnown && paymentMethod !== null;
  return { sale: isWhole ? sale : null, priced: sale, findings: unique(findings) };
}

/** Puts a priced document together; adds a finding if it comes to nothing. */
function assemble(
  { document, setup, answers, refunded, findings }: Draft,
  lines: SaleLine[],
  buyer: Sale['buyer'],
  paymentMethod: string,
): Sale {
  const isRefund = document.module === 'creditnotes';
  const total = add('0', ...lines.map((line) => line.total));
  if (compare(total, '0') <= 0) findings.push({ code: 'document_zero', field: 'total' });
  return {
    kind: isRefund ? 'refund' : 'sale',
    documentNumber: document.number,
    documentDate: document.date,
    customerId: document.customer.id,
    locationId: document.locationId,
    buyer,
    paymentMethod,
    reasonCode: isRefund ? (answers.reason_code ?? null) : null,
    currency: setup.currency,
    foreign: foreignOf(document, setup, refunded),
    lines,
    total: round(total, 2),
    ...(document.takenOff ? { takenOff: document.takenOff } : {}),
  };
}

/** Says what the seller may not charge; of a refund, if it stands before its sale. */
function checkSeller(
  document: BooksDocument,
  setup: Setup,
  refunded: Sale | null,
): StoredProblem[] {
  if (!refunded) return checkVat(document, setup);
  // Credits can be applied to an invoice that came after them: then it is not what they refund.
  return document.date < refunded.documentDate
    ? [
        {
          code: 'refund_before_sale',
          field: 'date',
          date: document.date,
          sale_date: refunded.documentDate,
        },
      ]
    : [];
}

/** Adds what is missing of the buyer and the payment; returns the method if it is known. */
function checkBuyerAndPayment(draft: Draft, buyer: Sale['buyer']): string | null {
  const { setup, answers, refunded, shape, findings } = draft;
  findings.push(...setup.checkBuyer(buyer));
  const isDamaged = !refunded && buyer.name.includes('\ufffd');
  if (isDamaged && !answers.confirm?.includes('buyer_name_damaged'))
    findings.push({ code: 'buyer_name_damaged', field: 'customer_name', name: buyer.name });
  // Nobody is asked how a document was paid that is worth nothing, or whose figures cannot be.
  return shape.findings.length === 0 || answers.payment_method ? paymentMethodOf(draft) : null;
}

function checkReason({ reason_code: reason }: Answers, setup: Setup): StoredProblem[] {
  if (!reason) return [{ code: 'reason_missing', field: 'reason_code' }];
  return setup.hasCode('reason', reason) ? [] : [{ code: 'reason_unknown', field: 'reason_code' }];
}

/** One finding per thing to fix: sixty lines with one unmapped tax are one finding, not sixty. */
function unique(findings: StoredProblem[]): StoredProblem[] {
  const seen = new Set<string>();
  return findings.filter((finding) => {
    const key = JSON.stringify([
      finding.code,
      finding.tax_id ?? finding.key ?? finding.field,
      finding.list,
      finding.unknown,
    ]);
    return seen.size < seen.add(key).size;
  });
}
