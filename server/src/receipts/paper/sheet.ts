import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { drawCode } from './code.ts';
import { drawLogo, faint, pageName, pale, red, test, watermark } from './marks.ts';
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

export function drawSheet(
  surface: Surface,
  set: Typesetter,
  paper: ReceiptLayout,
  size: SheetSize,
): void {
  const sheet = sheets[size];
  const { left, k } = sheet;
  const width = sheet.width - 2 * left;
  const bottom = sheet.height - 48 * k;
  const detailX = left + width * 0.52;
  const amountX = left + width * 0.74;
  const amountWidth = left + width - amountX - 6 * k;
  const first = surface.pages();
  const styled = (style: Style): Style => ({ ...style, size: style.size * k });
  const put = (text: string, x: number, y: number, room: number, style: Style) =>
    set.put(text, x, y, room, styled(style));
  const paragraph = (text: string, x: number, y: number, room: number, style: Style) =>
    set.paragraph(text, x, y, room, styled(style));
  const line = (x: number, y: number, room: number, color = pale) =>
    surface.rule(x, y, room, color);
  const begin = (): number => {
    surface.page(sheet.width, sheet.height);
    if (paper.isTest) {
      surface.boxes([{ x: 0, y: 0, width: sheet.width, height: 22 * k }], '#fdecea');
      put(test, left, 5 * k, width, { size: 9.5, face: 'strong', align: 'center', color: red });
    }
    if (paper.mark)
      watermark(surface, set, paper.mark, sheet.width / 2, sheet.height * 0.475, 150 * k);
    return 40 * k;
  };
  let y = begin();
  const room = (needed: number) => {
    if (y + needed * k > bottom) y = begin();
  };

  const logo = drawLogo(surface, paper.header.logo, { x: left, y, width: 132 * k, height: 44 * k });
  if (logo) y += logo + 8 * k;
  const headTop = y;
  y = paragraph(paper.header.name, left, y, width * 0.58, {
    size: 17,
    face: 'strong',
    color: paper.accentColor,
  });
  for (const each of paper.header.lines)
    y = paragraph(each, left, y, width * 0.58, { size: 9, color: faint });
  y = paragraph(paper.header.taxpayer, left, y, width * 0.58, { size: 9.5, face: 'strong' });
  put(paper.title, left + width * 0.6, headTop, width * 0.4, {
    size: 15,
    face: 'strong',
    align: 'right',
  });
  let side = headTop + 24 * k;
  if (paper.mark) {
    put(paper.mark, left + width * 0.6, side, width * 0.4, {
      size: 20,
      face: 'strong',
      align: 'right',
      color: red,
    });
    side += 28 * k;
  }
  for (const [label, value] of paper.document)
    side = paragraph(`${label}: ${value}`, left + width * 0.6, side, width * 0.4, {
      size: 9,
      align: 'right',
    });
  y = Math.max(y, side) + 8 * k;
  line(left, y, width);
  y += 9 * k;
  if (paper.refund) {
    for (const text of [paper.refund.reference, ...paper.refund.note]) {
      put(text, left, y, width, { size: 10, face: 'strong', align: 'center' });
      y += 14 * k;
    }
    line(left, y + 2 * k, width);
    y += 11 * k;
  }
  if (paper.topMessage)
    y =
      paragraph(paper.topMessage, left, y, width, { size: 9, align: 'center', color: faint }) +
      3 * k;
  for (const [label, value] of paper.buyer)
    y = paragraph(`${label}: ${value}`, left, y, width, { size: 9.5 });
  y += 8 * k;

  const head = () => {
    surface.boxes([{ x: left, y, width, height: 19 * k }], '#f3f4f7');
    const small: Style = { size: 8, face: 'strong', color: faint };
    put(paper.columns.item, left + 6 * k, y + 4 * k, 200 * k, { ...small, align: 'left' });
    put(paper.columns.price, detailX, y + 4 * k, amountX - detailX - 6 * k, {
      ...small,
      align: 'right',
    });
    put(paper.columns.amount, amountX, y + 4 * k, amountWidth, { ...small, align: 'right' });
    y += 24 * k;
  };
  /** On the next page, under the columns' names, where this much has no room left. */
  const roomForLine = (needed: number) => {
    if (y + needed * k <= bottom) return;
    y = begin();
    head();
  };
  head();
  for (const each of paper.lines) {
    const style: Style = { size: 9.5 };
    const nameWidth = detailX - left - 14 * k;
    const names = set.broken(each.name, nameWidth, styled(style));
    const isBeside =
      set.widthOf(each.detail, styled(style)) <= amountX - detailX - 6 * k &&
      set.widthOf(each.amount, styled(style)) <= amountWidth;
    // A name of many lines may itself go on to the next page; a usual one stays together with its
    // figures.
    const height =
      Math.min(names.length, 12) * 13.5 + (isBeside ? 0 : 13.5) + (each.discount ? 12 : 0) + 5;
    roomForLine(height);
    if (isBeside)
      put(each.detail, detailX, y, amountX - detailX - 6 * k, { ...style, align: 'right' });
    put(each.amount, amountX, y, amountWidth, { ...style, align: 'right' });
    for (const name of names) {
      roomForLine(13.5);
      put(name, left + 6 * k, y, nameWidth, style);
      y += 13.5 * k;
    }
    if (names.length === 0) y += 13.5 * k;
    if (!isBeside) {
      roomForLine(13.5);
      put(each.detail, left + 6 * k, y, amountX - left - 12 * k, { ...style, align: 'right' });
      y += 13.5 * k;
    }
    if (each.discount) {
      roomForLine(12);
      put(each.discount.label, left + 6 * k, y - k, 200 * k, {
        size: 8.5,
        color: faint,
        align: 'left',
      });
      put(each.discount.amount, amountX, y - k, amountWidth, { ...style, align: 'right' });
      y += 12 * k;
    }
    y += 3 * k;
    line(left, y, width, '#eceef2');
    y += 4 * k;
  }

  room(paper.totals.length * 15 + 60);
  y += 6 * k;
  if (paper.mark)
    put(paper.notOfficial, left, y, width * 0.5, {
      size: 10,
      face: 'strong',
      color: red,
      align: 'left',
    });
  const right = left + width * 0.5;
  for (const total of paper.totals) {
    const style: Style = {
      size: total.isStrong ? 11 : 9.5,
      face: total.isStrong ? 'strong' : 'body',
    };
    put(total.label, right, y, width * 0.25, { ...style, align: 'left' });
    put(total.amount, right + width * 0.2, y, width * 0.3 - 6 * k, { ...style, align: 'right' });
    y += (total.isStrong ? 17 : 14) * k;
  }
  line(right, y, width * 0.5);
  y += 6 * k;
  for (const [label, value] of paper.tender) {
    put(label, right, y, width * 0.3, { size: 9.5, align: 'left' });
    put(value, right + width * 0.2, y, width * 0.3 - 6 * k, { size: 9.5, align: 'right' });
    y += 14 * k;
  }

  const code = 122 * k;
  // What the authority wants to see together stays together.
  const wording =
    (paper.signature.rows.length > 0 ? 17 : 0) +
    (paper.signature.rows.length + paper.system.length) * 14 +
    12;
  const isNumbered = surface.pages() - first > 1;
  room(
    22 +
      (paper.mark ? 60 : 0) +
      Math.max(wording, paper.code ? 122 : 0) +
      (isNumbered ? 4 + 12 * paper.footer.length : 0),
  );
  y += 12 * k;
  if (paper.mark) {
    put(paper.mark, left, y, width, { size: 22, face: 'strong', align: 'center', color: red });
    y += 28 * k;
    put(paper.notOfficial, left, y, width, {
      size: 20,
      face: 'strong',
      align: 'center',
      color: red,
    });
    y += 32 * k;
  }
  line(left, y, width);
  y += 10 * k;
  const top = y;
  const beside = width - code - 12 * k;
  if (paper.signature.rows.length > 0) {
    put(paper.signature.title, left, y, beside, { size: 10, face: 'strong', align: 'left' });
    y += 17 * k;
  }
  for (const [label, value] of paper.signature.rows) {
    put(`${label}: ${value}`, left, y, beside, { size: 9.5, align: 'left' });
    y += 14 * k;
  }
  if (paper.code) drawCode(surface, paper.code, left + width - code, top, code);
  y += 5 * k;
  line(left, y, beside - 2 * k);
  y += 7 * k;
  for (const [label, value] of paper.system) {
    put(`${label}: ${value}`, left, y, beside, { size: 9.5, align: 'left' });
    y += 14 * k;
  }
  y = Math.max(y, paper.code ? top + code : top) + 8 * k;
  line(left, y, width);
  y += 8 * k;
  // A page of its own for these few words would be a sheet wasted: they may stand in the margin,
  // above where the page is numbered.
  const last = sheet.height - (surface.pages() - first > 1 ? 36 : 18) * k;
  for (const each of paper.footer) {
    if (y + 12 * k > last) y = begin();
    y = paragraph(each, left, y, width, { size: 8.5, align: 'center', color: faint });
  }

  const pages = surface.pages() - first;
  for (let page = 0; pages > 1 && page < pages; page++)
    surface.onPage(first + page, () =>
      put(pageName(paper, page + 1, pages), left, sheet.height - 30 * k, width, {
        size: 8,
        align: 'center',
        color: faint,
      }),
    );
}
