import { fontsFor } from '@muhuri/server/receipts/paper/fonts';
import type { ReceiptLayout } from '@muhuri/server/model/receipt-layout.model';
import { drawRoll } from '@muhuri/server/receipts/paper/roll';
import { drawSheet } from '@muhuri/server/receipts/paper/sheet';
import { measure, type Piece, type Surface } from '@muhuri/server/receipts/paper/surface';
import { typesetter } from '@muhuri/server/receipts/paper/typesetter';

/**
 * What stands on a receipt, line by line as a reader sees it. Words of a line that stand apart
 * have two blanks between them.
 */
export async function textOnPaper(layout: ReceiptLayout, size: '80mm' | 'a4'): Promise<string> {
  const fonts = await fontsFor([JSON.stringify(layout)], [layout.header.name]);
  const pages: Piece[][] = [];
  const recording: Surface = {
    ...measure,
    page: () => pages.push([]),
    text: (piece) => pages.at(-1)?.push(piece),
    pages: () => pages.length,
    onPage: (index, draw) => {
      const others = pages.splice(index + 1);
      draw();
      pages.push(...others);
    },
  };
  const set = typesetter(recording, fonts);
  if (size === 'a4') drawSheet(recording, set, layout, size);
  else drawRoll(recording, (surface) => typesetter(surface, fonts), layout, size);
  const widthOf = (piece: Piece) => set.widthOf(piece.text, { size: piece.size });
  return pages
    .map((pieces) => linesOf(pieces, widthOf).join('\n'))
    .join('\n\f\n')
    .concat('\n');
}

function linesOf(pieces: Piece[], widthOf: (piece: Piece) => number): string[] {
  const byTop = new Map<number, Piece[]>();
  for (const piece of pieces) {
    const top = Math.round(piece.top);
    byTop.set(top, [...(byTop.get(top) ?? []), piece]);
  }
  return [...byTop]
    .sort(([a], [b]) => a - b)
    .map(([, line]) => {
      let end: number | null = null;
      let text = '';
      for (const piece of line.toSorted((a, b) => a.x - b.x)) {
        text += `${end !== null && piece.x - end > 3 ? '  ' : ''}${piece.text}`;
        end = piece.x + widthOf(piece);
      }
      return text.trimEnd();
    });
}
