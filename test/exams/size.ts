/**
 * How many cases an exam takes: a seeded slice in `npm test`, the whole in `npm run exams`. What
 * was asked is printed, so that a run says how much it stands for.
 */
export function cases(what: string, { slice, whole }: { slice: number; whole: number }): number {
  const count = isWhole ? whole : slice;
  console.info(`${what}: ${count.toLocaleString('en')} cases`);
  return count;
}

export const isWhole = process.env.MUHURI_EXAMS === 'whole';

/**
 * Fixed in the slice, so that a red build is red again; another one each time in the whole.
 * `MUHURI_EXAM_SEED` repeats a whole run.
 */
export const examSeed = isWhole
  ? Number(process.env.MUHURI_EXAM_SEED ?? Date.now() % 2_147_483_647)
  : 20_261_126;
