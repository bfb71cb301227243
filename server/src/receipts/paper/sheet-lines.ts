import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { faint } from './marks.ts';
import type { SheetPen } from './sheet-pen.ts';
import type { Style } from './typesetter.ts';

type Line = ReceiptLayout['lines'][number];

const usual: Style = { size: 9.5 };
const nameStep = 13.5;
const discountStep = 12;

/** Where the columns of the lines stand. */
function columnsOf({ left, width, k }: SheetPen) {
  const detailX = left + width * 0.52;
  const amountX = left + width * 0.74;
  return {
    nameX: left + 6 * k,
    nameWidth: detailX - left - 14 * k,
    detailX,
    detailWidth: amountX - detailX - 6 * k,
    amountX,
    amountWidth: left + width - amountX - 6 * k,
  };
}
type Columns = ReturnType<typeof columnsOf>;

export function drawLines(pen: SheetPen): void {
  const columns = columnsOf(pen);
  drawHead(pen, columns);
  for (const line of pen.paper.lines) drawLine(pen, columns, line);
}

function drawHead(pen: SheetPen, columns: Columns): void {
  const { left, k, width, paper } = pen;
  pen.surface.boxes([{ x: left, y: pen.y, width, height: 19 * k }], '#f3f4f7');
  const small: Style = { size: 8, face: 'strong', color: faint };
  const top = pen.y + 4 * k;
  const right: Style = { ...small, align: 'right' };
  pen.put(paper.columns.item, columns.nameX, top, 200 * k, { ...small, align: 'left' });
  pen.put(paper.columns.price, columns.detailX, top, columns.detailWidth, right);
  pen.put(paper.columns.amount, columns.amountX, top, columns.amountWidth, right);
  pen.y += 24 * k;
}

/** Goes on on the next page, under the columns' names, where this much has no room left. */
function roomForLine(pen: SheetPen, columns: Columns, needed: number): void {
  if (pen.y + needed * pen.k <= pen.bottom) return;
  pen.begin();
  drawHead(pen, columns);
}

function drawLine(pen: SheetPen, columns: Columns, line: Line): void {
  const { left, k, width } = pen;
  const names = pen.broken(line.name, columns.nameWidth, usual);
  const isBeside =
    pen.widthOf(line.detail, usual) <= columns.detailWidth &&
    pen.widthOf(line.amount, usual) <= columns.amountWidth;
  roomForLine(pen, columns, heightOf(line, names, isBeside));
  if (isBeside)
    pen.put(line.detail, columns.detailX, pen.y, columns.detailWidth, {
      ...usual,
      align: 'right',
    });
  pen.put(line.amount, columns.amountX, pen.y, columns.amountWidth, { ...usual, align: 'right' });
  for (const name of names) {
    roomForLine(pen, columns, nameStep);
    pen.put(name, columns.nameX, pen.y, columns.nameWidth, usual);
    pen.y += nameStep * k;
  }
  if (names.length === 0) pen.y += nameStep * k;
  if (!isBeside) drawDetailBelow(pen, columns, line);
  if (line.discount) drawDiscount(pen, columns, line.discount);
  pen.y += 3 * k;
  pen.line(left, pen.y, width, '#eceef2');
  pen.y += 4 * k;
}

/**
 * What should stand together. A name of many lines may itself go on to the next page; a usual one
 * stays with its figures.
 */
const heightOf = (line: Line, names: string[], isBeside: boolean): number =>
  Math.min(names.length, 12) * nameStep +
  (isBeside ? 0 : nameStep) +
  (line.discount ? discountStep : 0) +
  5;

function drawDetailBelow(pen: SheetPen, columns: Columns, { detail }: Line): void {
  const { left, k } = pen;
  roomForLine(pen, columns, nameStep);
  const width = columns.amountX - left - 12 * k;
  pen.put(detail, columns.nameX, pen.y, width, { ...usual, align: 'right' });
  pen.y += nameStep * k;
}

function drawDiscount(
  pen: SheetPen,
  columns: Columns,
  { label, amount }: NonNullable<Line['discount']>,
): void {
  const { k } = pen;
  roomForLine(pen, columns, discountStep);
  const small: Style = { size: 8.5, color: faint, align: 'left' };
  pen.put(label, columns.nameX, pen.y - k, 200 * k, small);
  pen.put(amount, columns.amountX, pen.y - k, columns.amountWidth, { ...usual, align: 'right' });
  pen.y += discountStep * k;
}
