/**
 * What comes first: the answer, or what is said when it is late. The timer does not outlive the
 * answer.
 */
export async function withTimeout<T, L>(promise: Promise<T>, ms: number, late: L): Promise<T | L> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late), ms);
  });
  return Promise.race([promise, end]).finally(() => clearTimeout(timer));
}
