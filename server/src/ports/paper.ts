import type { Context } from '../context.ts';

/**
 * Refuses what stands on receipts and has no font, where it is kept: nobody would see it before it
 * is printed.
 */
export type CheckPrinted = (
  ctx: Context,
  texts: { field: string; text: unknown }[],
) => Promise<void>;

/** Draws a text as the square code that a camera reads. */
export type QrSvg = (text: string) => Promise<string>;
