import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { pale, red, test, watermark } from './marks.ts';
import type { Surface } from './surface.ts';
import type { Style, Typesetter } from './typesetter.ts';

/**
 * A4 and half of it. `k`: how large everything is beside A4; all lengths here are A4's points times
 * it.
 */
const sheets = {
  a4: { width: 595.28, height: 841.89, left: 42, k: 1 },
  a5: { width: 419.53, height: 595.28, left: 30, k: 0.8 },
};
export type SheetSize = keyof typeof sheets;

/** What a receipt is drawn on a sheet with: one position that goes down the page, page by page. */
export type SheetPen = ReturnType<typeof sheetPen>;

/** Opens the first page. Sizes of text are A4's; places and widths are the sheet's own. */
export function sheetPen(surface: Surface, set: Typesetter, paper: ReceiptLayout, size: SheetSize) {
  const sheet = sheets[size];
  const { left, k } = sheet;
  const width = sheet.width - 2 * left;
  const first = surface.pages();
  const styled = (style: Style): Style => ({ ...style, size: style.size * k });
  const pen = {
    surface,
    paper,
    sheet,
    left,
    k,
    width,
    bottom: sheet.height - 48 * k,
    first,
    y: 0,
    put: (text: string, x: number, y: number, room: number, style: Style) =>
      set.put(text, x, y, room, styled(style)),
    /** Answers where the last line ends. */
    paragraph: (text: string, x: number, y: number, room: number, style: Style) =>
      set.paragraph(text, x, y, room, styled(style)),
    broken: (text: string, room: number, style: Style) => set.broken(text, room, styled(style)),
    widthOf: (text: string, style: Style) => set.widthOf(text, styled(style)),
    line: (x: number, y: number, room: number, color = pale) => surface.rule(x, y, room, color),
    pages: () => surface.pages() - first,
    /** Begins a page, with what every page of this receipt carries. */
    begin() {
      surface.page(sheet.width, sheet.height);
      if (paper.isTest) {
        surface.boxes([{ x: 0, y: 0, width: sheet.width, height: 22 * k }], '#fdecea');
        pen.put(test, left, 5 * k, width, {
          size: 9.5,
          face: 'strong',
          align: 'center',
          color: red,
        });
      }
      if (paper.mark) {
        const place = { x: sheet.width / 2, y: sheet.height * 0.475, size: 150 * k };
        watermark(surface, set, paper.mark, place);
      }
      pen.y = 40 * k;
    },
    /** Goes on on the next page where this much has no room left. */
    room(needed: number) {
      if (pen.y + needed * k > pen.bottom) pen.begin();
    },
  };
  pen.begin();
  return pen;
}
