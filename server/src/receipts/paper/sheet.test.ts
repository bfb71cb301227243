import { expect, test } from 'vitest';
import { fontsFor } from './fonts.ts';
import { drawSheet } from './sheet.ts';
import { measure, type Piece } from './surface.ts';
import { typesetter } from './typesetter.ts';

const line = (name: string, detail: string, amount: string) => ({
  name,
  detail,
  amount,
  discount: null,
});
const paper = {
  mark: null,
  notOfficial: '',
  isTest: false,
  header: { logo: null, name: 'Inzozi', lines: [], taxpayer: 'TIN: 100200300' },
  accentColor: '#000000',
  title: 'SALES RECEIPT',
  refund: null,
  topMessage: '',
  buyer: [],
  document: [],
  columns: { item: 'ITEM', price: 'PRICE x QUANTITY', amount: 'AMOUNT' },
  lines: [
    line(
      'A name that fills the column it stands in to its very end',
      '14,750,000.145679 x 12345.678901',
      '182,098,765,588.25 B',
    ),
    line(
      'Another one, of which the amount alone is wide',
      '9,007,199,254,740,993.00 x 1',
      '9,007,199,254,740,993.00 A-EX',
    ),
    line('Ikawa', '10,030.00 x 1', '10,030.00 B'),
  ],
  totals: [],
  tender: [],
  signature: { title: '', rows: [] },
  code: '',
  system: [],
  footer: [],
  pageNames: [],
} as Parameters<typeof drawSheet>[2];

test.each(['a4', 'a5'] as const)(
  'on %s no figure is drawn over a name or another figure, however long it is',
  async (size) => {
    const pieces: Piece[] = [];
    const set = typesetter({ ...measure, text: (piece) => pieces.push(piece) }, await fontsFor([]));
    drawSheet({ ...measure, text: (piece) => pieces.push(piece) }, set, paper, size);
    const placed = pieces.map((piece) => ({
      ...piece,
      end: piece.x + set.widthOf(piece.text, { size: piece.size }),
    }));
    const over = placed.flatMap((a) =>
      placed
        .filter((b) => a !== b && a.x <= b.x && Math.abs(a.top - b.top) < a.size && a.end > b.x)
        .map((b) => [a.text, b.text]),
    );
    expect(over).toEqual([]);
    for (const { detail, amount } of paper.lines)
      expect(placed.map((each) => each.text)).toEqual(expect.arrayContaining([detail, amount]));
  },
);

test.each(['a4', 'a5'] as const)(
  'on %s no page holds nothing but the last words, and nothing is drawn below its edge',
  async (size) => {
    const fonts = await fontsFor([]);
    const height = size === 'a4' ? 841.89 : 595.28;
    const rows = (n: number, what: string): [string, string][] =>
      Array.from({ length: n }, (_, i) => [`${what} ${i}`, 'value']);
    for (const mark of [null, 'COPY'])
      for (let lines = 1; lines <= 60; lines++) {
        let pages = 0;
        const pieces: (Piece & { page: number })[] = [];
        const surface = {
          ...measure,
          page: () => void (pages += 1),
          pages: () => pages,
          text: (piece: Piece) => void pieces.push({ ...piece, page: pages }),
        };
        const full = {
          signature: { title: 'SDC INFORMATION', rows: rows(6, 'sdc') },
          system: rows(4, 'cis'),
          totals: rows(4, 'total').map(([label, amount]) => ({ label, amount, isStrong: false })),
          footer: ['Muhuri 0.1.0'],
        };
        const those = Array.from({ length: lines }, () => line('Ikawa', '1.00 x 1', '1.00 B'));
        drawSheet(
          surface,
          typesetter(surface, fonts),
          {
            ...paper,
            ...full,
            mark,
            notOfficial: 'THIS IS NOT AN OFFICIAL RECEIPT',
            code: 'x',
            tender: rows(1, 'Cash'),
            lines: those,
          } as typeof paper,
          size,
        );
        const onLast = pieces.filter((each) => each.page === pages).map((each) => each.text);
        expect(
          onLast.some((text) => /sdc|cis/.test(text)),
          `${lines} lines: ${onLast}`,
        ).toBe(true);
        expect(
          pieces.filter((each) => each.top + each.size > height).map((each) => each.text),
        ).toEqual([]);
      }
  },
);
