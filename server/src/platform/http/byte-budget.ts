import { AppError } from '../app-error.ts';

/** How many bytes of bodies may be under way at once, arriving or being worked on. */
export type ByteLimits = {
  /** Of all who have said nothing yet of who they are, and of one network among them. */
  anonymous: number;
  perNetwork: number;
  /** Of all who are known, and of one business, or operator, among them. */
  known: number;
  perOwner: number;
};

export const defaultByteLimits: ByteLimits = {
  anonymous: 16 << 20,
  perNetwork: 2 << 20,
  known: 64 << 20,
  perOwner: 8 << 20,
};

export type ByteBudget = {
  /**
   * Takes so many bytes for a caller until the answer to this call is called. Throws `server_busy`.
   */
  hold(bytes: number, caller: { owner: string } | { network: string }): () => void;
};

/**
 * The memory that bodies take is bounded, however many connections send one. Who is not known has a
 * budget apart from who is: a crowd of strangers that drip their bytes leaves people at their work.
 */
export function openByteBudget(limits: ByteLimits): ByteBudget {
  const held = new Map<string, number>();
  const add = (key: string, bytes: number) => {
    const now = (held.get(key) ?? 0) + bytes;
    if (now > 0) held.set(key, now);
    else held.delete(key);
  };
  return {
    hold(bytes, caller) {
      const [own, ownMost, all, allMost] =
        'owner' in caller
          ? [`owner ${caller.owner}`, limits.perOwner, 'known', limits.known]
          : [`network ${caller.network}`, limits.perNetwork, 'anonymous', limits.anonymous];
      const fits = (key: string, most: number) => (held.get(key) ?? 0) + bytes <= most;
      if (!fits(own, ownMost) || !fits(all, allMost))
        throw new AppError('server_busy', { retry_after_s: 1 });
      for (const key of [own, all]) add(key, bytes);
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        for (const key of [own, all]) add(key, -bytes);
      };
    },
  };
}
