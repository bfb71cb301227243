import { afterTransaction } from './db/database.ts';

/**
 * Something of a business that has to be looked at again: declared by the chapter that says it or
 * does the work, raised by anybody who may import it.
 */
export type Topic = { readonly name: string };
export const topic = (name: string): Topic => ({ name });

export type Signals = {
  /**
   * Says that a topic of this business is due. Said within a transaction, it holds once that has
   * ended: what was written there is found by nobody before.
   */
  raise(topic: Topic, businessId: string): void;
  /** Hears of a topic from now on, and of what was raised before anybody listened. */
  on(topic: Topic, take: (businessId: string) => void): void;
};

/** Carries what chapters raise to the rounds that work on it. */
export function openSignals(): Signals {
  const listeners = new Map<Topic, ((businessId: string) => void)[]>();
  const early = new Map<Topic, Set<string>>();

  return {
    raise: (topic, businessId) =>
      afterTransaction(() => {
        const listening = listeners.get(topic);
        if (listening) for (const take of listening) take(businessId);
        else early.set(topic, (early.get(topic) ?? new Set()).add(businessId));
      }),
    on(topic, take) {
      listeners.set(topic, [...(listeners.get(topic) ?? []), take]);
      for (const businessId of early.get(topic) ?? []) take(businessId);
      early.delete(topic);
    },
  };
}
