/**
 * Ids of ours anywhere in a request: path, query, body, a cursor's inside. Bounded, so that a large
 * body costs little.
 */
export function idsInRequest(values: unknown[], ownBusinessId: string): string[] {
  const found = new Set<string>();
  let seen = 0;
  const walk = (value: unknown, depth: number): void => {
    if (++seen > 2_000 || depth > 8) return;
    if (typeof value === 'string') {
      for (const id of value.match(/\b[a-z]{3}_[0-9a-f]{32}\b/g) ?? [])
        if (id !== ownBusinessId) found.add(id);
    } else if (Array.isArray(value)) for (const each of value) walk(each, depth + 1);
    else if (value && typeof value === 'object')
      for (const each of Object.values(value)) walk(each, depth + 1);
  };
  for (const value of values) walk(value, 0);
  return [...found];
}
