/** A cell that a spreadsheet would run as a formula is made plain text; a negative amount stays a number. */
const plain = (value: unknown): string => {
  const text = value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return /^[=+\-@\t\r]/.test(text) && !/^-\d+(?:\.\d+)?$/.test(text) ? `'${text}` : text;
};

/** A table for spreadsheets: with a heading, and the mark that tells them it is UTF-8. The library is loaded with the first export. */
export const toCsv = async (columns: string[], rows: unknown[][]): Promise<string> =>
  (await import('csv-stringify/sync')).stringify(
    rows.map((cells) => cells.map(plain)),
    { header: true, columns, bom: true },
  );
