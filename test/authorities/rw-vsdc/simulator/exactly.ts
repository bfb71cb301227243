import type { Body, Exact } from './check-sale.ts';

/** JSON with every number as its source text. */
export function exactly(text: string): Body | null {
  try {
    const keep = (_key: string, value: unknown, context: { source: string }): unknown =>
      typeof value === 'number' ? ({ n: context.source } satisfies Exact) : value;
    const value: unknown = JSON.parse(text, keep as (key: string, value: unknown) => unknown);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Body)
      : null;
  } catch {
    return null;
  }
}
