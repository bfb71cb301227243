import { createHmac } from 'node:crypto';
import type { Device } from './state.ts';

/** Keys given once are as they always were; given anew, they are others. */
export const keyOf = (device: Device, name: string) => {
  const given = device.keysGiven ?? 1;
  return hmac(`${name}:${device.sdcId}${given > 1 ? `:${given}` : ''}`).slice(0, 32);
};

export const hmac = (text: string) =>
  createHmac('sha256', 'simulated device').update(text).digest('hex');

export function base32(hex: string, length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...hex]
    .slice(0, length)
    .map(
      (digit, index) =>
        letters[
          (Number.parseInt(digit, 16) * 2 +
            Number.parseInt(hex[(index * 7 + 3) % 64] as string, 16)) %
            32
        ],
    )
    .join('');
}
