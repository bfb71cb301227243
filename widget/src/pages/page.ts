import { createContext } from 'preact';
import { useContext, useEffect, useState } from 'preact/hooks';
import { ApiProblem, isSessionOver, Offline } from '../request.ts';
import type { PageApi } from './api.ts';
import type { Language, PageWords } from './words.ts';

export type PageFrame = {
  words: PageWords;
  language: Language;
  api: PageApi;
  setLanguage(language: Language): void;
  /**
   * Asks for the second factor, sets one up where there is none; false where the person gave up.
   */
  askFactor(kind: 'second_factor_setup' | 'second_factor_needed'): Promise<boolean>;
  /** The session is over, and why. */
  signedOut(why: string): void;
};

export const PageContext = createContext<PageFrame>(null as unknown as PageFrame);
export const usePage = () => useContext(PageContext);

/** A sentence for whatever went wrong. */
export const told = (error: unknown, words: PageWords): string =>
  error instanceof ApiProblem
    ? [
        error.problem.title,
        error.problem.detail,
        error.problem.field
          ? `(${error.problem.field}${error.problem.reason ? `: ${String(error.problem.reason)}` : ''})`
          : '',
        error.problem.device_text
          ? `${error.problem.device_code}: ${error.problem.device_text}`
          : '',
      ]
        .filter(Boolean)
        .join(' ')
    : `${words.offline}. ${words.offlineNext}`;

const whyOver = (error: ApiProblem, words: PageWords): string =>
  error.problem.code === 'zoho_user_ended' ? told(error, words) : words.sessionOver;

/**
 * Runs what a person asked for: busy meanwhile, the second factor where it is asked for, and one
 * sentence if it goes wrong.
 */
export function useAct() {
  const page = usePage();
  const [isBusy, setBusy] = useState(false);
  const [message, setMessage] = useState('');
  const [isGood, setGood] = useState(false);
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const code = error instanceof ApiProblem ? error.problem.code : null;
      if (code !== 'second_factor_setup' && code !== 'second_factor_needed') throw error;
      if (await page.askFactor(code)) await work();
    }
  };
  const act = async (work: () => Promise<unknown>, done?: string): Promise<void> => {
    setBusy(true);
    setMessage('');
    setGood(false);
    try {
      await attempt(work);
      if (done) {
        setGood(true);
        setMessage(done);
      }
    } catch (error) {
      if (isSessionOver(error)) page.signedOut(whyOver(error, page.words));
      else if (error instanceof ApiProblem || error instanceof Offline)
        setMessage(told(error, page.words));
      else throw error;
    } finally {
      setBusy(false);
    }
  };
  return { act, isBusy, message, isGood };
}

export type Loaded<T> = { data: T | null; problem: string; reload(): void };

/** Reads something when shown, and again when asked. */
export function useLoad<T>(
  read: () => Promise<T>,
  on: unknown[] = [],
): Loaded<T> & { set(data: T): void } {
  const page = usePage();
  const [data, set] = useState<T | null>(null);
  const [problem, setProblem] = useState('');
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isShown = true;
    setProblem('');
    read().then(
      (found) => isShown && set(found),
      (error: unknown) => {
        if (!isShown) return;
        if (isSessionOver(error)) page.signedOut(whyOver(error, page.words));
        else {
          setProblem(told(error, page.words));
          // A session that came by Zoho on a device that is not known: it opens nothing before the
          // second factor is given.
          if (error instanceof ApiProblem && error.problem.code === 'second_factor_needed')
            void page
              .askFactor('second_factor_needed')
              .then((isGiven) => isGiven && isShown && setTurn((now) => now + 1));
        }
      },
    );
    return () => {
      isShown = false;
    };
  }, [turn, page.language, ...on]);
  return { data, problem, reload: () => setTurn((now) => now + 1), set };
}

/** A moment in the reader's way of writing it. */
export const moment = (text: string | null | undefined, language: string): string =>
  text
    ? new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(
        new Date(text),
      )
    : '';

/** Decimal text with the reader's separators; never through a number for more than showing. */
export const money = (amount: string, language: string): string =>
  new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(
    amount as unknown as number,
  );

/** A list read a page at a time: what is there so far, and how to get more while there is more. */
export function usePages<Row>(
  read: (cursor: string | null) => Promise<{ rows: Row[]; next: string | null }>,
  on: unknown[] = [],
) {
  const [extra, setExtra] = useState<{ rows: Row[]; next: string | null } | null>(null);
  const first = useLoad(() => {
    setExtra(null);
    return read(null);
  }, on);
  const rows = [...(first.data?.rows ?? []), ...(extra?.rows ?? [])];
  const next = extra ? extra.next : (first.data?.next ?? null);
  const more = async (): Promise<void> => {
    const found = await read(next);
    setExtra({ rows: [...(extra?.rows ?? []), ...found.rows], next: found.next });
  };
  return { first, rows, more: next === null ? null : more };
}
