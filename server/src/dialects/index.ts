import { readdir } from 'node:fs/promises';
import type { Dialect, Dialects } from '../ports/dialect.ts';

const required = [
  'key',
  'country',
  'authority',
  'timeZone',
  'currency',
  'taxClasses',
  'resend',
  'probe',
  'initialise',
  'codes',
  'sell',
  'label',
  'verification',
] as const;

/**
 * Finds the authorities: each folder here is one, its name is its key. A folder that does not fit
 * the contract stops the server from starting, because half-ruled is worse than down.
 */
export async function loadDialects(): Promise<Dialects> {
  const found = new Map<string, Dialect>();
  const here = new URL('.', import.meta.url);
  for (const entry of await readdir(here, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const { dialect } = (await import(new URL(`${entry.name}/index.ts`, here).href)) as {
      dialect?: Dialect;
    };
    const missing = required.filter((part) => dialect?.[part] === undefined);
    if (!dialect || missing.length > 0)
      throw new Error(`dialect ${entry.name} lacks ${missing.join(', ')}`);
    if (dialect.key !== entry.name)
      throw new Error(`folder ${entry.name} holds dialect ${dialect.key}`);
    found.set(dialect.key, dialect);
  }
  return {
    of(key) {
      const dialect = found.get(key);
      if (!dialect) throw new Error(`there is no dialect ${key}`);
      return dialect;
    },
    all: () => [...found.values()],
  };
}
