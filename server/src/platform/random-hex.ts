import { randomFillSync } from 'node:crypto';

const pool = Buffer.alloc(4_096);
let at = pool.length;

/**
 * Random bytes as hex digits, for ids and names: each call of the operating system brings enough
 * for hundreds of them. Never for a secret, whose bytes must not lie about in memory.
 */
export function randomHex(bytes: number): string {
  if (at + bytes > pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  at += bytes;
  return pool.toString('hex', at - bytes, at);
}
