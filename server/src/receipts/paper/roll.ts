import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import { drawCode } from './code.ts';
import { drawLogo, faint, mm, pageName, red, test, watermark } from './marks.ts';
import { measure, type Surface } from './surface.ts';
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

/**
 * Drawn once on nothing, to learn how long its pages become, then on pages that long. `setFor`: how
 * text is set on a surface.
 */
export function drawRoll(
  surface: Surface,
  setFor: (surface: Surface) => Typesetter,
  paper: ReceiptLayout,
  size: RollSize,
): void {
  const lengths = drawPages(measure, setFor(measure), paper, size, []);
  drawPages(surface, setFor(surface), paper, size, lengths);
}

function drawPages(
  surface: Surface,
  set: Typesetter,
  paper: ReceiptLayout,
  sizeName: RollSize,
  lengths: number[],
): number[] {
  const roll = rolls[sizeName];
  const { left, size } = roll;
  const width = roll.width - 2 * left;
  const k = size / 8.2;
  const ended: number[] = [];
  let y = 0;
  const begin = () => {
    surface.page(roll.width, lengths[ended.length] ?? pageMost);
    if (paper.mark) watermark(surface, set, paper.mark, roll.width / 2, 150 * k, 62 * k);
    y = 10;
    if (paper.isTest) center(test, { face: 'strong', size: 9 * k, color: red });
    if (ended.length > 0)
      center(pageName(paper, ended.length + 1, lengths.length || 9), { color: faint });
  };
  const end = () => ended.push(Math.ceil(y + 12));
  /** Goes on on the next page where this much has no room left. */
  const room = (needed: number) => {
    if (y + needed <= pageMost - 24) return;
    center('…', { color: faint });
    end();
    begin();
  };
  const center = (text: string, style: Partial<Style> = {}) => {
    y = set.paragraph(text, left, y, width, { size, align: 'center', ...style });
  };
  const text = (label: string, style: Partial<Style> = {}) => {
    y = set.paragraph(label, left, y, width, { size, ...style });
  };
  /** Side by side, or where that is too long, one below the other. */
  const pair = (label: string, value: string, style: Partial<Style> = {}) => {
    const full: Style = { size, ...style };
    const labelWidth = set.widthOf(label, full);
    const isBeside = labelWidth + 6 + set.widthOf(value, full) <= width;
    if (isBeside) set.put(label, left, y, labelWidth, { ...full, align: 'left' });
    else y = set.paragraph(label, left, y, width, { ...full, align: 'left' });
    set.put(value, left, y, width, { ...full, align: 'right' });
    y += full.size * 1.5;
  };
  const separator = () => {
    y += 3;
    surface.rule(left, y, width, faint, true);
    y += 5;
  };

  begin();
  const logo = drawLogo(surface, paper.header.logo, {
    x: left + width / 2 - 48,
    y,
    width: 96,
    height: 32,
  });
  if (logo) y += logo + 4;
  center(paper.header.name, { face: 'strong', size: 12 * k });
  for (const each of paper.header.lines) center(each);
  center(paper.header.taxpayer, { face: 'strong' });
  if (paper.mark) center(paper.mark, { face: 'strong', size: 17 * k });
  separator();
  if (paper.refund) {
    center(paper.title, { face: 'strong', size: 10 * k });
    center(paper.refund.reference);
    separator();
    for (const each of paper.refund.note) center(each, { face: 'strong' });
    separator();
  }
  if (paper.topMessage) center(paper.topMessage);
  for (const [label, value] of [...paper.buyer, ...paper.document]) text(`${label}: ${value}`);
  separator();
  for (const each of paper.lines) {
    const names = set.broken(each.name, width, { size });
    room((Math.min(names.length, 12) * 1.42 + 3) * size);
    for (const name of names) {
      room(size * 1.42);
      text(name);
    }
    room(size * 6);
    pair(each.detail, each.amount);
    if (each.discount) pair(each.discount.label, each.discount.amount);
  }
  separator();
  room(paper.totals.length * 15 + 40);
  if (paper.mark) center(paper.notOfficial, { face: 'strong', size: 9 * k });
  for (const total of paper.totals)
    pair(total.label, total.amount, total.isStrong ? { face: 'strong', size: 10 * k } : {});
  separator();
  for (const [label, value] of paper.tender) pair(label, value);
  separator();
  room(roll.code + 260);
  if (paper.mark) {
    center(paper.mark, { face: 'strong', size: 17 * k });
    // The authority wants this sentence at least twice as large as the amounts.
    center(paper.notOfficial, { face: 'strong', size: size * 2.02 });
    separator();
  }
  if (paper.signature.rows.length > 0) center(paper.signature.title, { face: 'strong' });
  for (const [label, value] of paper.signature.rows) text(`${label}: ${value}`, { align: 'left' });
  y += 4;
  if (paper.code) {
    drawCode(surface, paper.code, left + (width - roll.code) / 2, y, roll.code);
    y += roll.code + 2;
  }
  separator();
  for (const [label, value] of paper.system) text(`${label}: ${value}`, { align: 'left' });
  separator();
  for (const each of paper.footer) center(each, { color: faint });
  end();
  return ended;
}
