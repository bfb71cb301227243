import type { StoredProblem } from '@muhuri/shared/problems';

/** How long a document stands aside before it is read again: first, and at most. */
type Pace = { firstMs: number; maxMs: number };

/** What becomes of a waiting document that cannot go on as it is. */
export type Verdict =
  | { do: 'leave'; state: 'withdrawn' | 'refused'; problem: StoredProblem }
  | { do: 'set_aside'; problem: StoredProblem; pace: Pace };

const usualPace: Pace = { firstMs: 5_000, maxMs: 300_000 };
/** It waits for a person's word: nothing changes sooner. */
const slowPace: Pace = { firstMs: 60_000, maxMs: 3_600_000 };

export const leave = (state: 'withdrawn' | 'refused', problem: StoredProblem): Verdict => ({
  do: 'leave',
  state,
  problem,
});
export const setAside = (problem: StoredProblem, pace = usualPace): Verdict => ({
  do: 'set_aside',
  problem,
  pace,
});

/** Judges a document that could not be read: gone for good, or unreadable for a while. */
export const judgeUnread = (problem: StoredProblem): Verdict =>
  problem.code === 'document_unknown'
    ? leave('withdrawn', { code: 'document_deleted' })
    : setAside(problem);

/**
 * Judges what is found first about a document that was read; null: it does not say yet what becomes
 * of it.
 */
export function judgeFinding(finding: StoredProblem | undefined): Verdict | null {
  // It stands aside until somebody has said that its device takes it.
  if (finding?.code === 'refund_needs_takeover') return setAside(finding, slowPace);
  if (finding?.code === 'document_void') return leave('withdrawn', finding);
  return null;
}

/** Judges a document by the device it belongs to now; null: it goes on. */
export function judgeDevice(
  present: { id: string; environment: string },
  receipt: { deviceId: string; environment: string },
): Verdict | 'move' | null {
  if (present.id === receipt.deviceId) return null;
  return present.environment === receipt.environment
    ? 'move'
    : leave('withdrawn', { code: 'device_switched' });
}
