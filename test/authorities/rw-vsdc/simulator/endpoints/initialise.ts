import type { Answered } from '../../../../simulators/kit/server.ts';
import type { Body } from '../check-sale.ts';
import { keyOf } from '../keys.ts';
import type { Sim } from '../sim.ts';

export function initialise(sim: Sim, body: Body, raw: string): Answered {
  const device = sim.state.value.devices.find(
    (each) => each.tin === body.tin && each.bhfId === body.bhfId && each.serial === body.dvcSrlNo,
  );
  if (!device || device.isRetired) return sim.envelope('901', 'It is not valid device');
  const again = sim.state.value.settings.second_initialisation;
  if (device.isInitialised && again === 'refused')
    return sim.envelope('902', 'This device is installed');
  if (!device.isInitialised || again === 'new_keys') device.keysGiven = (device.keysGiven ?? 0) + 1;
  device.isInitialised = true;
  device.lastContact = sim.now().getTime();
  sim.keep('/initializer/selectInitInfo', raw);
  const isVatRegistered = sim.state.value.vatRegistered?.[device.tin] !== false;
  const key = (name: string) => keyOf(device, name);
  return sim.done({
    info: {
      tin: device.tin,
      taxprNm: sim.state.value.taxpayers[device.tin] ?? '',
      bsnsActv: 'RETAIL',
      bhfId: device.bhfId,
      bhfNm: device.bhfId === '00' ? 'Headquarter' : `Branch ${device.bhfId}`,
      bhfOpenDt: '20200101',
      prvncNm: 'KIGALI CITY',
      dstrtNm: 'GASABO',
      sctrNm: 'KACYIRU',
      locDesc: 'KG 7 AVE',
      hqYn: device.bhfId === '00' ? 'Y' : 'N',
      mgrNm: 'manager',
      mgrTelNo: '0780000000',
      mgrEmail: 'manager@example.rw',
      dvcId: `${device.tin}${device.bhfId}`,
      sdcId: device.sdcId,
      mrcNo: device.mrcNo,
      cmcKey: key('cmc'),
      intrlKey: key('intrl'),
      signKey: key('sign'),
      lastSaleInvcNo: Math.max(
        device.before?.lastInvoiceNumber ?? 0,
        ...device.usedNumbers.map(Number),
      ),
      lastPchsInvcNo: 0,
      lastSaleRcptNo: device.receiptCounters.NS ?? 0,
      lastInvcNo: Math.max(
        device.before?.lastInvoiceNumber ?? 0,
        ...device.usedNumbers.map(Number),
      ),
      lastTrainInvcNo: 0,
      lastProfrmInvcNo: 0,
      lastCopyInvcNo: 0,
      ...(sim.state.value.settings.tells_vat ? { vatTyCd: isVatRegistered ? '1' : '2' } : {}),
    },
  });
}
