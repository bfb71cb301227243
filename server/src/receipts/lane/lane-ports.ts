import type { Alerts } from '../../alerts/index.ts';
import type { Recorder } from '../../audit/index.ts';
import type { Device } from '../../branches/index.ts';
import type { RegisterItems } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import type { Clock, StartWatch } from '../../platform/clock.ts';
import type { Tx } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log.ts';
import type { NewId } from '../../platform/new-id.ts';
import type { Queue } from '../../platform/queue/queue.ts';
import type { Dialect, Dialects } from '../../ports/dialect/index.ts';
import type { Vsdc } from '../../ports/vsdc.ts';
import type { PrepareSale } from '../prepare/prepare-sale.ts';
import type { LaneTiming } from './lane-timing.model.ts';

/** What is done in one transaction under a lane's lock: with what, for whom, and when. */
export type LaneWork<Ports = LanePorts> = { ports: Ports; tx: Tx; ctx: Context; at: Date };

/**
 * A device's lane while this process works it. `isServing`: the device has answered the probe, so
 * that the lane may go past a doubt.
 */
export type LaneRun = { ctx: Context; device: Device; dialect: Dialect; isServing: boolean };

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
