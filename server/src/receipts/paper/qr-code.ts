import QRCode from 'qrcode';
import type { Box, Surface } from './surface.ts';

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
export function drawCode(surface: Surface, text: string, x: number, y: number, size: number): void {
  const modules = modulesOf(text);
  const step = size / (modules.size + 8);
  surface.boxes([{ x, y, width: size, height: size }], '#ffffff');
  const dark: Box[] = [];
  for (const { row, from, length } of stretches(modules))
    dark.push({
      x: x + (from + 4) * step,
      y: y + (row + 4) * step,
      width: length * step,
      height: step,
    });
  surface.boxes(dark, '#000000');
}

/** The same code for the screen. */
export function codeSvg(text: string): string {
  const modules = modulesOf(text);
  const size = modules.size + 8;
  const path = [...stretches(modules)]
    .map(({ row, from, length }) => `M${from + 4} ${row + 4}h${length}v1h-${length}z`)
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges" role="img" aria-label="QR"><path fill="#fff" d="M0 0h${size}v${size}H0z"/><path d="${path}"/></svg>`;
}
