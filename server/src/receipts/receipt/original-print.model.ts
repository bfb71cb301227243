/**
 * What a branch gives out as the original: a paper, the mail to the buyer, or the file attached to
 * the document in Zoho.
 */
const originalPapers = ['a4', 'a5', '80mm', '58mm', 'mail', 'zoho'] as const;
export type OriginalPaper = (typeof originalPapers)[number];

/**
 * What is wanted of a print. `original` and `copy` are somebody's word. `asked`: a person prints
 * and leaves it to what the branch has chosen, and where it has chosen nothing, the first paper
 * that a person prints is the original. `read`: nobody prints, something is only read or sent
 * along; that makes an original only where the branch has chosen this very paper for it.
 */
export type Wish = 'original' | 'copy' | 'asked' | 'read';

/** There is one original of a receipt, and nobody gets it who was not meant to. */
export function isOriginal(
  wish: Wish,
  paper: OriginalPaper,
  stands: { choice: OriginalPaper | null; hasOriginal: boolean },
): boolean {
  if (stands.hasOriginal || wish === 'copy') return false;
  if (wish === 'original') return true;
  return stands.choice === paper || (wish === 'asked' && stands.choice === null);
}

export const nameOfPaper: Record<PaperSize, string> = {
  a4: 'A4',
  a5: 'A5',
  '80mm': '80 mm',
  '58mm': '58 mm',
};

/**
 * `INV-1001 receipt 80mm.pdf`, and of a copy which one it is: files of two papers never hide each
 * other.
 */
export const fileNameOf = (
  documentNumber: string,
  print: { paper: PaperSize; number: number },
  ending = 'pdf',
): string =>
  `${documentNumber.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 60) || 'receipt'} receipt ${nameOfPaper[print.paper].replace(' ', '')}${print.number > 0 ? ` COPY ${print.number}` : ''}.${ending}`;

export type PaperSize = (typeof paperSizes)[number];

/** A sheet, its half, and the two widths of roll that counters print on. */
const paperSizes = ['a4', 'a5', '80mm', '58mm'] as const;
