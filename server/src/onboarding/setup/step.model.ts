import type { StoredProblem } from '@muhuri/shared/problems';

export type StepName = 'business' | 'vsdc' | 'zoho' | 'rehearsal';
export type Step = {
  state: 'open' | 'done' | 'broken';
  problem: StoredProblem | null;
  checkedAt: string | null;
};
export type Steps = Record<StepName, Step>;

const order: StepName[] = ['business', 'vsdc', 'zoho', 'rehearsal'];

export const openStep = (): Step => ({ state: 'open', problem: null, checkedAt: null });

/** Returns the first step that is not done; null if all are. */
export const nextOf = (steps: Steps): StepName | null =>
  order.find((name) => steps[name].state !== 'done') ?? null;

/** Returns the first step before this one that is not done; null if it may begin. */
export const missingBefore = (steps: Steps, name: StepName): StepName | null =>
  order.slice(0, order.indexOf(name)).find((each) => steps[each].state !== 'done') ?? null;

/** The step of what the business says of itself; `difference` is what its device says otherwise. */
export function businessStep(doneAt: string | undefined, difference: StoredProblem | null): Step {
  if (difference) return { state: 'broken', problem: difference, checkedAt: doneAt ?? null };
  return doneAt ? { state: 'done', problem: null, checkedAt: doneAt } : openStep();
}

/** The step of the rehearsal: done only if every part of it went well. */
export function rehearsalStep(
  rehearsal: { at: string; entries: { state: 'done' | 'failed' | 'skipped' }[] } | undefined,
): Step {
  if (!rehearsal) return openStep();
  const hasFailed = rehearsal.entries.some((each) => each.state === 'failed');
  return { state: hasFailed ? 'broken' : 'done', problem: null, checkedAt: rehearsal.at };
}

/** The result of a device's test, as far as a step needs it. */
type Probe = { result: string; at: string };

/** The step of the device, by its state and its last test. */
export function deviceStep(
  device: { state: string; problem: StoredProblem | null },
  probe: Probe,
): Step {
  const isNew = device.state === 'new';
  const isGood = probe.result === 'fine' || probe.result === 'offline_soon';
  if (isGood && !isNew) return { state: 'done', problem: null, checkedAt: probe.at };
  return {
    state: isNew ? 'open' : 'broken',
    problem: (isNew ? device.problem : null) ?? problemOf(probe.result),
    checkedAt: probe.at,
  };
}

/** The problem that a test of the device found. */
function problemOf(result: string): StoredProblem | null {
  switch (result) {
    case 'fine':
    case 'offline_soon':
      return null;
    case 'not_initialised':
      return { code: 'device_missing' };
    case 'address_refused':
      return { code: 'device_address_refused' };
    case 'other_taxpayer':
      return { code: 'device_other_taxpayer' };
    default:
      return { code: 'device_unreachable', reason: result };
  }
}
