import { type Business, getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Dialect, DialectDevice, Dialects } from '../ports/dialect/index.ts';
import type { ProbeAnswer } from '../ports/dialect/set-up.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import type { Device } from '../branches/device.model.ts';
import {
  findDeviceOfBranch,
  keepProbe,
  listBranches,
  type ProbeResult,
  type StoredProbe,
  setLastUpstreamContact,
  compareTaxpayer,
  keepDeviceTaxpayer,
} from '../branches/index.ts';

type Ports = { vsdc: Vsdc; dialects: Dialects; clock: Clock };
/** The result of a test, and the dialect of its device. */
export type TestedDevice = StoredProbe & { dialect: string };
export type TestDevice = (ctx: Context, branchId: string | null) => Promise<TestedDevice>;

const hourMs = 3_600_000;
/** The part of the time a device may be without its authority at which a person should act. */
const soonPart = 0.75;

/**
 * Tests whether a device serves, as far as it can be asked without a sale. A taxpayer lookup goes to
 * the authority and so proves contact; the time offline is an estimate from the last proof. A device
 * is asked once at a time, and those who ask meanwhile get the same outcome.
 */
export const testDevice = (ports: Ports): TestDevice => {
  const underWay = new Map<string, Promise<TestedDevice>>();
  return async (ctx, branchId) => {
    const { business, device } = await ctx.transaction(async (tx) => {
      const id = branchId ?? (await listBranches(tx)).find((each) => each.device)?.id ?? '';
      return { business: await getBusiness(tx), device: await findDeviceOfBranch(tx, id) };
    });
    if (!device) throw new AppError(branchId ? 'not_found' : 'device_missing');
    // A device that was moved or set up meanwhile is another question.
    const key = [ctx.businessId, device.id, device.address, device.state].join(' ');
    const known = underWay.get(key);
    if (known) return known;
    const asked = probeDevice(ports, ctx, business, device).finally(() => underWay.delete(key));
    underWay.set(key, asked);
    return asked;
  };
};

/** A device that is tested, as its dialect asks it. */
type Asked = { device: Device; dialect: Dialect; named: DialectDevice };

async function probeDevice(
  ports: Ports,
  ctx: Context,
  business: Business,
  device: Device,
): Promise<TestedDevice> {
  const dialect = ports.dialects.of(device.dialect);
  const named = {
    taxpayerId: business.taxpayerId,
    branchCode: device.branchCode,
    serial: device.serial,
  };
  const { heard, answerMs } = await askWhetherItServes(ports, ctx, { device, dialect, named });
  const judged = heard.is === 'answered' ? heard.judged : null;
  const known =
    judged === 'serves' && device.state !== 'new'
      ? await askForItsTaxpayer(ports, ctx, { device, dialect, named })
      : null;
  const upstreamAt = known?.at ?? device.lastUpstreamAt;
  const at = ports.clock.now();
  const since = upstreamAt ?? device.lastContactAt;
  const hours = since ? Math.floor((at.getTime() - since.getTime()) / hourMs) : null;
  const offline = { hours, max: dialect.setUp.offlineHoursMax };
  const probe: StoredProbe = {
    result: resultOf(heard, device.state === 'new', offline),
    at: at.toISOString(),
    answer_ms: answerMs,
    last_upstream_at: upstreamAt?.toISOString() ?? null,
    offline_hours: hours,
    reason: heard.is === 'answered' ? null : heard.reason,
  };
  await ctx.transaction(async (tx) => {
    await keepProbe(tx, device.id, probe, judged === 'serves' || judged === 'link_down');
    if (known) await setLastUpstreamContact(tx, device.id, known.at);
    if (!known || known.name === null) return;
    // The authority's present name of the business's own taxpayer.
    await keepDeviceTaxpayer(tx, device.id, { name: known.name, isVatRegistered: null }, at);
    await compareTaxpayer(tx, await getBusiness(tx));
  });
  return { ...probe, dialect: device.dialect };
}

async function askWhetherItServes(
  ports: Ports,
  ctx: Context,
  { device, dialect, named }: Asked,
): Promise<{ heard: Heard; answerMs: number | null }> {
  const { probe } = dialect.setUp;
  const begun = performance.now();
  const sent = await ports.vsdc.send(device, probe.toRequest(named), {
    businessId: ctx.businessId,
    as: 'question',
  });
  const answerMs = Math.round(performance.now() - begun);
  return sent.is === 'answered'
    ? { heard: { is: 'answered', judged: probe.judge(sent.answer) }, answerMs }
    : { heard: { is: sent.is, reason: sent.reason }, answerMs: null };
}

/**
 * Asks for the device's own taxpayer: only the authority knows it, so that an answer proves
 * contact. Null where there is none, or where devices of this authority know no taxpayers.
 */
async function askForItsTaxpayer(
  ports: Ports,
  ctx: Context,
  { device, dialect, named }: Asked,
): Promise<{ at: Date; name: string | null } | null> {
  const { lookup } = dialect.taxpayers ?? {};
  if (!lookup) return null;
  const sent = await ports.vsdc.send(device, lookup.toRequest(named, named.taxpayerId), {
    businessId: ctx.businessId,
    as: 'question',
  });
  const read = sent.is === 'answered' ? lookup.read(sent.answer) : null;
  return read?.is === 'done' ? { at: ports.clock.now(), name: read.value } : null;
}

type Heard =
  | {
      is: 'answered';
      judged: ProbeAnswer;
    }
  | { is: 'unreachable' | 'in_doubt' | 'address_refused'; reason: string };

/** For how long a device has been without its authority, and for how long it may be. */
type Offline = { hours: number | null; max: number | null };

const isPast = ({ hours, max }: Offline, part = 1): boolean =>
  hours !== null && max !== null && hours >= max * part;

function resultOf(heard: Heard, isNew: boolean, offline: Offline): ProbeResult {
  if (heard.is === 'address_refused') return 'address_refused';
  if (heard.is !== 'answered')
    return isPast(offline)
      ? 'down_or_stopped'
      : /ENOTFOUND|EAI_AGAIN|unknown host|^the name/i.test(heard.reason)
        ? 'wrong_address'
        : 'down';
  switch (heard.judged) {
    case 'vsdc_missing':
      return 'vsdc_missing';
    case 'stopped':
      return 'down_or_stopped';
    case 'other':
      return 'wrong_address';
    case 'stranger':
      return isNew ? 'not_initialised' : 'other_taxpayer';
    case 'link_down':
      return 'offline_soon';
    case 'serves':
      return isPast(offline, soonPart) ? 'offline_soon' : 'fine';
  }
}
