import type { StoredProblem } from '@muhuri/shared/problems';
import { cut } from '@muhuri/shared/text';
import type { BooksDocument } from '../../model/books-document.model.ts';
import { isPlain, printable } from '../sale/printable-text.model.ts';

export type Text = { field: string; text: string };
export type FindUnprintable = (businessId: string, texts: Text[]) => Promise<StoredProblem[]>;

/** What of a document stands on its receipt as it was typed. */
export const textsOn = (document: Pick<BooksDocument, 'number' | 'customer' | 'lines'>): Text[] => [
  { field: 'number', text: document.number },
  { field: 'customer_name', text: document.customer.name },
  ...document.lines.map(({ name }, index) => ({ field: `line_items[${index}].name`, text: name })),
];

const findingsMax = 5;
const knownMax = 50_000;

/**
 * Texts that no font can print whole, said before a document is sealed (or a name is kept) instead
 * of standing as empty boxes on receipts. Which letters have a font is looked up away from here
 * (`find`) and remembered; most documents hold none that has to be asked for.
 */
export function findUnprintable(ports: {
  find(businessId: string, letters: string[]): Promise<string[]>;
}): FindUnprintable {
  const known = new Map<string, boolean>();
  const learn = async (businessId: string, letters: string[]): Promise<void> => {
    if (known.size > knownMax) known.clear();
    const asked = letters.filter((letter) => !known.has(letter));
    if (asked.length === 0) return;
    const without = new Set(await ports.find(businessId, asked));
    for (const letter of asked) known.set(letter, without.has(letter));
  };
  return async (businessId, given) => {
    const texts = given
      .map(({ field, text }) => ({ field, text: printable(text) }))
      .filter(({ text }) => !isPlain(text));
    if (texts.length === 0) return [];
    try {
      await learn(businessId, [...new Set(texts.flatMap(({ text }) => [...text]))]);
    } catch {
      // Nobody waits for a busy thread to seal: whether a name can be printed is worth a word
      // before, never a receipt that does not come about.
      return [];
    }
    return texts
      .flatMap(({ field, text }): StoredProblem[] => {
        const letters = [...new Set(text)].filter((letter) => known.get(letter));
        return letters.length > 0
          ? [
              {
                code: 'text_unprintable',
                field,
                text: cut(text, 100),
                characters: letters.slice(0, 5).map(named).join(', '),
              },
            ]
          : [];
      })
      .slice(0, findingsMax);
  };
}

/** The letter may show as a box on the screen as well: its number says which it is. */
const named = (letter: string): string =>
  `${letter} (U+${(letter.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')})`;
