import { compare } from '@muhuri/shared/money';

type Code = { code: string; name: string; data: Record<string, string> };

/** How many codes of a list came, went, or have another name; null where nothing did. */
export function changeOf(
  before: Code[],
  after: Code[],
): { added: number; removed: number; renamed: number } | null {
  const [was, is] = [
    new Map(before.map((each) => [each.code, each])),
    new Map(after.map((each) => [each.code, each])),
  ];
  const added = after.filter((each) => !was.has(each.code)).length;
  const removed = before.filter((each) => !is.has(each.code)).length;
  const renamed = after.filter(
    (each) => was.has(each.code) && !isSame(was.get(each.code) as Code, each),
  ).length;
  return added + removed + renamed > 0 ? { added, removed, renamed } : null;
}

const isSame = (a: Code, b: Code) =>
  a.name === b.name &&
  JSON.stringify(Object.entries(a.data).sort()) === JSON.stringify(Object.entries(b.data).sort());

/**
 * A class that comes without a rate that can be read keeps the one it had: nothing is reckoned with
 * a rate nobody has said.
 */
export function keepRates(before: Code[], after: Code[]): Code[] {
  const was = new Map(before.map((each) => [each.code, each.data.percent]));
  return after.map((each) => {
    const percent = each.data.percent ?? was.get(each.code);
    return percent === undefined ? each : { ...each, data: { ...each.data, percent } };
  });
}

/** Classes whose rate is another one than before. */
export function rateChanges(
  before: Code[],
  after: Code[],
): { taxClass: string; percent: { before: string; after: string } }[] {
  const was = new Map(before.map((each) => [each.code, each.data.percent]));
  return after.flatMap(({ code, data: { percent } }) => {
    const old = was.get(code);
    return old !== undefined && percent !== undefined && compare(old, percent) !== 0
      ? [{ taxClass: code, percent: { before: old, after: percent } }]
      : [];
  });
}
