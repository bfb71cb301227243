import { existsSync, readFileSync } from 'node:fs';
import {
  type Answered,
  type Asked,
  type Listening,
  listen,
} from '../../../simulators/kit/server.ts';
import type { Body } from './check-sale.ts';
import { clothe } from './clothe.ts';
import { approve, control, reset, retire, signElsewhere, tellTaxpayer } from './control.ts';
import { initialise } from './endpoints/initialise.ts';
import { saveItem } from './endpoints/save-item.ts';
import { sign } from './endpoints/sign.ts';
import { exactly } from './exactly.ts';
import { keyOf } from './keys.ts';
import { receiptPage } from './receipt-page.ts';
import { countOf, serve } from './serve.ts';
import { openSim, type Options, type Sim } from './sim.ts';
import type { ApprovedDevice, Device, Settings, SimReceipt } from './state.ts';

export type RwVsdcDevice = {
  /** A request as it arrives, and what the device says; null: it says nothing. */
  handle(asked: Asked): Promise<Answered | null>;
  receipts(): SimReceipt[];
  faults(next: string[], only?: { tin: string; bhfId: string }): void;
  set(settings: Partial<Settings>): void;
  /** As if another program had signed on the device: the number is used, the counters moved. */
  signElsewhere(tin: string, bhfId: string, invcNo: string): void;
  /** What `hold` and `hold_answer` have kept on its way goes on. */
  release(): void;
  advanceClock(ms: number): void;
  /** The secret keys a device was given at its initialisation. */
  keysOf(tin: string, bhfId: string): string[];
  /** One more device that the authority has approved. */
  approve(device: ApprovedDevice): void;
  /** What the authority knows of a taxpayer is otherwise from now on. */
  taxpayer(tin: string, told: { name?: string; vatRegistered?: boolean }): void;
  /** How often a branch's device was asked at a path. */
  asked(path: string, tin: string, bhfId: string): number;
  /** The authority withdraws a device; a successor is approved beside it. */
  retire(serial: string): void;
  /**
   * What a device knows of itself: who it is, whether it was initialised, which items it was told.
   */
  device(
    tin: string,
    bhfId: string,
  ): Readonly<Pick<Device, 'sdcId' | 'mrcNo' | 'isInitialised' | 'itemCodes' | 'total' | 'sales'>>;
  reset(): void;
};

export type RwVsdc = Listening & Omit<RwVsdcDevice, 'handle'>;

/**
 * A Rwandan VSDC at its taxpayer's desk, written from the authority's contract (VSDC v1.0.x) and
 * from what implementers saw of real devices, faults included. It shares nothing with the product.
 * Everything it ever signed is at `GET /_sim/receipts`.
 */
export async function startRwVsdc(
  options: Options & { port?: number; onTaken?: (port: number) => void },
): Promise<RwVsdc> {
  const { handle, ...device } = makeRwVsdc(options);
  return { ...(await listen(handle, options)), ...device };
}

/**
 * The same without its network: whoever asks decides what becomes of questions and answers. `now`:
 * milliseconds, where time is not the machine's.
 */
export function makeRwVsdc(options: Options): RwVsdcDevice {
  const sim = openSim(options);
  if (options.journalFile && existsSync(options.journalFile)) playAgain(sim, options.journalFile);
  const { state, find } = sim;
  return {
    async handle(asked) {
      if (asked.path.startsWith('/_sim')) return control(sim, asked);
      if (asked.method === 'GET' && asked.path === '/receipt') return receiptPage(sim, asked);
      return clothe(await serve(sim, asked), state.value.settings);
    },
    device: find,
    approve: (device) => approve(sim, device),
    asked: (path, tin, bhfId) => sim.counts.get(countOf(path, tin, bhfId)) ?? 0,
    taxpayer: (tin, told) => tellTaxpayer(sim, tin, told),
    retire: (serial) => retire(sim, serial),
    receipts: () => state.value.receipts,
    faults(next, only) {
      state.value.faults = [{ next, ...only }];
      state.save();
    },
    set(settings) {
      Object.assign(state.value.settings, settings);
      state.save();
    },
    signElsewhere: (tin, bhfId, invcNo) => signElsewhere(sim, tin, bhfId, invcNo),
    release() {
      for (const goOn of sim.held.splice(0)) goOn();
    },
    advanceClock(ms) {
      state.value.clockOffsetMs += ms;
      state.save();
    },
    keysOf: (tin, bhfId) => ['cmc', 'intrl', 'sign'].map((name) => keyOf(find(tin, bhfId), name)),
    reset: () => reset(sim, false),
  };
}

/** Everything that was done, once more: a line that its writer died over was not answered. */
function playAgain(sim: Sim, journal: string): void {
  for (const line of readFileSync(journal, 'utf8').split('\n').slice(0, -1)) {
    const { path, raw, at } = JSON.parse(line) as { path: string; raw: string; at: number };
    const body = exactly(raw) as Body;
    const device = sim.serving(body.tin, body.bhfId) as Device;
    sim.playAt(at, () => {
      if (path === '/initializer/selectInitInfo') initialise(sim, body, raw);
      else if (path === '/items/saveItems') saveItem(sim, device, body, raw);
      else sign(sim, device, body, raw);
    });
  }
}
