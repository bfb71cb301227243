/** Counts places in several budgets at once: takes all of them, or none. */
export function places(): { take(budgets: [name: string, max: number][]): (() => void) | null } {
  const taken = new Map<string, number>();
  const change = (name: string, difference: number): void => {
    const count = (taken.get(name) ?? 0) + difference;
    if (count > 0) taken.set(name, count);
    else taken.delete(name);
  };
  return {
    take(budgets) {
      if (budgets.some(([name, max]) => (taken.get(name) ?? 0) >= max)) return null;
      for (const [name] of budgets) change(name, 1);
      return () => {
        for (const [name] of budgets) change(name, -1);
      };
    },
  };
}
