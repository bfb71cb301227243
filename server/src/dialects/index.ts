import { readdir } from 'node:fs/promises';
import type { Dialect, Dialects } from '../ports/dialect/index.ts';
import { checkDialect } from './check-dialect.ts';

/**
 * Finds the authorities: each folder here is one, its name is its key. A folder that does not fit
 * the contract stops the server from starting, because half-ruled is worse than down.
 */
export async function loadDialects(folder = new URL('.', import.meta.url)): Promise<Dialects> {
  const found = new Map<string, Dialect>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const { dialect } = (await import(new URL(`${entry.name}/index.ts`, folder).href)) as {
      dialect?: unknown;
    };
    found.set(entry.name, checkDialect(entry.name, dialect));
  }
  return {
    of(key) {
      const dialect = found.get(key);
      if (!dialect) throw new Error(`there is no dialect ${key}`);
      return dialect;
    },
    in: (country) =>
      [...found.values()].find((dialect) => dialect.identity.country === country) ?? null,
    all: () => [...found.values()],
  };
}
