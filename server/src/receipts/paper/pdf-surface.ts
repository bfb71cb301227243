import PDFDocument from 'pdfkit';
import { latin, usualFont } from './fonts.ts';
import { type Surface, watermarkDegrees, watermarkOpacity } from './surface.ts';

export type PdfSurface = { surface: Surface; end(): Promise<Buffer> };

/**
 * A PDF with the letters it needs of each font embedded. The same drawing and moment give the same
 * bytes; nothing is read from a clock.
 */
export function pdfSurface(at: Date, title: string): PdfSurface {
  const doc = new PDFDocument({
    font: null as never,
    autoFirstPage: false,
    bufferPages: true,
    margin: 0,
    info: { CreationDate: at, ModDate: at, Producer: 'Muhuri', Creator: 'Muhuri', Title: title },
  });
  const parts: Buffer[] = [];
  doc.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise<void>((resolve, reject) => {
    doc.on('end', resolve);
    doc.on('error', reject);
  });
  ended.catch(() => {});
  const registered = new Set<string>();
  const base = usualFont(latin, 'body').file;
  const ascent = base.ascent / base.unitsPerEm;
  const surface: Surface = {
    page: (width, height) => {
      doc.addPage({ size: [width, height], margin: 0 });
    },
    text({ text, font, size, color, x, top }) {
      if (!registered.has(font.id)) {
        doc.registerFont(font.id, font.file as never);
        registered.add(font.id);
      }
      doc.fillColor(color).font(font.id).fontSize(size);
      // A list of features, even empty, keeps the library from laying joined letters out word by
      // word; without one it remembers words.
      const isLatin = font.id.startsWith(latin);
      const down = isLatin ? 0 : (ascent - font.file.ascent / font.file.unitsPerEm) * size;
      doc.text(
        text,
        x,
        top + down,
        isLatin ? { lineBreak: false } : { lineBreak: false, features: {} as never },
      );
    },
    boxes(boxes, color) {
      for (const { x, y, width, height } of boxes) doc.rect(x, y, width, height);
      doc.fill(color);
    },
    rule(x, y, width, color, isDashed = false) {
      doc
        .moveTo(x, y)
        .lineTo(x + width, y)
        .lineWidth(0.6);
      if (isDashed) doc.dash(2, { space: 2 });
      doc.strokeColor(color).stroke();
      if (isDashed) doc.undash();
    },
    image: (bytes, { x, y, width, height }) => {
      doc.image(bytes, x, y, { fit: [width, height] });
    },
    watermark(x, y, draw) {
      doc.save();
      doc.rotate(watermarkDegrees, { origin: [x, y] }).fillOpacity(watermarkOpacity);
      draw();
      doc.restore();
    },
    pages: () => doc.bufferedPageRange().count,
    onPage(page, draw) {
      doc.switchToPage(page);
      draw();
      doc.switchToPage(doc.bufferedPageRange().count - 1);
    },
  };
  return {
    surface,
    async end() {
      doc.end();
      await ended;
      return Buffer.concat(parts);
    },
  };
}
