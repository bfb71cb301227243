import { en, type Words } from './en.ts';
import { fr } from './fr.ts';

export type { Words } from './en.ts';

/** The words of a language; English where it is not spoken here yet. */
export const wordsOf = (language: string): Words =>
  language.toLowerCase().startsWith('fr') ? fr : en;
