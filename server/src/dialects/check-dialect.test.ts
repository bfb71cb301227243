import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Dialect } from '../ports/dialect/index.ts';
import { checkDialect } from './check-dialect.ts';
import { loadDialects } from './index.ts';

const [whole] = (await loadDialects()).all() as [Dialect];
const { key } = whole.identity;
const faultOf = (exported: unknown) => {
  try {
    checkDialect(key, exported);
  } catch (error) {
    return (error as Error).message;
  }
  return null;
};
const without = <T extends object>(from: T, member: keyof T) => {
  const { [member]: _left, ...rest } = from;
  return rest;
};

describe('a dialect that does not fit the contract', () => {
  test('is told of every capability and every member that is missing, at once', () => {
    const half = { ...without(whole, 'print'), sales: without(whole.sales, 'toBody') };
    expect(faultOf({ ...half, items: {} })).toBe(
      `dialect ${key} does not fit the contract: ` +
        'sales.toBody is missing; items.code is missing; print is missing',
    );
  });

  test('is refused without any member of any capability that is not left to it', () => {
    const optional = ['sales.readBack', 'items.register'];
    const kept: string[] = [];
    for (const [name, capability] of Object.entries(whole))
      for (const member of Object.keys(capability) as never[])
        if (faultOf({ ...whole, [name]: without(capability, member) }) === null)
          kept.push(`${name}.${String(member)}`);
    expect(kept.filter((name) => !optional.includes(name))).toEqual([]);
  });

  test('is told what does not fit', () => {
    const of = (change: object) => faultOf({ ...whole, ...change });
    const { identity, sales } = whole;
    expect(of({ identity: { ...identity, timeZone: 'Africa/Nowhere' } })).toMatch(
      /identity\.timeZone is no time zone$/,
    );
    expect(of({ sales: { ...sales, read: 'later' } })).toMatch(/sales\.read is no function$/);
    expect(of({ sales: { ...sales, nonVatClass: 'Z' } })).toMatch(
      /sales\.nonVatClass is none of the tax classes$/,
    );
    expect(of({ sales: { ...sales, resent: true } })).toMatch(
      /sales has members that nobody knows: resent$/,
    );
  });

  test('may be without what its authority cannot do', () => {
    expect(faultOf(without(without(whole, 'codes') as Dialect, 'taxpayers'))).toBeNull();
    expect(faultOf({ ...whole, items: without(whole.items, 'register') })).toBeNull();
  });

  test('stops the server from starting, whatever its folder holds', async () => {
    const home = await mkdtemp(join(tmpdir(), 'dialects-'));
    const folder = pathToFileURL(`${home}/`);
    try {
      await mkdir(join(home, 'zz-none'));
      await writeFile(join(home, 'zz-none/index.ts'), 'export const nothing = 1;\n');
      await expect(loadDialects(folder)).rejects.toThrow(
        'dialect zz-none does not fit the contract: the export `dialect` is missing',
      );
    } finally {
      await rm(home, { recursive: true });
    }
  });

  test('stands in the folder of its own name', () => {
    expect(() => checkDialect('zz-other', whole)).toThrow(`folder zz-other holds dialect ${key}`);
  });
});
