import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import type { Box, Surface } from './surface.ts';
import type { Style, Typesetter } from './typesetter.ts';

/** Our own words: what a sandbox device signs is no receipt of any authority. */
export const test = 'TEST: not a fiscal receipt';

export const red = '#b3261e';
export const faint = '#5b6270';
export const pale = '#c9ced6';
export const mm = 72 / 25.4;

/** A mark across the page, faint: its middle and its size. */
export function watermark(
  surface: Surface,
  set: Typesetter,
  mark: string,
  { x, y, size }: { x: number; y: number; size: number },
): void {
  const style: Style = { size, face: 'strong', align: 'center', color: red };
  surface.watermark(x, y, () => set.put(mark, x - 400, y - size / 2, 800, style));
}

/** Answers how high it is, nothing where there is none. */
export function drawLogo(surface: Surface, logo: string | null, box: Box): number {
  const data = /^data:image\/(?:png|jpeg);base64,(.+)$/.exec(logo ?? '')?.[1];
  if (!data) return 0;
  surface.image(Buffer.from(data, 'base64'), box);
  return box.height;
}

/** What every page after the first begins or ends with, so that loose sheets find each other. */
export const pageName = (paper: ReceiptLayout, page: number, pages: number): string =>
  [`Page ${page} of ${pages}`, ...paper.pageNames].join('  ·  ');
