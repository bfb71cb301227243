import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { drawCode } from './qr-code.ts';
import { drawLogo, faint } from './marks.ts';
import { type RollPen, rollPen, type RollSize } from './roll-pen.ts';
import { measure, type Surface } from './surface.ts';
import type { Style, Typesetter } from './typesetter.ts';

/**
 * Draws a receipt once on nothing, to learn how long its pages become, then on pages that long.
 * `setFor`: how text is set on a surface.
 */
export function drawRoll(
  surface: Surface,
  setFor: (surface: Surface) => Typesetter,
  paper: ReceiptLayout,
  size: RollSize,
): void {
  const lengths = drawPages(rollPen(measure, setFor(measure), paper, { size, lengths: [] }));
  drawPages(rollPen(surface, setFor(surface), paper, { size, lengths }));
}

/** Answers how long each page has become. */
function drawPages(pen: RollPen): number[] {
  drawHeader(pen);
  drawRefund(pen);
  drawDocument(pen);
  drawLines(pen);
  drawTotals(pen);
  drawSignature(pen);
  for (const each of pen.paper.footer) pen.center(each, { color: faint });
  pen.end();
  return pen.ended;
}

function drawHeader(pen: RollPen): void {
  const { surface, paper, left, width, k } = pen;
  const box = { x: left + width / 2 - 48, y: pen.y, width: 96, height: 32 };
  const logo = drawLogo(surface, paper.header.logo, box);
  if (logo) pen.y += logo + 4;
  pen.center(paper.header.name, { face: 'strong', size: 12 * k });
  for (const each of paper.header.lines) pen.center(each);
  pen.center(paper.header.taxpayer, { face: 'strong' });
  if (paper.mark) pen.center(paper.mark, { face: 'strong', size: 17 * k });
  pen.separator();
}

function drawRefund(pen: RollPen): void {
  const { paper, k } = pen;
  if (!paper.refund) return;
  pen.center(paper.title, { face: 'strong', size: 10 * k });
  pen.center(paper.refund.reference);
  pen.separator();
  for (const each of paper.refund.note) pen.center(each, { face: 'strong' });
  pen.separator();
}

function drawDocument(pen: RollPen): void {
  const { paper } = pen;
  if (paper.topMessage) pen.center(paper.topMessage);
  for (const [label, value] of [...paper.buyer, ...paper.document]) pen.text(`${label}: ${value}`);
  pen.separator();
}

function drawLines(pen: RollPen): void {
  const { paper, size } = pen;
  for (const { name: whole, detail, amount, discount } of paper.lines) {
    const names = pen.broken(whole);
    pen.room((Math.min(names.length, 12) * 1.42 + 3) * size);
    for (const name of names) {
      pen.room(size * 1.42);
      pen.text(name);
    }
    pen.room(size * 6);
    pen.pair(detail, amount);
    if (discount) pen.pair(discount.label, discount.amount);
  }
  pen.separator();
}

function drawTotals(pen: RollPen): void {
  const { paper, k } = pen;
  pen.room(paper.totals.length * 15 + 40);
  if (paper.mark) pen.center(paper.notOfficial, { face: 'strong', size: 9 * k });
  const strong: Partial<Style> = { face: 'strong', size: 10 * k };
  for (const { label, amount, isStrong } of paper.totals)
    pen.pair(label, amount, isStrong ? strong : {});
  pen.separator();
  for (const [label, value] of paper.tender) pen.pair(label, value);
  pen.separator();
}

/** What the authority wants to see together stays together. */
function drawSignature(pen: RollPen): void {
  const { surface, paper, left, width, size, code, k } = pen;
  pen.room(code + 260);
  if (paper.mark) {
    pen.center(paper.mark, { face: 'strong', size: 17 * k });
    // The authority wants this sentence at least twice as large as the amounts.
    pen.center(paper.notOfficial, { face: 'strong', size: size * 2.02 });
    pen.separator();
  }
  if (paper.signature.rows.length > 0) pen.center(paper.signature.title, { face: 'strong' });
  drawRows(pen, paper.signature.rows);
  pen.y += 4;
  if (paper.code) {
    drawCode(surface, paper.code, left + (width - code) / 2, pen.y, code);
    pen.y += code + 2;
  }
  pen.separator();
  drawRows(pen, paper.system);
  pen.separator();
}

function drawRows(pen: RollPen, rows: [label: string, value: string][]): void {
  for (const [label, value] of rows) pen.text(`${label}: ${value}`, { align: 'left' });
}
