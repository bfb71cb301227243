import { type Answered, type Asked, jsonAnswer } from '../../../simulators/kit/server.ts';
import type { Sim } from './sim.ts';
import type { ApprovedDevice } from './state.ts';

type Told = Record<string, unknown>;

/** What a test, or whoever plays with the demo, may tell the device under `/_sim`. */
const controls: Record<string, (sim: Sim, told: Told) => void> = {
  faults: script,
  settings: (sim, told) => void Object.assign(sim.state.value.settings, told),
  clock: moveClock,
  sign_elsewhere: (sim, told) =>
    signElsewhere(sim, String(told.tin), String(told.bhfId), String(told.invcNo)),
  taxpayer: (sim, told) =>
    tellTaxpayer(sim, String(told.tin), {
      ...(told.name === undefined ? {} : { name: String(told.name) }),
      ...(told.vat_registered === undefined ? {} : { vatRegistered: told.vat_registered === true }),
    }),
  retire: (sim, told) => retire(sim, String(told.serial)),
  approve: (sim, told) =>
    approve(sim, {
      tin: String(told.tin),
      bhfId: String(told.bhfId),
      serial: String(told.serial),
      name: String(told.name ?? ''),
    }),
  reset: (sim, told) => reset(sim, told.everything === true),
};

export function control(sim: Sim, asked: Asked): Answered {
  const told = asked.body ? (JSON.parse(asked.body) as Told) : {};
  if (asked.method === 'GET' && asked.path === '/_sim/receipts')
    return jsonAnswer(200, { receipts: sim.state.value.receipts });
  if (asked.method === 'GET' && asked.path === '/_sim/state')
    return jsonAnswer(200, { ...sim.state.value, receipts: undefined });
  const [, name = ''] = /^\/_sim\/(\w+)$/.exec(asked.path) ?? [];
  const does = controls[name];
  if (!does) return jsonAnswer(404, { error: 'no such control' });
  does(sim, told);
  sim.state.save();
  return jsonAnswer(200, { ok: true });
}

function script(sim: Sim, told: Told): void {
  const only = told.tin ? { tin: String(told.tin), bhfId: String(told.bhfId) } : {};
  sim.state.value.faults = [
    ...sim.state.value.faults.filter((each) => each.tin !== only.tin || each.bhfId !== only.bhfId),
    { next: (told.next as string[]) ?? [], ...only },
  ];
}

function moveClock(sim: Sim, told: Told): void {
  sim.state.value.clockOffsetMs = told.now
    ? Date.parse(String(told.now)) - sim.machineNow()
    : sim.state.value.clockOffsetMs + Number(told.advance_ms ?? 0);
}

/**
 * Forgets receipts, faults, settings and clock. Devices keep their keys, counters and used
 * numbers, as a real one would; `everything` takes those too.
 */
export function reset(sim: Sim, everything: boolean): void {
  const { devices, taxpayers, vatRegistered } = sim.state.value;
  sim.state.value = everything
    ? sim.fresh()
    : { ...sim.fresh(), devices, taxpayers, vatRegistered };
  sim.dropped.clear();
  sim.state.save();
}

export function tellTaxpayer(
  sim: Sim,
  tin: string,
  told: { name?: string; vatRegistered?: boolean },
): void {
  if (told.name !== undefined) sim.state.value.taxpayers[tin] = told.name;
  if (told.vatRegistered !== undefined)
    sim.state.value.vatRegistered = { ...sim.state.value.vatRegistered, [tin]: told.vatRegistered };
  sim.state.save();
}

export function retire(sim: Sim, serial: string): void {
  for (const device of sim.state.value.devices)
    if (device.serial === serial) device.isRetired = true;
  sim.state.save();
}

export function approve(sim: Sim, device: ApprovedDevice): void {
  sim.approved.push(device);
  sim.state.value.devices.push(sim.newDevice(device, sim.state.value.devices.length));
  sim.state.value.taxpayers[device.tin] ??= device.name;
  if (device.vatRegistered !== undefined)
    tellTaxpayer(sim, device.tin, { vatRegistered: device.vatRegistered });
  sim.state.save();
}

export function signElsewhere(sim: Sim, tin: string, bhfId: string, invcNo: string): void {
  const device = sim.find(tin, bhfId);
  device.usedNumbers.push(invcNo);
  device.total += 1;
  device.receiptCounters.NS = (device.receiptCounters.NS ?? 0) + 1;
  sim.state.save();
}
