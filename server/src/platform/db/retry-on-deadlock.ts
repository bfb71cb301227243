const triesMax = 3;

/** Whether PostgreSQL gave a transaction up because it and another one waited for each other. */
export function isDeadlock(error: unknown): boolean {
  for (
    let each = error as { code?: unknown; cause?: unknown } | null | undefined;
    each;
    each = each.cause as typeof each
  )
    if (each.code === '40P01') return true;
  return false;
}

/**
 * Nothing of a transaction that was given up was done, and begun once more it goes through: what
 * runs by itself does that at once.
 */
export async function retryOnDeadlock<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await work();
    } catch (error) {
      if (tries >= triesMax || !isDeadlock(error)) throw error;
      // The other one may not have gone on yet, and begun at once it would be crossed again.
      await new Promise((done) => setTimeout(done, 50 * tries + Math.random() * 100));
    }
}
