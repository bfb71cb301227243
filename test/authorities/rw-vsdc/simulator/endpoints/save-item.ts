import type { Answered } from '../../../../simulators/kit/server.ts';
import { type Body, cents } from '../check-sale.ts';
import { isNextFault } from '../faults.ts';
import type { Sim } from '../sim.ts';
import type { Device } from '../state.ts';

/** Unit codes are not looked at here; the sale looks (seen on live devices). */
export function saveItem(sim: Sim, device: Device, body: Body, raw: string): Answered {
  for (const name of [
    'itemCd',
    'itemClsCd',
    'itemTyCd',
    'itemNm',
    'orgnNatCd',
    'pkgUnitCd',
    'qtyUnitCd',
    'taxTyCd',
    'useYn',
    'regrId',
    'regrNm',
    'modrId',
    'modrNm',
  ])
    if (!body[name]) return sim.envelope('910', `Request parameter error: ${name}`);
  if (isNextFault(sim, device, 'refuse_item'))
    return sim.envelope('910', 'Scripted refusal of an item');
  if (cents(body.dftPrc) === null) return sim.envelope('910', 'Request parameter error: dftPrc');
  if (String(body.itemCd).length > 20 || [...String(body.itemNm)].length > 200)
    return sim.envelope('910', 'Request parameter error: itemCd');
  if (!device.itemCodes.includes(String(body.itemCd))) device.itemCodes.push(String(body.itemCd));
  // The register is the taxpayer's: a sister branch knows the item too.
  for (const sister of sim.state.value.devices)
    if (sister.tin === device.tin && !sister.itemCodes.includes(String(body.itemCd)))
      sister.itemCodes.push(String(body.itemCd));
  sim.keep('/items/saveItems', raw);
  return sim.done();
}
