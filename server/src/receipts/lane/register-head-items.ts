import type { StoredProblem } from '@muhuri/shared/problems';
import type { LanePorts, LaneRun } from './lane-ports.ts';
import type { LaneHead } from './lane.model.ts';
import {
  giveBackNumber,
  lockLane,
  postponeDocument,
  setLaneTries,
  setRegistered,
} from './lane.store.ts';
import { retryDelayMs } from '../receipt/receipt.model.ts';
import { recordState } from '../receipt/record-state.ts';
import { lockUnsent } from './lock-unsent-head.ts';
import { releaseLease } from './release-lease.ts';

const busyMs = 500;

/**
 * Tells the device of the head's new items. Returns when the lane goes on, if it has to wait; a
 * refused item refuses its document before a number is given.
 */
export async function registerHeadItems(
  ports: LanePorts,
  run: LaneRun,
  head: LaneHead,
): Promise<Date | null> {
  const { ctx, device } = run;
  const { terms, sale } = head.filed;
  const prices = Object.fromEntries(sale.lines.map((line) => [line.itemCode, line.unitPrice]));
  const registered = await ports.registerItems(
    ctx,
    device,
    { taxpayerId: terms.device.taxpayerId, user: terms.user, prices },
    ports.worker,
  );
  switch (registered.is) {
    case 'done':
      await ctx.transaction((tx) => setRegistered(tx, head.id));
      return null;
    case 'refused':
      await refuseHead(ports, run, head, registered.problem);
      ports.changed(head.id);
      return null;
    case 'busy': {
      const until = new Date(ports.clock.now().getTime() + busyMs);
      return releaseLease(ports, ctx, device.id, until);
    }
    case 'unreachable': {
      const until = await postponeHead(ports, run, head, registered.problem);
      ports.changed(head.id);
      return releaseLease(ports, ctx, device.id, until);
    }
  }
}

const refuseHead = (
  ports: LanePorts,
  { ctx, device }: LaneRun,
  head: LaneHead,
  problem: StoredProblem,
): Promise<void> =>
  ctx.transaction(async (tx) => {
    const receipt = await lockUnsent(ports, tx, device.id, head.id);
    if (!receipt) return;
    if (receipt.invoiceNumber) await giveBackNumber(tx, device.id, receipt.invoiceNumber);
    await recordState(tx, head.id, { state: 'refused', problem }, ports.clock.now());
    await ports.record(tx, ctx, { action: 'receipt.refused', subject: head.id, after: problem });
  });

/** Postpones the head, and returns when it goes on. */
function postponeHead(
  ports: LanePorts,
  { ctx, device }: LaneRun,
  head: LaneHead,
  problem: StoredProblem,
): Promise<Date> {
  const now = ports.clock.now();
  const { retryFirstMs, retryMaxMs } = ports.timing;
  return ctx.transaction(async (tx) => {
    // As after a send: how long the device is left alone goes by how often it was met in vain, not
    // by what was tried with this document.
    const tries = (await lockLane(tx, device.id))?.tries ?? 0;
    const nextTryAt = new Date(now.getTime() + retryDelayMs(tries, retryFirstMs, retryMaxMs));
    if (await lockUnsent(ports, tx, device.id, head.id)) {
      await setLaneTries(tx, device.id, tries + 1);
      await postponeDocument(tx, head.id, { problem, nextTryAt, mustRead: false }, now);
    }
    return nextTryAt;
  });
}
