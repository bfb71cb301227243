import type { Alerts } from '../../alerts/index.ts';
import type { Recorder } from '../../audit/index.ts';
import type { RegisterItems } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import type { Clock, StartWatch } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Queue } from '../../platform/queue/queue.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import type { Vsdc } from '../../ports/vsdc.ts';
import type { PrepareSale } from '../prepare/prepare-sale.ts';

export type LaneTiming = {
  /**
   * How long a lane is held beyond the longest answer, before another worker may take it. What was
   * written down longer ago than half of it does not leave any more.
   */
  leaseMs: number;
  /** How long a socket may stay open for a late answer. */
  lateTimeoutMs: number;
  retryFirstMs: number;
  retryMaxMs: number;
  /** Silence after a doubt before the same bytes are sent again; grows to the maximum. */
  settleQuietMs: number;
  settleMaxMs: number;
  /** How long a lane waits for a doubt before it goes past it. */
  doubtWaitMs: number;
  /** A document read longer ago than this is read again before its number is given. */
  readAgainMs: number;
  /** How long somebody who switches devices waits for the send that is on its way. */
  switchPatienceMs: number;
  /** The longest wait between two tries to write down what a device has said. */
  recordMaxMs: number;
  /** How long a try to write it down may take once the process ends. */
  recordLastMs: number;
  /** How long writing it down may take before it is said in the log. */
  recordSayMs: number;
};

export const usualTiming: LaneTiming = {
  leaseMs: 45_000,
  lateTimeoutMs: 600_000,
  retryFirstMs: 2_000,
  retryMaxMs: 60_000,
  settleQuietMs: 15_000,
  settleMaxMs: 600_000,
  doubtWaitMs: 60_000,
  readAgainMs: 60_000,
  switchPatienceMs: 5_000,
  recordMaxMs: 5_000,
  recordLastMs: 3_000,
  recordSayMs: 3_000,
};

/** What is done in one transaction under a lane's lock: with what, for whom, and when. */
export type LaneWork<Ports = LanePorts> = { ports: Ports; tx: Tx; ctx: Context; at: Date };

export type LanePorts = {
  vsdc: Vsdc;
  dialects: Dialects;
  queue: Pick<Queue, 'wakeLane'>;
  record: Recorder;
  alerts: Pick<Alerts, 'raise' | 'resolve' | 'resolveAllOf'>;
  clock: Clock;
  /** Counts what passes between writing a send down and its first byte. */
  startWatch: StartWatch;
  wait(ms: number): Promise<void>;
  /** Runs something once so many milliseconds have passed, unless taken back. */
  after(ms: number, run: () => void): () => void;
  newId: NewId;
  log: Log;
  timing: LaneTiming;
  worker: string;
  /**
   * The sends of this process whose end is not recorded yet, or whose answer it still listens for,
   * each with its receipt: nobody else here takes it for gone.
   */
  underWay: Map<string, string>;
  /**
   * The end of this process has begun: what is on its way is heard and recorded, and nothing new is
   * written down or sent.
   */
  closing?: AbortSignal;
  /** It is over: what could not be written until now is tried once more. */
  ending?: AbortSignal;
  prepareSale: PrepareSale;
  registerItems: RegisterItems;
  /** Later chapters' work once a receipt is signed, enqueued in the same transaction. */
  afterSigned(tx: Tx, ctx: Context, receiptId: string): Promise<void>;
  /**
   * Keeps work that outlives its lane (a late answer being recorded) until it is done, so that the
   * server does not close beneath it.
   */
  background(work: Promise<unknown>): void;
  /**
   * A lane was worked until nothing may go, or stopped by surprise: for whoever keeps an eye on
   * what runs by itself.
   */
  worked(ctx: Context, deviceId: string, surprise: Error | null): Promise<void>;
  /** Tells those who wait for this receipt. */
  changed(receiptId: string): void;
};
