import { appendFileSync } from 'node:fs';
import { type Answered, jsonAnswer, keptState } from '../../../simulators/kit/server.ts';
import { type ApprovedDevice, type Device, type State, usual } from './state.ts';

export type Options = {
  approved: ApprovedDevice[];
  stateFile?: string | null;
  /**
   * Instead of a state file: every request that did something, one a line, written before it is
   * answered; played again at the start.
   */
  journalFile?: string | null;
  now?: () => number;
};

/** What every endpoint of the simulated device works on. */
export type Sim = ReturnType<typeof openSim>;

export function openSim(options: Options) {
  let playedAt: number | null = null;
  const machineNow = () => playedAt ?? (options.now ?? Date.now)();
  const approved = [...options.approved];
  const newDevice = (each: ApprovedDevice, index: number): Device => ({
    tin: each.tin,
    bhfId: each.bhfId,
    serial: each.serial,
    sdcId: each.sdcId ?? `SDC0100${String(index + 1).padStart(5, '0')}`,
    mrcNo: `WIS${String(index + 1).padStart(8, '0')}`,
    isInitialised: false,
    receiptCounters: {},
    total: 0,
    usedNumbers: [],
    usedPurchaseCodes: [],
    itemCodes: [],
    sales: [],
    ...(each.before ? { before: each.before } : {}),
    stocked: [],
    lastContact: machineNow(),
  });
  const fresh = () => freshState(approved, newDevice);
  const state = keptState(options.stateFile ?? null, fresh);
  // What an older simulator kept knows fewer switches.
  state.value.settings = { ...usual, ...state.value.settings };
  joinApproved(state.value.devices, fresh().devices);
  state.save();
  const now = () => new Date(machineNow() + state.value.clockOffsetMs);
  const stamp = (at: Date) =>
    new Date(at.getTime() + 2 * 3_600_000).toISOString().replace(/\D/g, '').slice(0, 14);
  const envelope = (resultCd: string, resultMsg: string, data: unknown = null): Answered =>
    jsonAnswer(200, { resultCd, resultMsg, resultDt: stamp(now()), data });
  /**
   * Of the devices of a branch the one that serves it: initialised and not withdrawn, the latest
   * of them.
   */
  const serving = (tin: unknown, bhfId: unknown): Device | undefined =>
    state.value.devices.findLast(
      (each) => each.tin === tin && each.bhfId === bhfId && each.isInitialised && !each.isRetired,
    );
  return {
    state,
    approved,
    fresh,
    newDevice,
    machineNow,
    now,
    stamp,
    envelope,
    done: (data: unknown = null) => envelope('000', 'It is succeeded', data),
    serving,
    /** The device that serves a branch, or the one it would be. */
    find: (tin: string, bhfId: string) =>
      serving(tin, bhfId) ??
      (state.value.devices.findLast((each) => each.tin === tin && each.bhfId === bhfId) as Device),
    /** Keeps what a request has done, before it is answered. */
    keep(path: string, raw: string) {
      state.save();
      if (!options.journalFile || playedAt !== null) return;
      const line = JSON.stringify({ path, raw, at: machineNow() });
      appendFileSync(options.journalFile, `${line}\n`);
    },
    /** Does something as it was done at a moment of the journal. */
    playAt(at: number, again: () => void) {
      playedAt = at;
      again();
      playedAt = null;
    },
    /** How often a branch's device was asked at a path. */
    counts: new Map<string, number>(),
    /** Requests and answers that lie on their way until a test lets them go. */
    held: [] as (() => void)[],
    /** Numbers whose first send was dropped by a script. */
    dropped: new Set<string>(),
  };
}

function freshState(
  approved: ApprovedDevice[],
  newDevice: (each: ApprovedDevice, index: number) => Device,
): State {
  return {
    devices: approved.map(newDevice),
    receipts: [],
    faults: [],
    settings: { ...usual, rates: {} },
    vatRegistered: Object.fromEntries(
      approved.map((each) => [each.tin, each.vatRegistered !== false]),
    ),
    clockOffsetMs: 0,
    taxpayers: {
      '101234567': 'KIVU LOGISTICS LTD',
      ...Object.fromEntries(approved.map((each) => [each.tin, each.name])),
    },
  };
}

/** A device approved later joins a kept state. */
function joinApproved(devices: Device[], approved: Device[]): void {
  const isSame = (a: Device, b: Device) =>
    a.serial === b.serial && a.tin === b.tin && a.bhfId === b.bhfId;
  for (const device of approved) {
    if (devices.some((each) => isSame(each, device))) continue;
    const number = devices.length + 1;
    devices.push({
      ...device,
      sdcId: `SDC0100${String(number).padStart(5, '0')}`,
      mrcNo: `WIS${String(number).padStart(8, '0')}`,
    });
  }
}
