import type { Answered } from '../../../../simulators/kit/server.ts';
import type { Body } from '../check-sale.ts';
import type { Sim } from '../sim.ts';
import type { Device } from '../state.ts';

export function saveStock(sim: Sim, device: Device, body: Body): Answered {
  if (device.sales.length === 0) return sim.envelope('922', 'The sale must be received first');
  for (const line of (body.itemList as Body[] | undefined) ?? [])
    if (!device.stocked.includes(String(line.itemCd))) device.stocked.push(String(line.itemCd));
  sim.state.save();
  return sim.done();
}
