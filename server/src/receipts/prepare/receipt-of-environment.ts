import type { Context } from '../../context.ts';
import type { Prepared } from './prepare-sale.ts';
import { findReceiptIn } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';

/**
 * The receipt of a document where it would be sealed now: its test receipt at a sandbox device, its
 * real one at a production device.
 */
export const ownReceipt = async (
  ctx: Context,
  { device, document }: Prepared,
  found: Receipt | null,
): Promise<Receipt | null> =>
  !device || device.environment === found?.environment
    ? found
    : ctx.transaction((tx) => findReceiptIn(tx, device.environment, document.module, document.id));
