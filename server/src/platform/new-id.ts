import { type Id, type IdKind, idPrefixes } from '@muhuri/shared/ids';
import type { Clock } from './clock.ts';
import { randomHex } from './random-hex.ts';

/**
 * Makes ids: `rcp_` and 32 hex digits that begin with the time, so that they sort in the order they
 * were made.
 */
export type NewId = <K extends IdKind>(kind: K) => Id<K>;

export const idsFrom = (clock: Clock, random: (bytes: number) => string = randomHex): NewId => {
  let last = 0;
  let count = 0;
  return (kind) => {
    const now = clock.now().getTime();
    count = now === last ? count + 1 : 0;
    last = now;
    const head =
      now.toString(16).padStart(12, '0') + (count & 0xffff).toString(16).padStart(4, '0');
    return `${idPrefixes[kind]}_${head}${random(8)}` as never;
  };
};
