import { EventEmitter } from 'node:events';
import type { Context } from '../../context.ts';
import { findReceipt } from './receipt.store.ts';
import type { Receipt } from './receipt-row.ts';

export type WaitForReceipt = (ctx: Context, receipt: Receipt, waitMs: number) => Promise<Receipt>;
export type Changes = { changed(receiptId: string): void; waitForReceipt: WaitForReceipt };

const pollMs = 1_000;

/**
 * Waits until a receipt has left the queue or the lane has said what it waits for; another
 * process's work is seen by looking again.
 */
export function receiptEvents(): Changes {
  const events = new EventEmitter().setMaxListeners(0);
  return {
    changed: (receiptId) => void events.emit(receiptId),
    async waitForReceipt(ctx, receipt, waitMs) {
      const end = performance.now() + waitMs;
      const isSettled = (r: Receipt) =>
        r.state !== 'queued' || (r.problem !== null && r.tries > 0) || r.laneStop !== null;
      let current = receipt;
      while (!isSettled(current) && performance.now() < end) {
        const changed = once(events, current.id, Math.min(pollMs, end - performance.now()));
        // Looked at after listening began, so that a change between the two is not missed.
        current = (await ctx.transaction((tx) => findReceipt(tx, receipt.id))) ?? current;
        if (isSettled(current)) break;
        await changed;
      }
      return current;
    },
  };
}

function once(events: EventEmitter, name: string, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      events.off(name, done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    events.once(name, done);
  });
}
