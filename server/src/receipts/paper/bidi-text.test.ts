import { expect, test } from 'vitest';
import { isRightToLeft, visualRuns } from './bidi-text.ts';

const keyOf = (code: number) => (code >= 0x600 && code < 0x700 ? 'arabic' : 'latin');

const seen = (line: string) =>
  visualRuns(line, keyOf)
    .map((run) => run.text.trim())
    .filter(Boolean);

test('Latin text is one run in one face', () => {
  expect(visualRuns('Ikawa y’u Rwanda (1 kg)', keyOf)).toEqual([
    { text: 'Ikawa y’u Rwanda (1 kg)', font: 'latin' },
  ]);
});

test('Arabic text is seen from the right, numbers within it from the left, brackets turned round', () => {
  expect(seen('ماء معدني (500 مل)')).toEqual(['(', 'مل', '500', ')', 'ماء معدني']);
  expect(isRightToLeft('ماء')).toBe(true);
  expect(isRightToLeft('Client: ماء')).toBe(false);
});
