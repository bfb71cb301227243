import type { ReceiptLayout } from '../../model/receipt-layout.model.ts';
import type { PaperSize } from '../receipt/original-print.model.ts';
import { fontsFor, type Fonts } from './fonts.ts';
import { pdfSurface } from './pdf-surface.ts';
import { isMark, mapTexts, printable } from '../sale/printable-text.model.ts';
import { drawRoll } from './roll.ts';
import { drawSheet } from './sheet.ts';
import type { Surface } from './surface.ts';
import { type SvgSurface, svgSurface } from './svg-surface.ts';
import { typesetter } from './typesetter.ts';

export { codeSvg as receiptQrSvg } from './qr-code.ts';

/** Draws a receipt. The same paper and moment give the same bytes; nothing is read from a clock. */
export const receiptPdf = (paper: ReceiptLayout, size: PaperSize, at: Date): Promise<Buffer> =>
  receiptsPdf([paper], size, at);

/** Several receipts one after the other, each beginning on a page of its own. */
export async function receiptsPdf(
  papers: ReceiptLayout[],
  size: PaperSize,
  at: Date,
): Promise<Buffer> {
  const pdf = pdfSurface(at, 'Fiscal receipt');
  for (const paper of papers) await drawOn(pdf.surface, paper, size);
  return pdf.end();
}

export type ForBrowser = ReturnType<SvgSurface['end']> & { pdf: Uint8Array };

/** A receipt, and the same as pages that a browser shows and prints. */
export async function receiptForBrowser(
  paper: ReceiptLayout,
  size: PaperSize,
  at: Date,
): Promise<ForBrowser> {
  const svg = svgSurface();
  await drawOn(svg.surface, paper, size);
  return { ...svg.end(), pdf: await receiptPdf(paper, size, at) };
}

/** What of these texts no font has, each once: it would be printed as an empty box. */
export async function unprintableIn(texts: string[]): Promise<string[]> {
  const letters = [...new Set(texts.map(printable).join(''))];
  const fonts = await fontsFor(letters);
  return letters.filter(
    (letter) => !isMark(letter.codePointAt(0) as number) && !hasFont(fonts, letter),
  );
}

const hasFont = (fonts: Fonts, letter: string) =>
  fonts.keyOf(letter.codePointAt(0) as number) !== undefined;

async function drawOn(surface: Surface, given: ReceiptLayout, size: PaperSize): Promise<void> {
  const { logo, ...header } = given.header;
  const { code, ...texts } = { ...given, header };
  const clean = mapTexts(texts, printable);
  const paper: ReceiptLayout = { ...clean, header: { ...clean.header, logo }, code };
  const all: string[] = [];
  mapTexts(texts, (text) => {
    all.push(printable(text));
    return text;
  });
  const fonts = await fontsFor(all, [paper.header.name]);
  if (size === '80mm' || size === '58mm')
    drawRoll(surface, (on) => typesetter(on, fonts), paper, size);
  else drawSheet(surface, typesetter(surface, fonts), paper, size);
}
