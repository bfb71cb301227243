import { compare } from '@muhuri/shared/money';

type Code = { code: string; name: string; data: Record<string, string> };

/** Counts the codes of a list that came, went, or have another name; null if nothing changed. */
export function changeOf(
  before: Code[],
  after: Code[],
): { added: number; removed: number; renamed: number } | null {
  const former = new Map(before.map((each) => [each.code, each]));
  const present = new Set(after.map((each) => each.code));
  const added = after.filter((each) => !former.has(each.code)).length;
  const removed = before.filter((each) => !present.has(each.code)).length;
  const renamed = after.filter(
    (each) => former.has(each.code) && !isSame(former.get(each.code) as Code, each),
  ).length;
  return added + removed + renamed > 0 ? { added, removed, renamed } : null;
}

const isSame = (a: Code, b: Code) =>
  a.name === b.name &&
  JSON.stringify(Object.entries(a.data).sort()) === JSON.stringify(Object.entries(b.data).sort());

/**
 * Keeps the former rate of a class that comes without a readable one: nothing is computed with a
 * rate nobody has said.
 */
export function keepRates(before: Code[], after: Code[]): Code[] {
  const former = new Map(before.map((each) => [each.code, each.data.percent]));
  return after.map((each) => {
    const percent = each.data.percent ?? former.get(each.code);
    return percent === undefined ? each : { ...each, data: { ...each.data, percent } };
  });
}

/** A class whose rate is another one than before. */
export type RateDifference = { taxClass: string; percent: { before: string; after: string } };

/** Finds the classes whose rate is another one than before. */
export function rateChanges(before: Code[], after: Code[]): RateDifference[] {
  const former = new Map(before.map((each) => [each.code, each.data.percent]));
  return after.flatMap(({ code, data: { percent } }) => {
    const old = former.get(code);
    return old !== undefined && percent !== undefined && compare(old, percent) !== 0
      ? [{ taxClass: code, percent: { before: old, after: percent } }]
      : [];
  });
}

const dayMs = 86_400_000;
const retryFirstMs = 15 * 60_000;
const retryMaxMs = 4 * 3_600_000;

/** Returns how long to wait before the next refresh, after so many tries that failed. */
export const waitBeforeRefresh = (tries: number): number =>
  tries === 0 ? dayMs : Math.min(retryMaxMs, retryFirstMs * 2 ** (tries - 1));
