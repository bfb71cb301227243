import { type Font, latin, usualFont } from './fonts.ts';
import { type Surface, watermarkDegrees, watermarkOpacity } from './surface.ts';

type SvgPage = { width: number; height: number; svg: string };
export type SvgSurface = {
  surface: Surface;
  end(): { pages: SvgPage[]; glyphs: string; texts: string[] };
};

/**
 * Pages for a browser, every letter as the shape it has in the PDF: no font of the machine decides
 * how a receipt looks. `glyphs`: the shapes, each once; `texts`: the words in the order they were
 * drawn, for who does not see.
 */
export function svgSurface(): SvgSurface {
  const pages: { width: number; height: number; parts: string[] }[] = [];
  const shapes = new Map<string, string>();
  const names = new Map<string, string>();
  const texts: string[] = [];
  const base = usualFont(latin, 'body').file;
  const ascent = base.ascent / base.unitsPerEm;
  let current = 0;
  const add = (part: string) => pages[current]?.parts.push(part);

  const shapeOf = (font: Font, glyph: { id: number; path: { toSVG(): string } }): string => {
    if (!names.has(font.id)) names.set(font.id, `f${names.size}`);
    const name = `${names.get(font.id)}g${glyph.id}`;
    if (!shapes.has(name)) shapes.set(name, `<path id="${name}" d="${glyph.path.toSVG()}"/>`);
    return name;
  };

  const surface: Surface = {
    page(width, height) {
      pages.push({ width, height, parts: [] });
      current = pages.length - 1;
    },
    text({ text, font, size, color, x, top }) {
      const { glyphs, positions } = font.file.layout(text);
      const scale = Math.round((size / font.file.unitsPerEm) * 1e6) / 1e6;
      let at = 0;
      const drawn = glyphs.map((glyph, i) => {
        const position = positions[i] as (typeof positions)[number];
        const place = `x="${short(at + position.xOffset)}"${position.yOffset === 0 ? '' : ` y="${short(position.yOffset)}"`}`;
        at += position.xAdvance;
        return `<use href="#${shapeOf(font, glyph)}" ${place}/>`;
      });
      add(
        `<g fill="${color}" transform="translate(${short(x)} ${short(top + ascent * size)}) scale(${scale} ${-scale})">${drawn.join('')}</g>`,
      );
      texts.push(text);
    },
    boxes(boxes, color) {
      const path = boxes
        .map(
          ({ x, y, width, height }) =>
            `M${short(x)} ${short(y)}h${short(width)}v${short(height)}h${short(-width)}z`,
        )
        .join('');
      add(`<path fill="${color}" d="${path}"/>`);
    },
    rule(x, y, width, color, isDashed = false) {
      add(
        `<path stroke="${color}" stroke-width=".6"${isDashed ? ' stroke-dasharray="2"' : ''} d="M${short(x)} ${short(y)}h${short(width)}"/>`,
      );
    },
    image(bytes, { x, y, width, height }) {
      const type = bytes[0] === 0x89 ? 'png' : 'jpeg';
      const place = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" preserveAspectRatio="xMinYMin"`;
      add(`<image ${place} href="data:image/${type};base64,${bytes.toString('base64')}"/>`);
    },
    watermark(x, y, draw) {
      add(
        `<g opacity="${watermarkOpacity}" transform="rotate(${watermarkDegrees} ${short(x)} ${short(y)})">`,
      );
      draw();
      add('</g>');
    },
    pages: () => pages.length,
    onPage(page, draw) {
      current = page;
      draw();
      current = pages.length - 1;
    },
  };
  return {
    surface,
    end: () => ({
      pages: pages.map(({ width, height, parts }) => ({ width, height, svg: parts.join('') })),
      glyphs: [...shapes.values()].join(''),
      texts,
    }),
  };
}

const short = (length: number): string => String(Math.round(length * 100) / 100);
