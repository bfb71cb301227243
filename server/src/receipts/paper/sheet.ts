import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { drawCode } from './qr-code.ts';
import { drawLogo, faint, pageName, red } from './marks.ts';
import { drawLines } from './sheet-lines.ts';
import { type SheetPen, sheetPen, type SheetSize } from './sheet-pen.ts';
import type { Surface } from './surface.ts';
import type { Style, Typesetter } from './typesetter.ts';

/** Draws a receipt on A4 or A5, from top to bottom. */
export function drawSheet(
  surface: Surface,
  set: Typesetter,
  paper: ReceiptLayout,
  size: SheetSize,
): void {
  const pen = sheetPen(surface, set, paper, size);
  drawHeader(pen);
  drawRefund(pen);
  drawBuyer(pen);
  drawLines(pen);
  drawTotals(pen);
  drawMark(pen);
  drawSignature(pen);
  drawFooter(pen);
  numberPages(pen);
}

/** The business on the left, and on the right what kind of receipt it is of which document. */
function drawHeader(pen: SheetPen): void {
  const { surface, paper, left, k, width } = pen;
  const box = { x: left, y: pen.y, width: 132 * k, height: 44 * k };
  const logo = drawLogo(surface, paper.header.logo, box);
  if (logo) pen.y += logo + 8 * k;
  const top = pen.y;
  const own = width * 0.58;
  pen.y = pen.paragraph(paper.header.name, left, pen.y, own, {
    size: 17,
    face: 'strong',
    color: paper.accentColor,
  });
  for (const each of paper.header.lines)
    pen.y = pen.paragraph(each, left, pen.y, own, { size: 9, color: faint });
  pen.y = pen.paragraph(paper.header.taxpayer, left, pen.y, own, { size: 9.5, face: 'strong' });
  pen.y = Math.max(pen.y, drawTitle(pen, top)) + 8 * k;
  pen.line(left, pen.y, width);
  pen.y += 9 * k;
}

/** Answers where it ends. */
function drawTitle(pen: SheetPen, top: number): number {
  const { paper, left, k, width } = pen;
  const x = left + width * 0.6;
  const own = width * 0.4;
  pen.put(paper.title, x, top, own, { size: 15, face: 'strong', align: 'right' });
  let y = top + 24 * k;
  if (paper.mark) {
    pen.put(paper.mark, x, y, own, { size: 20, face: 'strong', align: 'right', color: red });
    y += 28 * k;
  }
  for (const [label, value] of paper.document)
    y = pen.paragraph(`${label}: ${value}`, x, y, own, { size: 9, align: 'right' });
  return y;
}

function drawRefund(pen: SheetPen): void {
  const { paper, left, k, width } = pen;
  if (!paper.refund) return;
  for (const text of [paper.refund.reference, ...paper.refund.note]) {
    pen.put(text, left, pen.y, width, { size: 10, face: 'strong', align: 'center' });
    pen.y += 14 * k;
  }
  pen.line(left, pen.y + 2 * k, width);
  pen.y += 11 * k;
}

function drawBuyer(pen: SheetPen): void {
  const { paper, left, k, width } = pen;
  if (paper.topMessage) {
    const style: Style = { size: 9, align: 'center', color: faint };
    pen.y = pen.paragraph(paper.topMessage, left, pen.y, width, style) + 3 * k;
  }
  for (const [label, value] of paper.buyer)
    pen.y = pen.paragraph(`${label}: ${value}`, left, pen.y, width, { size: 9.5 });
  pen.y += 8 * k;
}

function drawTotals(pen: SheetPen): void {
  const { paper, left, k, width } = pen;
  pen.room(paper.totals.length * 15 + 60);
  pen.y += 6 * k;
  if (paper.mark)
    pen.put(paper.notOfficial, left, pen.y, width * 0.5, {
      size: 10,
      face: 'strong',
      color: red,
      align: 'left',
    });
  const right = left + width * 0.5;
  const amountX = right + width * 0.2;
  const amountWidth = width * 0.3 - 6 * k;
  for (const { label, amount, isStrong } of paper.totals) {
    const style: Style = { size: isStrong ? 11 : 9.5, face: isStrong ? 'strong' : 'body' };
    pen.put(label, right, pen.y, width * 0.25, { ...style, align: 'left' });
    pen.put(amount, amountX, pen.y, amountWidth, { ...style, align: 'right' });
    pen.y += (isStrong ? 17 : 14) * k;
  }
  pen.line(right, pen.y, width * 0.5);
  pen.y += 6 * k;
  for (const [label, value] of paper.tender) {
    pen.put(label, right, pen.y, width * 0.3, { size: 9.5, align: 'left' });
    pen.put(value, amountX, pen.y, amountWidth, { size: 9.5, align: 'right' });
    pen.y += 14 * k;
  }
}

/** How large the code is, beside A4. */
const codeSize = 122;

/** What the authority wants to see together stays together: the mark, its sentence, the blocks. */
function drawMark(pen: SheetPen): void {
  const { paper, left, k, width } = pen;
  const { signature, system, footer } = paper;
  const title = signature.rows.length > 0 ? 17 : 0;
  const wording = title + (signature.rows.length + system.length) * 14 + 12;
  pen.room(
    22 +
      (paper.mark ? 60 : 0) +
      Math.max(wording, paper.code ? codeSize : 0) +
      (pen.pages() > 1 ? 4 + 12 * footer.length : 0),
  );
  pen.y += 12 * k;
  if (!paper.mark) return;
  const style: Style = { size: 22, face: 'strong', align: 'center', color: red };
  pen.put(paper.mark, left, pen.y, width, style);
  pen.y += 28 * k;
  pen.put(paper.notOfficial, left, pen.y, width, { ...style, size: 20 });
  pen.y += 32 * k;
}

/** What the device and the system have said, beside the code. */
function drawSignature(pen: SheetPen): void {
  const { surface, paper, left, k, width } = pen;
  const code = codeSize * k;
  pen.line(left, pen.y, width);
  pen.y += 10 * k;
  const top = pen.y;
  const beside = width - code - 12 * k;
  const rows = (given: [label: string, value: string][]) => {
    for (const [label, value] of given) {
      pen.put(`${label}: ${value}`, left, pen.y, beside, { size: 9.5, align: 'left' });
      pen.y += 14 * k;
    }
  };
  if (paper.signature.rows.length > 0) {
    const style: Style = { size: 10, face: 'strong', align: 'left' };
    pen.put(paper.signature.title, left, pen.y, beside, style);
    pen.y += 17 * k;
  }
  rows(paper.signature.rows);
  if (paper.code) drawCode(surface, paper.code, left + width - code, top, code);
  pen.y += 5 * k;
  pen.line(left, pen.y, beside - 2 * k);
  pen.y += 7 * k;
  rows(paper.system);
  pen.y = Math.max(pen.y, paper.code ? top + code : top) + 8 * k;
}

/**
 * The last words. A page of its own for these few would be a sheet wasted: they may stand in the
 * margin, above where the page is numbered.
 */
function drawFooter(pen: SheetPen): void {
  const { paper, left, k, width, sheet } = pen;
  pen.line(left, pen.y, width);
  pen.y += 8 * k;
  const last = sheet.height - (pen.pages() > 1 ? 36 : 18) * k;
  for (const each of paper.footer) {
    if (pen.y + 12 * k > last) pen.begin();
    const style: Style = { size: 8.5, align: 'center', color: faint };
    pen.y = pen.paragraph(each, left, pen.y, width, style);
  }
}

/** Each of several pages says which it is. */
function numberPages(pen: SheetPen): void {
  const { surface, paper, left, k, width, sheet, first } = pen;
  const pages = pen.pages();
  for (let page = 0; pages > 1 && page < pages; page++)
    surface.onPage(first + page, () =>
      pen.put(pageName(paper, page + 1, pages), left, sheet.height - 30 * k, width, {
        size: 8,
        align: 'center',
        color: faint,
      }),
    );
}
