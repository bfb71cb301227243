import type { Context } from '../../context.ts';
import { AppError } from '../../platform/app-error.ts';
import type { Receipt } from './receipt-row.ts';
import { findReceipt } from './receipt.store.ts';

/** Finds a receipt of the business, or throws `not_found`. */
export async function getReceipt(ctx: Context, id: string): Promise<Receipt> {
  const receipt = await ctx.transaction((tx) => findReceipt(tx, id));
  if (!receipt) throw new AppError('not_found');
  return receipt;
}

export type GetReceipt = typeof getReceipt;
