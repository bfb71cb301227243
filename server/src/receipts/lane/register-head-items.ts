import type { Device } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import type { LanePorts } from './lane-ports.ts';
import {
  giveBackNumber,
  lockLane,
  postponeDocument,
  setLaneTries,
  setRegistered,
} from './lane.store.ts';
import type { LaneHead } from './lane.model.ts';
import { retryDelayMs } from '../receipt/receipt.model.ts';
import { setReceiptState } from '../receipt/receipt.store.ts';
import { lockUnsent } from './lock-unsent.ts';
import { release } from './release-lane.ts';

/**
 * Tells the device of new items. Answers the moment to wait for, if any; a refused item refuses its
 * document before a number is given.
 */
export async function register(
  ports: LanePorts,
  ctx: Context,
  device: Device,
  head: LaneHead,
): Promise<Date | null> {
  const { filing, sale } = head.filed;
  const prices = Object.fromEntries(sale.lines.map((line) => [line.itemCode, line.unitPrice]));
  const done = await ports.registerItems(
    ctx,
    device,
    { taxpayerId: filing.device.taxpayerId, user: filing.user, prices },
    ports.worker,
  );
  if (done.is === 'done') {
    await ctx.transaction((tx) => setRegistered(tx, head.id));
    return null;
  }
  if (done.is === 'refused') {
    await ctx.transaction(async (tx) => {
      const receipt = await lockUnsent(ports, tx, device.id, head.id);
      if (!receipt) return;
      if (receipt.invoiceNumber) await giveBackNumber(tx, device.id, receipt.invoiceNumber);
      await setReceiptState(
        tx,
        head.id,
        { state: 'refused', problem: done.problem, invoiceNumber: null },
        ports.clock.now(),
      );
      await ports.record(tx, ctx, {
        action: 'receipt.refused',
        subject: head.id,
        after: done.problem,
      });
    });
    ports.changed(head.id);
    return null;
  }
  const now = ports.clock.now();
  if (done.is === 'busy') return release(ports, ctx, device.id, new Date(now.getTime() + 500));
  const until = await ctx.transaction(async (tx) => {
    // As after a send: how long the device is left alone goes by how often it was met in vain, not
    // by what was tried with this document.
    const tries = (await lockLane(tx, device.id))?.tries ?? 0;
    const nextTryAt = new Date(
      now.getTime() + retryDelayMs(tries, ports.timing.retryFirstMs, ports.timing.retryMaxMs),
    );
    if (await lockUnsent(ports, tx, device.id, head.id)) {
      await setLaneTries(tx, device.id, tries + 1);
      await postponeDocument(
        tx,
        head.id,
        { problem: done.problem, nextTryAt, mustRead: false },
        now,
      );
    }
    return nextTryAt;
  });
  ports.changed(head.id);
  return release(ports, ctx, device.id, until);
}
