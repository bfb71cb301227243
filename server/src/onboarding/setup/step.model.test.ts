import { describe, expect, test } from 'vitest';
import {
  businessStep,
  deviceStep,
  missingBefore,
  nextOf,
  openStep,
  rehearsalStep,
  type Step,
  type StepName,
  type Steps,
} from './step.model.ts';

const at = '2026-03-02T08:00:00.000Z';
const done: Step = { state: 'done', problem: null, checkedAt: at };
const names: StepName[] = ['business', 'vsdc', 'zoho', 'rehearsal'];
const stepsWith = (...finished: StepName[]): Steps =>
  Object.fromEntries(
    names.map((name) => [name, finished.includes(name) ? done : openStep()]),
  ) as Steps;

test('The next step is the first that is not done, whatever is done after it', () => {
  expect(nextOf(stepsWith())).toBe('business');
  expect(nextOf(stepsWith('business', 'zoho'))).toBe('vsdc');
  expect(nextOf(stepsWith(...names))).toBeNull();
});

test('A step needs those before it, and none after it', () => {
  expect(missingBefore(stepsWith('vsdc'), 'zoho')).toBe('business');
  expect(missingBefore(stepsWith('business', 'vsdc'), 'zoho')).toBeNull();
  expect(missingBefore(stepsWith(), 'business')).toBeNull();
});

test('The business is broken while its device tells otherwise, done or not', () => {
  const difference = { code: 'device_other_taxpayer' as const };
  expect(businessStep(undefined, null)).toEqual(openStep());
  expect(businessStep(at, null)).toEqual(done);
  expect(businessStep(at, difference)).toEqual({ ...done, state: 'broken', problem: difference });
});

test('A rehearsal is done if every part went well', () => {
  expect(rehearsalStep(undefined)).toEqual(openStep());
  expect(rehearsalStep({ at, entries: [{ state: 'done' }] })).toEqual(done);
  const entries = [{ state: 'done' as const }, { state: 'failed' as const }];
  expect(rehearsalStep({ at, entries }).state).toBe('broken');
});

describe('A device', () => {
  test.each([
    ['fine', 'active', 'done', null],
    ['offline_soon', 'active', 'done', null],
    ['fine', 'new', 'open', null],
    ['not_initialised', 'new', 'open', 'device_missing'],
    ['not_initialised', 'active', 'broken', 'device_missing'],
    ['address_refused', 'active', 'broken', 'device_address_refused'],
    ['other_taxpayer', 'active', 'broken', 'device_other_taxpayer'],
    ['time_out', 'active', 'broken', 'device_unreachable'],
  ])('that is %s and %s has the step %s: %s', (result, state, step, code) => {
    const found = deviceStep({ state, problem: null }, { result, at });
    expect([found.state, found.problem?.code ?? null]).toEqual([step, code]);
  });

  test('that is new shows why its initialisation failed, before what its test found', () => {
    const problem = { code: 'device_missing' as const };
    const probe = { result: 'time_out', at };
    expect(deviceStep({ state: 'new', problem }, probe).problem).toEqual(problem);
    expect(deviceStep({ state: 'active', problem }, probe).problem).toEqual({
      code: 'device_unreachable',
      reason: 'time_out',
    });
  });
});
