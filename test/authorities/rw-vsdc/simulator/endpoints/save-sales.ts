import { setTimeout as pause } from 'node:timers/promises';
import type { Answered, Asked } from '../../../../simulators/kit/server.ts';
import { type Body, checkSale, digits, type Rules } from '../check-sale.ts';
import { nextFault } from '../faults.ts';
import { notFound } from '../pages.ts';
import type { Sim } from '../sim.ts';
import type { Device, Settings } from '../state.ts';
import { sign } from './sign.ts';

/** A sale as it arrives: a scripted fault, the device's checks, its signature, and a fault again. */
export async function saveSales(
  sim: Sim,
  device: Device,
  body: Body,
  asked: Asked,
): Promise<Answered | null> {
  const fault = nextFault(sim, device);
  const early = await faultBeforeSigning(sim, device, body, fault);
  if (early !== undefined) return early;
  const { settings } = sim.state.value;
  if (settings.answer_ms > 0) await pause(settings.answer_ms);
  const refusal = checkSale(
    body,
    { ...device, salesElsewhere: salesElsewhere(sim, device) },
    rulesOf(sim.state.value.settings),
    sim.stamp(sim.now()).slice(0, 8),
  );
  if (refusal) return sim.envelope(refusal.code, refusal.text);
  return faultAfterSigning(sim, sign(sim, device, body, asked.body), fault);
}

/** What a script makes of a sale before it is looked at; undefined: nothing. */
async function faultBeforeSigning(
  sim: Sim,
  device: Device,
  body: Body,
  fault: string | undefined,
): Promise<Answered | null | undefined> {
  if (fault === 'drop_before_signing') return null;
  // It lies somewhere on its way, and is worked off later, whoever waits for it.
  if (fault === 'hold' || fault?.startsWith('hold_then_refuse:')) await released(sim);
  if (fault === 'html_404') return notFound;
  if (fault === 'offline') return sim.envelope('838', 'No connection to the server');
  const [kind, code = ''] = fault?.split(':') ?? [];
  if (kind === 'drop_then_refuse') {
    const number = `${device.sdcId}/${digits(body.invcNo)}`;
    if (sim.dropped.has(number))
      return sim.envelope(code, 'Scripted refusal of what was dropped before');
    sim.dropped.add(number);
    return null;
  }
  if (kind === 'refuse') return sim.envelope(code, `Scripted refusal ${code}`);
  if (kind === 'hold_then_refuse')
    return sim.envelope(code, 'Scripted refusal of what lay on its way');
  return undefined;
}

/** What a script makes of the answer of a sale that is signed. */
async function faultAfterSigning(
  sim: Sim,
  answer: Answered,
  fault: string | undefined,
): Promise<Answered | null> {
  const [kind, detail, total] = fault?.split(':') ?? [];
  switch (kind) {
    case 'drop_after_signing':
      return null;
    case 'sign_then_refuse':
      return sim.envelope(detail ?? '', 'Scripted refusal after signing');
    case 'garbage':
      return {
        status: 200,
        type: 'application/json',
        body: '{"resultCd":"000","resultMsg":"It is succ',
      };
    case 'empty_success':
      return sim.envelope('000', 'It is succeeded', null);
    case 'hold_answer':
      await released(sim);
      return answer;
    case 'stall': {
      const said = total
        ? sim.done({ ...sim.state.value.receipts.at(-1)?.reply, totRcptNo: Number(total) })
        : answer;
      await pause(Number(detail ?? sim.state.value.settings.stall_ms), undefined, { ref: false });
      return said;
    }
    default:
      return answer;
  }
}

const released = (sim: Sim) => new Promise<void>((resolve) => sim.held.push(resolve));

const rulesOf = (settings: Settings): Rules => ({
  duplicate: settings.duplicate_answer,
  allowsPartialRefunds: settings.partial_refunds,
  rates: settings.rates,
  refundRates: settings.refund_rates,
  refundChecks: settings.refund_checks,
  supplyTolerance: settings.supply_tolerance,
});

/** What the device knows of sales that other devices of its branch have signed. */
function salesElsewhere(sim: Sim, device: Device): Device['sales'] {
  const { settings, devices } = sim.state.value;
  const others = settings.knows_sales_elsewhere
    ? devices.filter(
        (each) => each !== device && each.tin === device.tin && each.bhfId === device.bhfId,
      )
    : [];
  return [...(device.before?.sales ?? []), ...others.flatMap((each) => each.sales)];
}
