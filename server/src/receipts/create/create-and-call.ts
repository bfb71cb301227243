import { withJobTimeout } from '../../platform/db/database.ts';
import type { Lanes } from '../lane/lanes.ts';
import type { createReceipt } from './create-receipt.ts';

type CreateReceipt = ReturnType<typeof createReceipt>;

/**
 * Creates a receipt and has its lane looked at now, where it is free here: whoever asks is waiting.
 * The call from the queue is for every other case.
 */
export const createAndCall =
  (create: CreateReceipt, lanes: Pick<Lanes, 'call'>, jobMs: number): CreateReceipt =>
  async (ctx, input, isReplay) => {
    const receipt = await create(ctx, input, isReplay);
    // The lane takes the time it needs, whatever the one who asked is ready to wait.
    if (receipt.state === 'queued')
      withJobTimeout(jobMs, () => lanes.call(ctx.businessId, receipt.deviceId));
    return receipt;
  };
