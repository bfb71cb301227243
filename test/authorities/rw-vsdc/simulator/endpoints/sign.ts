import type { Answered } from '../../../../simulators/kit/server.ts';
import { type Body, cents, digits, ratesIn, soldLines } from '../check-sale.ts';
import { base32, hmac } from '../keys.ts';
import type { Sim } from '../sim.ts';
import type { Device } from '../state.ts';

/** Signs a sale that was checked: counters move, and what was signed is kept. */
export function sign(sim: Sim, device: Device, body: Body, raw: string): Answered {
  const label = `${String(body.salesTyCd)}${String(body.rcptTyCd)}`;
  const invcNo = digits(body.invcNo);
  device.receiptCounters[label] = (device.receiptCounters[label] ?? 0) + 1;
  device.total += sim.state.value.settings.total_step;
  device.usedNumbers.push(invcNo);
  if (body.custTin && body.rcptTyCd === 'S')
    device.usedPurchaseCodes.push(`${String(body.custTin)}:${String(body.prcOrdCd)}`);
  device.sales.push({
    invcNo,
    rcptTyCd: String(body.rcptTyCd),
    custTin: (body.custTin as string | null) ?? null,
    totAmt: String(cents(body.totAmt)),
    orgInvcNo: digits(body.orgInvcNo),
    lines: soldLines(body),
    rates: ratesIn(body),
  });
  const seed = `${device.sdcId}:${device.total}:${raw}`;
  const asCounter = (n: number) => (sim.state.value.settings.counters_as_strings ? String(n) : n);
  const at = sim.now();
  const data = {
    rcptNo: asCounter(device.receiptCounters[label] ?? 0),
    totRcptNo: asCounter(device.total),
    intrlData: base32(hmac(`i:${seed}`), 26),
    rcptSign: base32(hmac(`s:${seed}`), 16),
    vsdcRcptPbctDate: sim.stamp(at),
    sdcId: device.sdcId,
    mrcNo: sim.state.value.settings.pad_mrc ? `${device.mrcNo}  ` : device.mrcNo,
  };
  sim.state.value.receipts.push({
    request: JSON.parse(raw) as Record<string, unknown>,
    reply: data,
    at: at.toISOString(),
  });
  sim.keep('/trnsSales/saveSales', raw);
  return sim.done(data);
}
