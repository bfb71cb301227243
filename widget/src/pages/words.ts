import { ar } from './words.ar.ts';
import { en, type PageWords } from './words.en.ts';
import { fr } from './words.fr.ts';

export type { PageWords } from './words.en.ts';

const languages = { en, fr, ar } as const;
export type Language = keyof typeof languages;

export const names: Record<Language, string> = { en: 'English', fr: 'Français', ar: 'العربية' };

export const languageOf = (text: string): Language => {
  const short = text.slice(0, 2).toLowerCase();
  return short in languages ? (short as Language) : 'en';
};
export const wordsOf = (language: Language): PageWords => languages[language];

/** `{name}` in a sentence. */
export const filled = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (whole, key: string) => (key in values ? String(values[key]) : whole));
