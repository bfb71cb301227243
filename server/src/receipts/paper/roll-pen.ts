import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { faint, mm, pageName, red, test, watermark } from './marks.ts';
import type { Surface } from './surface.ts';
import type { Style, Typesetter } from './typesetter.ts';

/** Paper from a roll; its printers leave the margins white. `size`: of the usual text. */
const rolls = {
  '80mm': { width: 80 * mm, left: 4 * mm, size: 8.2, code: 142 },
  '58mm': { width: 58 * mm, left: 5 * mm, size: 7, code: 118 },
};
export type RollSize = keyof typeof rolls;

/**
 * The longest page. PDF readers show nothing beyond 14,400 points, and the usual printers' drivers
 * take pages of 3,276 mm (9,286 points) at the most; what is longer goes on on the next.
 */
const pageMost = 9_000;

/** What a receipt is drawn on a roll with: one position that goes down the paper. */
export type RollPen = ReturnType<typeof rollPen>;

/** `lengths`: of the pages, where they are known; a page without one is as long as one may be. */
export function rollPen(
  surface: Surface,
  set: Typesetter,
  paper: ReceiptLayout,
  roll: { size: RollSize; lengths: number[] },
) {
  const { left, size, code, width: whole } = rolls[roll.size];
  const width = whole - 2 * left;
  const k = size / 8.2;
  const ended: number[] = [];
  const pen = {
    surface,
    paper,
    left,
    size,
    code,
    width,
    k,
    /** How long each page has become. */
    ended,
    y: 0,
    begin() {
      surface.page(whole, roll.lengths[ended.length] ?? pageMost);
      if (paper.mark)
        watermark(surface, set, paper.mark, { x: whole / 2, y: 150 * k, size: 62 * k });
      pen.y = 10;
      if (paper.isTest) pen.center(test, { face: 'strong', size: 9 * k, color: red });
      if (ended.length > 0)
        pen.center(pageName(paper, ended.length + 1, roll.lengths.length || 9), { color: faint });
    },
    end: () => ended.push(Math.ceil(pen.y + 12)),
    /** Goes on on the next page where this much has no room left. */
    room(needed: number) {
      if (pen.y + needed <= pageMost - 24) return;
      pen.center('…', { color: faint });
      pen.end();
      pen.begin();
    },
    center(text: string, style: Partial<Style> = {}) {
      pen.y = set.paragraph(text, left, pen.y, width, { size, align: 'center', ...style });
    },
    text(label: string, style: Partial<Style> = {}) {
      pen.y = set.paragraph(label, left, pen.y, width, { size, ...style });
    },
    broken: (text: string) => set.broken(text, width, { size }),
    /** Side by side, or where that is too long, one below the other. */
    pair(label: string, value: string, style: Partial<Style> = {}) {
      const full: Style = { size, ...style };
      const labelWidth = set.widthOf(label, full);
      const isBeside = labelWidth + 6 + set.widthOf(value, full) <= width;
      if (isBeside) set.put(label, left, pen.y, labelWidth, { ...full, align: 'left' });
      else pen.y = set.paragraph(label, left, pen.y, width, { ...full, align: 'left' });
      set.put(value, left, pen.y, width, { ...full, align: 'right' });
      pen.y += full.size * 1.5;
    },
    separator() {
      pen.y += 3;
      surface.rule(left, pen.y, width, faint, true);
      pen.y += 5;
    },
  };
  pen.begin();
  return pen;
}
