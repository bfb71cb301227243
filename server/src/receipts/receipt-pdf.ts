import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as fontkit from 'fontkit';
import PDFDocument from 'pdfkit';
import QRCode from 'qrcode';
import { isRightToLeft, type Run, visualRuns } from './bidi-text.ts';
import type { Paper } from './paper.model.ts';

type Doc = PDFKit.PDFDocument;
type Face = 'body' | 'strong';

// Parsed once: a font given as bytes is parsed anew for every document, which costs twenty times the drawing.
let fonts: Record<string, unknown> | undefined;
function loadFonts(): Record<string, unknown> {
  const resolve = createRequire(import.meta.url).resolve;
  const open = (path: string) => fontkit.create(readFileSync(resolve(path)) as never);
  fonts ??= {
    body: open('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
    strong: open('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf'),
    'body-arabic': open('@expo-google-fonts/noto-naskh-arabic/400Regular/NotoNaskhArabic_400Regular.ttf'),
    'strong-arabic': open('@expo-google-fonts/noto-naskh-arabic/700Bold/NotoNaskhArabic_700Bold.ttf'),
  };
  return fonts;
}

const a4: PDFKit.PDFDocumentOptions = { size: 'A4', margins: { top: 36, bottom: 0, left: 42, right: 42 } };
const mm = 72 / 25.4;
const ink = '#1f2329';
const faint = '#5b6270';
const rule = '#c9ced6';

/** Several receipts one after the other, each beginning on a page of its own. */
export const receiptsPdf = (papers: Paper[], at: Date): Promise<Buffer> =>
  rendered(
    at,
    async (doc, breathe) => {
      for (const [index, paper] of papers.entries()) {
        if (index > 0) doc.addPage();
        await drawA4(doc, paper, breathe);
      }
    },
    a4,
  );

/** Draws a receipt. The same paper and moment give the same bytes; nothing is read from a clock. */
export async function receiptPdf(paper: Paper, size: 'a4' | '80mm', at: Date): Promise<Buffer> {
  if (size === 'a4') return rendered(at, (doc, breathe) => drawA4(doc, paper, breathe), a4);
  // Drawn once on an endless roll to learn its length, then again on a page that long.
  let length = 0;
  await rendered(
    at,
    async (doc, breathe) => {
      length = await drawRoll(doc, paper, breathe);
    },
    { size: [80 * mm, 14_000], margin: 0 },
  );
  return rendered(at, (doc, breathe) => drawRoll(doc, paper, breathe), { size: [80 * mm, Math.ceil(length)], margin: 0 });
}

/** Lets others go on where drawing has held the thread long enough. Called between lines. */
type Breathe = () => Promise<void> | undefined;

const breathMs = 4;
let lastTurn: Promise<void> = Promise.resolve();

/** The next turn of the event loop that no other drawing has taken: drawings that go on together would hold it for as long as all of them. */
function ownTurn(): Promise<void> {
  lastTurn = lastTurn.then(() => new Promise((resolve) => setImmediate(resolve)));
  return lastTurn;
}

function breathing(): Breathe {
  let since = performance.now();
  return () => {
    if (performance.now() - since < breathMs) return undefined;
    return ownTurn().then(() => {
      since = performance.now();
    });
  };
}

async function rendered(at: Date, draw: (doc: Doc, breathe: Breathe) => Promise<unknown>, options: PDFKit.PDFDocumentOptions): Promise<Buffer> {
  const doc = new PDFDocument({
    ...options,
    font: null as never,
    autoFirstPage: false,
    info: { CreationDate: at, ModDate: at, Producer: 'Muhuri', Creator: 'Muhuri', Title: 'Fiscal receipt' },
  });
  for (const [name, font] of Object.entries(loadFonts())) doc.registerFont(name, font as never);
  const parts: Buffer[] = [];
  doc.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => {
    doc.on('end', resolve);
    doc.on('error', reject);
  });
  ended.catch(() => {});
  await ownTurn();
  doc.addPage();
  await draw(doc, breathing());
  await ownTurn();
  doc.end();
  await ended;
  return Buffer.concat(parts);
}

// Text ---------------------------------------------------------------------------------------------------------------------------

type Style = { size: number; face?: Face; color?: string; align?: 'left' | 'right' | 'center'; leading?: number };

const faceOf = (run: Run, face: Face) => (run.isArabic ? `${face}-arabic` : face);

/** Advance of a letter, in parts of the font size; asked of the font once per letter for the life of the process. */
const advances = new Map<string, number>();
function advanceOf(face: Face, letter: string): number {
  const key = face + letter;
  let advance = advances.get(key);
  if (advance === undefined) {
    const font = loadFonts()[face] as { unitsPerEm: number; glyphForCodePoint(code: number): { advanceWidth: number } };
    advance = font.glyphForCodePoint(letter.codePointAt(0) as number).advanceWidth / font.unitsPerEm;
    if (advances.size < 5_000) advances.set(key, advance);
  }
  return advance;
}

/** Width of one run. Latin is the sum of its letters: kerning is worth less than laying every text out twice. Arabic joins, so it is laid out. */
function runWidth(doc: Doc, run: Run, style: Style): number {
  const face = style.face ?? 'body';
  if (run.isArabic) {
    doc.font(`${face}-arabic`).fontSize(style.size);
    return doc.widthOfString(run.text, { features: {} as never });
  }
  let width = 0;
  for (const letter of run.text) width += advanceOf(face, letter);
  return width * style.size;
}

const widthOf = (doc: Doc, text: string, style: Style): number => visualRuns(text).reduce((sum, run) => sum + runWidth(doc, run, style), 0);

/** One line at a place; answers nothing, because the caller owns the layout. */
function put(doc: Doc, text: string, x: number, y: number, width: number, style: Style): void {
  const runs = visualRuns(text);
  const align = style.align ?? (isRightToLeft(text) ? 'right' : 'left');
  const widths = align === 'left' && runs.length === 1 ? [] : runs.map((run) => runWidth(doc, run, style));
  const total = widths.reduce((sum, each) => sum + each, 0);
  let at = align === 'right' ? x + width - total : align === 'center' ? x + (width - total) / 2 : x;
  doc.fillColor(style.color ?? ink);
  for (const [index, run] of runs.entries()) {
    doc.font(faceOf(run, style.face ?? 'body')).fontSize(style.size);
    // The Arabic face sits lower in its box; both stand on one baseline. A list of features, even empty, keeps the library from laying
    // joined letters out word by word; without one it remembers words it has laid out.
    const lift = run.isArabic ? -style.size * 0.28 : 0;
    doc.text(run.text, at, y + lift, run.isArabic ? { lineBreak: false, features: {} as never } : { lineBreak: false });
    at += widths[index] ?? 0;
  }
}

/** Breaks text into lines that fit; words longer than a line are cut where they must. */
function broken(doc: Doc, text: string, width: number, style: Style): string[] {
  if (widthOf(doc, text, style) <= width) return text ? [text] : [];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line ? `${line} ${word}` : word;
    if (widthOf(doc, longer, style) <= width) {
      line = longer;
      continue;
    }
    if (line) lines.push(line);
    line = word;
    while (widthOf(doc, line, style) > width && line.length > 1) {
      let length = line.length - 1;
      while (length > 1 && widthOf(doc, line.slice(0, length), style) > width) length = Math.floor(length * 0.9);
      lines.push(line.slice(0, length));
      line = line.slice(length);
    }
  }
  if (line) lines.push(line);
  return lines;
}

function paragraph(doc: Doc, text: string, x: number, y: number, width: number, style: Style): number {
  const leading = style.leading ?? style.size * 1.42;
  const align = style.align ?? (isRightToLeft(text) ? 'right' : 'left');
  for (const line of broken(doc, text, width, style)) {
    put(doc, line, x, y, width, { ...style, align });
    y += leading;
  }
  return y;
}

const line = (doc: Doc, x: number, y: number, width: number, color = rule) =>
  doc
    .moveTo(x, y)
    .lineTo(x + width, y)
    .lineWidth(0.6)
    .strokeColor(color)
    .stroke();

// The code ------------------------------------------------------------------------------------------------------------------------

type Modules = { size: number; isDark(row: number, column: number): boolean };

function modulesOf(text: string): Modules {
  const { modules } = QRCode.create(text, { errorCorrectionLevel: 'M' });
  return { size: modules.size, isDark: (row, column) => modules.get(row, column) === 1 };
}

/** Dark stretches of each row, so that a code is a few hundred rectangles instead of thousands. */
function* stretches(modules: Modules): Generator<{ row: number; from: number; length: number }> {
  for (let row = 0; row < modules.size; row++) {
    for (let column = 0; column < modules.size; column++) {
      if (!modules.isDark(row, column)) continue;
      const from = column;
      while (column + 1 < modules.size && modules.isDark(row, column + 1)) column++;
      yield { row, from, length: column - from + 1 };
    }
  }
}

/** As vector, with the four quiet modules around it; a white ground keeps the watermark off. */
function drawCode(doc: Doc, text: string, x: number, y: number, size: number): void {
  const modules = modulesOf(text);
  const step = size / (modules.size + 8);
  doc.rect(x, y, size, size).fill('#ffffff');
  for (const { row, from, length } of stretches(modules)) doc.rect(x + (from + 4) * step, y + (row + 4) * step, length * step, step);
  doc.fill('#000000');
}

/** The same code for the screen. */
export function receiptQrSvg(text: string): string {
  const modules = modulesOf(text);
  const size = modules.size + 8;
  const path = [...stretches(modules)].map(({ row, from, length }) => `M${from + 4} ${row + 4}h${length}v1h-${length}z`).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" role="img" aria-label="QR"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
}

// Marks ---------------------------------------------------------------------------------------------------------------------------

function watermark(doc: Doc, text: string, centerX: number, centerY: number, size: number): void {
  doc.save();
  doc.rotate(-40, { origin: [centerX, centerY] }).fillOpacity(0.1);
  put(doc, text, centerX - 400, centerY - size / 2, 800, { size, face: 'strong', align: 'center', color: '#b3261e' });
  doc.restore();
}

const notOfficial = 'THIS IS NOT AN OFFICIAL RECEIPT';
const test = 'TEST: not a fiscal receipt';
const refundNote = ['REFUND IS APPROVED ONLY FOR', 'ORIGINAL SALES RECEIPT'];

function drawLogo(doc: Doc, logo: string | null, x: number, y: number, height: number): number {
  const data = /^data:image\/(?:png|jpeg);base64,(.+)$/.exec(logo ?? '')?.[1];
  if (!data) return 0;
  doc.image(Buffer.from(data, 'base64'), x, y, { fit: [height * 3, height] });
  return height;
}

// A4 ------------------------------------------------------------------------------------------------------------------------------

async function drawA4(doc: Doc, paper: Paper, breathe: Breathe): Promise<void> {
  const left = 42;
  const width = 595.28 - 2 * left;
  const bottom = 841.89 - 48;
  const columns = { detail: left + width * 0.52, amount: left + width * 0.74 };
  let page = 0;
  const begin = (): number => {
    page += 1;
    if (page > 1) doc.addPage();
    if (paper.isTest) {
      doc.rect(0, 0, 595.28, 22).fill('#fdecea');
      put(doc, test, left, 5, width, { size: 9.5, face: 'strong', align: 'center', color: '#b3261e' });
    }
    if (paper.mark) watermark(doc, paper.mark, 297, 400, 150);
    return 40;
  };
  let y = begin();
  const room = (needed: number) => {
    if (y + needed <= bottom) return;
    y = begin();
  };

  const logo = drawLogo(doc, paper.header.logo, left, y, 44);
  if (logo) y += logo + 8;
  const headTop = y;
  y = paragraph(doc, paper.header.name, left, y, width * 0.58, { size: 17, face: 'strong', color: paper.accentColor });
  for (const each of paper.header.lines) y = paragraph(doc, each, left, y, width * 0.58, { size: 9, color: faint });
  y = paragraph(doc, paper.header.taxpayer, left, y, width * 0.58, { size: 9.5, face: 'strong' });
  put(doc, paper.title, left + width * 0.6, headTop, width * 0.4, { size: 15, face: 'strong', align: 'right' });
  let side = headTop + 24;
  if (paper.mark) {
    put(doc, paper.mark, left + width * 0.6, side, width * 0.4, { size: 20, face: 'strong', align: 'right', color: '#b3261e' });
    side += 28;
  }
  for (const [label, value] of paper.document) {
    put(doc, `${label}: ${value}`, left + width * 0.5, side, width * 0.5, { size: 9, align: 'right' });
    side += 13;
  }
  y = Math.max(y, side) + 8;
  line(doc, left, y, width);
  y += 9;
  if (paper.refund) {
    for (const text of [paper.refund.reference, ...refundNote]) {
      put(doc, text, left, y, width, { size: 10, face: 'strong', align: 'center' });
      y += 14;
    }
    line(doc, left, y + 2, width);
    y += 11;
  }
  if (paper.topMessage) y = paragraph(doc, paper.topMessage, left, y, width, { size: 9, align: 'center', color: faint }) + 3;
  for (const [label, value] of paper.buyer) y = paragraph(doc, `${label}: ${value}`, left, y, width, { size: 9.5 });
  y += 8;

  const head = () => {
    doc.rect(left, y, width, 19).fill('#f3f4f7');
    put(doc, 'ITEM', left + 6, y + 4, 200, { size: 8, face: 'strong', color: faint, align: 'left' });
    put(doc, 'PRICE x QUANTITY', columns.detail, y + 4, columns.amount - columns.detail - 6, { size: 8, face: 'strong', color: faint, align: 'right' });
    put(doc, 'AMOUNT', columns.amount, y + 4, left + width - columns.amount - 6, { size: 8, face: 'strong', color: faint, align: 'right' });
    y += 24;
  };
  head();
  for (const each of paper.lines) {
    await breathe();
    const style: Style = { size: 9.5 };
    const names = broken(doc, each.name, columns.detail - left - 14, style);
    const height = names.length * 13.5 + (each.discount ? 12 : 0) + 5;
    if (y + height > bottom) {
      y = begin();
      head();
    }
    const top = y;
    for (const name of names) {
      put(doc, name, left + 6, y, columns.detail - left - 14, style);
      y += 13.5;
    }
    put(doc, each.detail, columns.detail, top, columns.amount - columns.detail - 6, { size: 9.5, align: 'right' });
    put(doc, each.amount, columns.amount, top, left + width - columns.amount - 6, { size: 9.5, align: 'right' });
    if (each.discount) {
      put(doc, each.discount.label, left + 6, y - 1, 200, { size: 8.5, color: faint, align: 'left' });
      put(doc, each.discount.amount, columns.amount, y - 1, left + width - columns.amount - 6, { size: 9.5, align: 'right' });
      y += 12;
    }
    y += 3;
    line(doc, left, y, width, '#eceef2');
    y += 4;
  }

  const totalsHeight = paper.totals.length * 15 + 60;
  room(totalsHeight);
  y += 6;
  if (paper.mark) {
    put(doc, notOfficial, left, y, width * 0.5, { size: 10, face: 'strong', color: '#b3261e', align: 'left' });
  }
  const right = left + width * 0.5;
  for (const total of paper.totals) {
    const style: Style = { size: total.isStrong ? 11 : 9.5, face: total.isStrong ? 'strong' : 'body' };
    put(doc, total.label, right, y, width * 0.25, { ...style, align: 'left' });
    put(doc, total.amount, right + width * 0.2, y, width * 0.3 - 6, { ...style, align: 'right' });
    y += total.isStrong ? 17 : 14;
  }
  line(doc, right, y, width * 0.5);
  y += 6;
  for (const [label, value] of paper.tender) {
    put(doc, label, right, y, width * 0.3, { size: 9.5, align: 'left' });
    put(doc, value, right + width * 0.2, y, width * 0.3 - 6, { size: 9.5, align: 'right' });
    y += 14;
  }

  const code = 122;
  room(code + 120);
  y += 12;
  if (paper.mark) {
    put(doc, paper.mark, left, y, width, { size: 22, face: 'strong', align: 'center', color: '#b3261e' });
    y += 28;
    put(doc, notOfficial, left, y, width, { size: 20, face: 'strong', align: 'center', color: '#b3261e' });
    y += 32;
  }
  line(doc, left, y, width);
  y += 10;
  const top = y;
  if (paper.sdc.length > 0) {
    put(doc, 'SDC INFORMATION', left, y, 300, { size: 10, face: 'strong', align: 'left' });
    y += 17;
  }
  for (const [label, value] of paper.sdc) {
    put(doc, `${label}: ${value}`, left, y, width - code - 12, { size: 9.5, align: 'left' });
    y += 14;
  }
  if (paper.code) drawCode(doc, paper.code, left + width - code, top, code);
  y += 5;
  line(doc, left, y, width - code - 14);
  y += 7;
  for (const [label, value] of paper.cis) {
    put(doc, `${label}: ${value}`, left, y, width - code - 12, { size: 9.5, align: 'left' });
    y += 14;
  }
  y = Math.max(y, paper.code ? top + code : top) + 8;
  line(doc, left, y, width);
  y += 8;
  for (const each of paper.footer) {
    room(14);
    y = paragraph(doc, each, left, y, width, { size: 8.5, align: 'center', color: faint });
  }
}

// 80 mm ---------------------------------------------------------------------------------------------------------------------------

async function drawRoll(doc: Doc, paper: Paper, breathe: Breathe): Promise<number> {
  const left = 4 * mm;
  const width = 72 * mm;
  const size = 8.2;
  let y = 10;
  const center = (text: string, style: Partial<Style> = {}) => {
    y = paragraph(doc, text, left, y, width, { size, align: 'center', ...style });
  };
  const pair = (label: string, value: string, style: Partial<Style> = {}) => {
    const full: Style = { size, ...style };
    put(doc, label, left, y, width * 0.6, { ...full, align: 'left' });
    put(doc, value, left, y, width, { ...full, align: 'right' });
    y += (full.size ?? size) * 1.5;
  };
  const separator = () => {
    y += 3;
    doc
      .moveTo(left, y)
      .lineTo(left + width, y)
      .lineWidth(0.6)
      .dash(2, { space: 2 })
      .strokeColor(faint)
      .stroke()
      .undash();
    y += 5;
  };
  if (paper.mark) watermark(doc, paper.mark, 40 * mm, 150, 62);
  if (paper.isTest) center(test, { face: 'strong', size: 9, color: '#b3261e' });
  const logo = drawLogo(doc, paper.header.logo, left + width / 2 - 48, y, 32);
  if (logo) y += logo + 4;
  center(paper.header.name, { face: 'strong', size: 12 });
  for (const each of paper.header.lines) center(each);
  center(paper.header.taxpayer, { face: 'strong' });
  if (paper.mark) center(paper.mark, { face: 'strong', size: 17 });
  separator();
  if (paper.refund) {
    center('REFUND', { face: 'strong', size: 10 });
    center(paper.refund.reference);
    separator();
    for (const each of refundNote) center(each, { face: 'strong' });
    separator();
  }
  if (paper.topMessage) center(paper.topMessage);
  for (const [label, value] of [...paper.buyer, ...paper.document]) y = paragraph(doc, `${label}: ${value}`, left, y, width, { size });
  separator();
  for (const each of paper.lines) {
    await breathe();
    y = paragraph(doc, each.name, left, y, width, { size });
    pair(each.detail, each.amount);
    if (each.discount) pair(each.discount.label, each.discount.amount);
  }
  separator();
  if (paper.mark) center(notOfficial, { face: 'strong', size: 9 });
  for (const total of paper.totals) pair(total.label, total.amount, total.isStrong ? { face: 'strong', size: 10 } : {});
  separator();
  for (const [label, value] of paper.tender) pair(label, value);
  separator();
  if (paper.mark) {
    center(paper.mark, { face: 'strong', size: 17 });
    center(notOfficial, { face: 'strong', size: 16.5 });
    separator();
  }
  if (paper.sdc.length > 0) center('SDC INFORMATION', { face: 'strong' });
  for (const [label, value] of paper.sdc) y = paragraph(doc, `${label}: ${value}`, left, y, width, { size, align: 'left' });
  y += 4;
  const code = 142;
  if (paper.code) {
    drawCode(doc, paper.code, left + (width - code) / 2, y, code);
    y += code + 2;
  }
  separator();
  for (const [label, value] of paper.cis) y = paragraph(doc, `${label}: ${value}`, left, y, width, { size, align: 'left' });
  separator();
  for (const each of paper.footer) center(each, { color: faint });
  return y + 12;
}
