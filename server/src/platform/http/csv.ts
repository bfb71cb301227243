import { setImmediate as others, setTimeout as rest } from 'node:timers/promises';

/**
 * What a spreadsheet takes for a formula, whatever blanks and marks stand before it: at the
 * beginning of a cell, and after whatever one of another country may cut the line at, though it
 * stands within one cell here. It cuts within our quotation marks then, and takes those that stand
 * before a part for its own: what they hold is the part. The small and full-width signs are typed
 * on keyboards of East Asia.
 */
const formula =
  /(^|[;,|\t\r\n])([\s\p{C}"'`]*)([=+\-@\uFF1D\uFF0B\uFF0D\uFF20\uFE66\uFE62\uFE63\uFE6B\u2212])/gu;
const negative = /^-\d+(?:\.\d+)?$/;

/** A cell that a spreadsheet would run as a formula is made plain text; a negative amount stays a number. */
export function plainCell(value: unknown): string {
  const text =
    value === null || value === undefined
      ? ''
      : typeof value === 'string'
        ? value
        : JSON.stringify(value);
  return negative.test(text) ? text : text.replace(formula, "$1$2'$3");
}

/** After each page everybody else has so many times as long as it took. A page that waited long for something else is no reason to rest as long. */
const restTimes = 6;
const restMostMs = 400;

/**
 * A table for spreadsheets, page by page as it is asked for, so that it is never whole in memory: with a heading, and the mark that tells them it
 * is UTF-8. Every cell is quoted. It rests after each page, so that a business that exports without end has a seventh of what the server and the
 * database can do and no more. The library is loaded with the first export.
 */
export async function* csvOf(
  columns: string[],
  pages: AsyncIterable<unknown[][]>,
): AsyncGenerator<string> {
  const { stringify } = await import('csv-stringify/sync');
  const lines = (rows: unknown[][]) => stringify(rows, { quoted: true, quoted_empty: true });
  yield `\uFEFF${lines([columns])}`;
  let began = performance.now();
  for await (const rows of pages) {
    const text = lines(rows.map((cells) => cells.map(plainCell)));
    const restMs = Math.min(restMostMs, restTimes * (performance.now() - began));
    if (rows.length > 0) yield text;
    await (restMs < 1 ? others() : rest(restMs));
    began = performance.now();
  }
}

/** Pages of something that is listed by a cursor, up to so many rows. */
export async function* pagesOf<Row, After>(
  list: (after: After | null, limit: number) => Promise<Row[]>,
  paging: { page: number; most: number; after(row: Row): After },
): AsyncGenerator<Row[]> {
  let after: After | null = null;
  for (let left = paging.most; left > 0; ) {
    const limit = Math.min(paging.page, left);
    const rows: Row[] = await list(after, limit);
    yield rows;
    const last = rows.at(-1);
    if (rows.length < limit || !last) return;
    left -= rows.length;
    after = paging.after(last);
  }
}
