/** What is counted of an address's refused deliveries in this hour, and of those just before. */
export type RefusalCount = {
  hour: number;
  kept: number;
  recent: { not_believed: number[]; not_read: number[] };
};

/** What becomes of one refused delivery. */
export type RefusalFate = {
  count: RefusalCount;
  /** Whether a row is kept of it; beyond so many an hour it is only counted. */
  isKept: boolean;
  /** Whether it makes a cluster of its kind full, which the business is told of. */
  isCluster: boolean;
};

/** Of what is refused, so many an hour are kept per hook; beyond them it is only counted. */
const keptPerHour = 60;
const clusterOf = 5;
const clusterMs = 10 * 60_000;
const hourMs = 3_600_000;

/** Whether it may come from somebody who means harm. */
export const isAttack = (verdict: string): boolean => verdict === 'forged' || verdict === 'foreign';

/**
 * Returns which cluster a refusal belongs to. What nobody can read is told like what nobody
 * believes: a rule with a body of its own making would be silent for ever.
 */
function kindOf(verdict: string): keyof RefusalCount['recent'] | null {
  if (isAttack(verdict)) return 'not_believed';
  return verdict === 'malformed' ? 'not_read' : null;
}

/** Counts one more refusal of an address and decides whether it is kept and told of. */
export function countRefusal(
  before: RefusalCount | undefined,
  verdict: string,
  at: number,
): RefusalFate {
  const hour = Math.floor(at / hourMs);
  const kept = before?.hour === hour ? before.kept : 0;
  const recent = before?.recent ?? { not_believed: [], not_read: [] };
  const kind = kindOf(verdict);
  const cluster = kind
    ? [...recent[kind].filter((each) => at - each < clusterMs), at].slice(-clusterOf)
    : [];
  const isCluster = cluster.length === clusterOf;
  const isKept = kept < keptPerHour;
  return {
    count: {
      hour,
      kept: isKept || isCluster ? kept + 1 : kept,
      recent: kind ? { ...recent, [kind]: isCluster ? [] : cluster } : recent,
    },
    isKept,
    isCluster,
  };
}
