import type { Sim } from './sim.ts';
import type { Device } from './state.ts';

const scriptOf = (sim: Sim, device: Device) =>
  sim.state.value.faults.find(
    (each) =>
      each.next.length > 0 &&
      (!each.tin || (each.tin === device.tin && each.bhfId === device.bhfId)),
  );

/** Whether this one comes next; it is over then. One that speaks of sales waits for a sale. */
export const isNextFault = (sim: Sim, device: Device, fault: string): boolean =>
  scriptOf(sim, device)?.next[0] === fault && nextFault(sim, device) === fault;

/** Takes the next fault of the device's script. */
export function nextFault(sim: Sim, device: Device): string | undefined {
  const script = scriptOf(sim, device);
  const fault = script?.next.shift();
  if (script) sim.state.save();
  return fault === 'none' ? undefined : fault;
}
