import { describe, expect, it } from 'vitest';
import { judge } from './budgets.ts';
import { measureText } from './measure.ts';

const long = `function long() {\n${'  step();\n'.repeat(80)}}`;
const measured = new Map([['src', [measureText('src/a.ts', `${long}\nfunction short() {}`)]]]);
const ceilings = (most: number, what: string[] = []) => ({
  most: { src: { 'function lines': most } },
  exempt: what.map((each) => ({ budget: 'function lines', what: each, why: 'a table' })),
});

describe('a budget', () => {
  it('names who is over it when there are more than its ceiling', () => {
    expect(judge(measured, ceilings(0))).toEqual([
      'src: 1 have more than 80 lines, and 0 may:',
      '  src/a.ts:1 long: 82',
    ]);
  });

  it('lets as many pass as its ceiling says, and fewer', () => {
    expect(judge(measured, ceilings(1))).toEqual([]);
    expect(judge(measured, ceilings(2))).toEqual([]);
  });

  it('leaves out what is exempt by name, and refuses an exemption of nothing', () => {
    expect(judge(measured, ceilings(0, ['src/a.ts: long']))).toEqual([]);
    expect(judge(measured, ceilings(1, ['src/a.ts: gone']))).toEqual([
      'ceilings.json exempts src/a.ts: gone from function lines: one of them does not exist',
    ]);
  });
});
