export type Refusal = { code: string; text: string };

/** A line as the device keeps it: quantity in hundredths, money in cents. */
export type SoldLine = { itemCd: string; taxTyCd: string; qty: string; totAmt: string };

type Refunded = { totAmt: string; lines?: SoldLine[] };

const refuse = (code: string, text: string): Refusal => ({ code, text });
const sum = (
  lines: SoldLine[],
  of: 'qty' | 'totAmt',
  are: (line: SoldLine) => boolean = () => true,
): bigint => lines.filter(are).reduce((total, line) => total + BigInt(line[of]), 0n);

/**
 * A refund beside its sale and the refunds there were. By money alone, by the money of each tax
 * class, or by items and quantities as well: how far the real device looks is not written down
 * anywhere.
 */
export function checkRefund(
  asked: { total: bigint; lines: SoldLine[] },
  original: Refunded,
  before: Refunded[],
  how: 'money' | 'classes' | 'lines',
): Refusal | null {
  const refunded = before.reduce((total, each) => total + BigInt(each.totAmt), 0n);
  if (refunded + asked.total > BigInt(original.totAmt))
    return refuse('931', 'Credit amount exceeds the original');
  // Kept by an older simulator: nothing to compare with.
  if (how === 'money' || !original.lines) return null;
  const sold = original.lines;
  const all = [...before.flatMap((each) => each.lines ?? []), ...asked.lines];
  for (const taxTyCd of new Set(asked.lines.map((line) => line.taxTyCd))) {
    const isOfClass = (line: SoldLine) => line.taxTyCd === taxTyCd;
    if (!sold.some(isOfClass))
      return refuse('935', `Credit note data differ from the original: no ${taxTyCd} there`);
    if (sum(all, 'totAmt', isOfClass) > sum(sold, 'totAmt', isOfClass))
      return refuse('931', `Credit amount of ${taxTyCd} exceeds the original`);
  }
  if (how === 'classes') return null;
  for (const itemCd of new Set(asked.lines.map((line) => line.itemCd))) {
    const isOfItem = (line: SoldLine) => line.itemCd === itemCd;
    if (!sold.some(isOfItem)) return refuse('932', `Item ${itemCd} is not on the original`);
    if (sum(all, 'qty', isOfItem) > sum(sold, 'qty', isOfItem))
      return refuse('934', `Credit quantity of ${itemCd} exceeds the original`);
    if (sum(all, 'totAmt', isOfItem) > sum(sold, 'totAmt', isOfItem))
      return refuse('931', `Credit amount of ${itemCd} exceeds the original`);
  }
  return null;
}
