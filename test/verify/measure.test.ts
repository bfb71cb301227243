import { describe, expect, it } from 'vitest';
import { atShare, measureText } from './measure.ts';

const measure = (text: string) => measureText('example.ts', text);
const only = (text: string) => {
  const [first] = measure(text).functions;
  if (!first) throw new Error('nothing was found');
  return first;
};

describe('what the house is measured by', () => {
  it('calls a function by its own name, or by what it is given to', () => {
    const { functions } = measure(`
      function first() {}
      const second = () => 1;
      const { third = () => 1 } = { fourth: () => 2 };
      class C { fifth() { return [].map(() => 1); } }
    `);
    expect(functions.map(({ name }) => name)).toEqual([
      'first',
      'second',
      'callback in the file',
      'fourth',
      'fifth',
      'callback in fifth',
    ]);
  });

  it('counts a function from its signature to its last line', () => {
    expect(only('const f = (\n  a: number,\n) => {\n  return a;\n};').lines).toBe(5);
  });

  it('counts every way through, and those of an inner function for itself', () => {
    const text = `function f(a?: { b: number }, c = 1) {
      if (a) for (const x of []) continue;
      const inner = () => (a ? 1 : 2);
      switch (c) { case 1: case 2: break; default: }
      try { return a?.b ?? (c && 2); } catch { return a || inner; }
    }`;
    expect(measure(text).functions.map(({ complexity }) => complexity)).toEqual([11, 2]);
  });

  it('leaves types out: an optional property or a conditional type is no way through', () => {
    expect(only('function f(a: { b?: number }): void { type T = A extends B ? 1 : 2; }')).toEqual(
      expect.objectContaining({ complexity: 1, parameters: 1 }),
    );
    expect(measure('declare function f(a: 1): void;\ntype G = (a: 1) => void;').functions).toEqual(
      [],
    );
  });

  it('counts as comment the lines on which nothing else stands', () => {
    const text = '/** One.\n *  Two. */\nconst a = 1; // three\n// four\n\nconst b = "// no";\n';
    expect(measure(text)).toEqual(expect.objectContaining({ lines: 6, commentLines: 3 }));
  });

  it('refuses a file it cannot read', () => {
    expect(() => measure('const = 1;')).toThrow('example.ts cannot be read');
  });

  it('takes the value that a share of all values does not exceed', () => {
    expect([atShare([4, 1, 3, 2], 0.5), atShare([4, 1, 3, 2], 0.9), atShare([], 0.9)]).toEqual([
      2, 4, 0,
    ]);
  });
});
