import { createHmac } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Answered,
  type Asked,
  jsonAnswer,
  keptState,
  type Listening,
  listen,
} from '../../../simulators/kit/server.ts';
import {
  type Body,
  cents,
  checkSale,
  digits,
  type DeviceSale,
  type Exact,
  ratesIn,
  type Rules,
  soldLines,
} from './check-sale.ts';
import { type Clothes, clothe, plainClothes } from './clothe.ts';
import { codeListsAt, itemClasses, type Rates } from './lists.ts';

type Device = {
  tin: string;
  bhfId: string;
  serial: string;
  sdcId: string;
  mrcNo: string;
  isInitialised: boolean;
  receiptCounters: Record<string, number>;
  total: number;
  usedNumbers: string[];
  usedPurchaseCodes: string[];
  itemCodes: string[];
  sales: DeviceSale[];
  stocked: string[];
  /** The authority has withdrawn it: it answers nobody any more. */
  isRetired?: boolean;
  /** What the authority holds of the branch from the device before this one. */
  before?: ApprovedDevice['before'];
  /** How often its keys were given anew. */
  keysGiven?: number;
  /** Last moment the authority was reached: 24 hours later the device stops. */
  lastContact: number;
};

type SimReceipt = {
  request: Record<string, unknown>;
  reply: Record<string, unknown>;
  at: string;
};

type Settings = Clothes & {
  duplicate_answer: '924' | '994' | '899';
  partial_refunds: boolean;
  counters_as_strings: boolean;
  pad_mrc: boolean;
  stall_ms: number;
  answer_ms: number;
  /** Whether the device reaches the authority. */
  uplink: boolean;
  /**
   * Percent by tax class where they are not the usual ones: told in list 04, and what sales are
   * checked by.
   */
  rates: Rates;
  refund_rates: NonNullable<Rules['refundRates']>;
  refund_checks: NonNullable<Rules['refundChecks']>;
  supply_tolerance: NonNullable<Rules['supplyTolerance']>;
  /**
   * What a second initialisation is told: that the device is installed, its data again, or its data
   * with new keys.
   */
  second_initialisation: 'refused' | 'same_keys' | 'new_keys';
  /**
   * Whether an initialisation says whether the taxpayer is registered for VAT; older ones do not.
   */
  tells_vat: boolean;
  /** Whether a refund may be of a sale that another device of the branch has signed. */
  knows_sales_elsewhere: boolean;
  /**
   * How far the total counter moves with one receipt: further than one, another program's or a
   * copy's came between.
   */
  total_step: number;
  /**
   * What a question for a list is answered with: its rows, a link that is down, nothing new, or no
   * rows at all.
   */
  list_answer: 'rows' | 'offline' | 'nothing' | 'empty';
};

type State = {
  devices: Device[];
  receipts: SimReceipt[];
  faults: { next: string[]; tin?: string; bhfId?: string }[];
  settings: Settings;
  clockOffsetMs: number;
  taxpayers: Record<string, string>;
  /** Who is not registered for VAT, or was not and is. */
  vatRegistered?: Record<string, boolean> | undefined;
};

export type ApprovedDevice = {
  tin: string;
  bhfId: string;
  serial: string;
  name: string;
  vatRegistered?: boolean;
  /**
   * Where it is not the first: its SDC id, and what the authority holds of the branch from the
   * device before it.
   */
  sdcId?: string;
  before?: { lastInvoiceNumber: number; sales: Device['sales'] };
};

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
  taxpayer(tin: string, is: { name?: string; vatRegistered?: boolean }): void;
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

const dayMs = 86_400_000;
const usual: Settings = {
  duplicate_answer: '924',
  partial_refunds: false,
  counters_as_strings: false,
  pad_mrc: false,
  stall_ms: 60_000,
  answer_ms: 0,
  uplink: true,
  rates: {},
  refund_rates: 'sale',
  refund_checks: 'classes',
  supply_tolerance: 'grows',
  second_initialisation: 'refused',
  tells_vat: true,
  knows_sales_elsewhere: false,
  total_step: 1,
  list_answer: 'rows',
  ...plainClothes,
};

/**
 * A Rwandan VSDC at its taxpayer's desk, written from the authority's contract (VSDC v1.0.x) and
 * from what implementers saw of real devices, faults included. It shares nothing with the product.
 * Everything it ever signed is at `GET /_sim/receipts`.
 */
export async function startRwVsdc(
  options: Parameters<typeof makeRwVsdc>[0] & { port?: number; onTaken?: (port: number) => void },
): Promise<RwVsdc> {
  const { handle, ...device } = makeRwVsdc(options);
  return { ...(await listen(handle, options)), ...device };
}

/**
 * The same without its network: whoever asks decides what becomes of questions and answers. `now`:
 * milliseconds, where time is not the machine's.
 */
export function makeRwVsdc(options: {
  approved: ApprovedDevice[];
  stateFile?: string | null;
  /**
   * Instead of a state file: every request that did something, one a line, written before it is
   * answered; played again at the start.
   */
  journalFile?: string | null;
  now?: () => number;
}): RwVsdcDevice {
  let playedAt: number | null = null;
  const machineNow = () => playedAt ?? (options.now ?? Date.now)();
  const approved = [...options.approved];
  const fresh = (): State => ({
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
  });
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
  const state = keptState(options.stateFile ?? null, fresh);
  // What an older simulator kept knows fewer switches.
  state.value.settings = { ...usual, ...state.value.settings };
  // A device approved later joins a kept state.
  for (const device of fresh().devices) {
    if (
      !state.value.devices.some(
        (each) =>
          each.serial === device.serial && each.tin === device.tin && each.bhfId === device.bhfId,
      )
    ) {
      state.value.devices.push({
        ...device,
        sdcId: `SDC0100${String(state.value.devices.length + 1).padStart(5, '0')}`,
        mrcNo: `WIS${String(state.value.devices.length + 1).padStart(8, '0')}`,
      });
    }
  }
  state.save();

  const keep = (path: string, raw: string) => {
    state.save();
    if (options.journalFile && playedAt === null)
      appendFileSync(options.journalFile, `${JSON.stringify({ path, raw, at: machineNow() })}\n`);
  };
  const now = () => new Date(machineNow() + state.value.clockOffsetMs);
  const stamp = (at: Date) =>
    new Date(at.getTime() + 2 * 3_600_000).toISOString().replace(/\D/g, '').slice(0, 14);
  const envelope = (resultCd: string, resultMsg: string, data: unknown = null): Answered =>
    jsonAnswer(200, { resultCd, resultMsg, resultDt: stamp(now()), data });
  const done = (data: unknown = null) => envelope('000', 'It is succeeded', data);

  const handle = async (asked: Asked): Promise<Answered | null> => {
    if (asked.path.startsWith('/_sim')) return control(asked);
    if (asked.method === 'GET' && asked.path === '/receipt') return receiptPage(asked);
    return clothe(await serve(asked), state.value.settings);
  };

  /**
   * Of the devices of a branch the one that serves it: initialised and not withdrawn, the latest of
   * them.
   */
  const serving = (tin: unknown, bhfId: unknown): Device | undefined =>
    state.value.devices.findLast(
      (each) => each.tin === tin && each.bhfId === bhfId && each.isInitialised && !each.isRetired,
    );

  const counts = new Map<string, number>();
  const countOf = (path: string, tin: unknown, bhfId: unknown) =>
    `${String(tin)}/${String(bhfId)}${path}`;

  const serve = async (asked: Asked): Promise<Answered | null> => {
    if (asked.method !== 'POST')
      return { status: 405, type: 'text/html', body: '<html><body>405</body></html>' };
    if (asked.body.trim() === '') return envelope('911', 'Request body is empty');
    const body = exactly(asked.body);
    if (!body)
      return {
        status: 400,
        type: 'text/html',
        body: '<html><body>HTTP Status 400 – Bad Request</body></html>',
      };
    if (asked.path === '/initializer/selectInitInfo') return initialise(body, asked.body);
    const counted = countOf(asked.path, body.tin, body.bhfId);
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
    const device = serving(body.tin, body.bhfId);
    if (!device) return envelope('901', 'It is not valid device');
    if (state.value.settings.uplink) device.lastContact = now().getTime();
    else if (now().getTime() - device.lastContact > dayMs)
      return {
        status: 503,
        type: 'text/html',
        body: '<html><body>Service Unavailable</body></html>',
      };
    switch (asked.path) {
      case '/code/selectCodes':
        return list(body, { clsList: codeListsAt(state.value.settings.rates) });
      case '/itemClass/selectItemsClass':
        return list(body, { itemClsList: itemClasses });
      case '/customers/selectCustomer': {
        const name = state.value.taxpayers[String(body.custmTin)];
        if (!name) return envelope('001', 'There is no search result');
        return done({
          custList: [
            {
              tin: body.custmTin,
              taxprNm: name,
              taxprSttsCd: 'A',
              prvncNm: 'KIGALI CITY',
              dstrtNm: 'GASABO',
              sctrNm: 'KACYIRU',
              locDesc: null,
            },
          ],
        });
      }
      case '/items/saveItems':
        return saveItem(device, body, asked.body);
      case '/items/selectItems':
        return done({
          itemList: device.itemCodes.map((itemCd) => ({ tin: device.tin, itemCd, useYn: 'Y' })),
        });
      case '/trnsSales/saveSales':
        return saveSales(device, body, asked);
      case '/stock/saveStockItems':
        return saveStock(device, body);
      case '/stockMaster/saveStockMaster':
        return device.stocked.includes(String(body.itemCd))
          ? done()
          : envelope('922', 'The stock movement must be received first');
      default:
        return {
          status: 404,
          type: 'text/html',
          body: '<html><body><h1>HTTP Status 404 – Not Found</h1></body></html>',
        };
    }
  };

  function list(body: Body, rows: Record<string, unknown[]>): Answered {
    const how = state.value.settings.list_answer;
    if (how === 'offline') return envelope('838', 'No connection to the server');
    if (how === 'nothing' || String(body.lastReqDt ?? '') >= stamp(now()))
      return envelope('001', 'There is no search result');
    return done(
      how === 'empty' ? Object.fromEntries(Object.keys(rows).map((name) => [name, []])) : rows,
    );
  }

  function initialise(body: Body, raw: string): Answered {
    const device = state.value.devices.find(
      (each) => each.tin === body.tin && each.bhfId === body.bhfId && each.serial === body.dvcSrlNo,
    );
    if (!device || device.isRetired) return envelope('901', 'It is not valid device');
    const again = state.value.settings.second_initialisation;
    if (device.isInitialised && again === 'refused')
      return envelope('902', 'This device is installed');
    if (!device.isInitialised || again === 'new_keys')
      device.keysGiven = (device.keysGiven ?? 0) + 1;
    device.isInitialised = true;
    device.lastContact = now().getTime();
    keep('/initializer/selectInitInfo', raw);
    const isVatRegistered = state.value.vatRegistered?.[device.tin] !== false;
    const key = (name: string) => keyOf(device, name);
    return done({
      info: {
        tin: device.tin,
        taxprNm: state.value.taxpayers[device.tin] ?? '',
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
        ...(state.value.settings.tells_vat ? { vatTyCd: isVatRegistered ? '1' : '2' } : {}),
      },
    });
  }

  /** Unit codes are not looked at here; the sale looks (seen on live devices). */
  function saveItem(device: Device, body: Body, raw: string): Answered {
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
      if (!body[name]) return envelope('910', `Request parameter error: ${name}`);
    if (isNextFault(device, 'refuse_item')) return envelope('910', 'Scripted refusal of an item');
    if (cents(body.dftPrc) === null) return envelope('910', 'Request parameter error: dftPrc');
    if (String(body.itemCd).length > 20 || [...String(body.itemNm)].length > 200)
      return envelope('910', 'Request parameter error: itemCd');
    if (!device.itemCodes.includes(String(body.itemCd))) device.itemCodes.push(String(body.itemCd));
    // The register is the taxpayer's: a sister branch knows the item too.
    for (const sister of state.value.devices)
      if (sister.tin === device.tin && !sister.itemCodes.includes(String(body.itemCd)))
        sister.itemCodes.push(String(body.itemCd));
    keep('/items/saveItems', raw);
    return done();
  }

  function saveStock(device: Device, body: Body): Answered {
    if (device.sales.length === 0) return envelope('922', 'The sale must be received first');
    for (const line of (body.itemList as Body[] | undefined) ?? [])
      if (!device.stocked.includes(String(line.itemCd))) device.stocked.push(String(line.itemCd));
    state.save();
    return done();
  }

  /** Requests and answers that lie on their way until a test lets them go. */
  const held: (() => void)[] = [];
  const released = () => new Promise<void>((resolve) => held.push(resolve));

  /** Numbers whose first send was dropped by a script. */
  const dropped = new Set<string>();

  async function saveSales(device: Device, body: Body, asked: Asked): Promise<Answered | null> {
    const fault = nextFault(device);
    if (fault === 'drop_before_signing') return null;
    // It lies somewhere on its way, and is worked off later, whoever waits for it.
    if (fault === 'hold' || fault?.startsWith('hold_then_refuse:')) await released();
    if (fault === 'html_404')
      return {
        status: 404,
        type: 'text/html',
        body: '<html><body><h1>HTTP Status 404 – Not Found</h1></body></html>',
      };
    if (fault === 'offline') return envelope('838', 'No connection to the server');
    if (fault?.startsWith('drop_then_refuse:')) {
      const number = `${device.sdcId}/${digits(body.invcNo)}`;
      if (dropped.has(number))
        return envelope(fault.slice(17), 'Scripted refusal of what was dropped before');
      dropped.add(number);
      return null;
    }
    if (fault?.startsWith('refuse:'))
      return envelope(fault.slice(7), `Scripted refusal ${fault.slice(7)}`);
    if (fault?.startsWith('hold_then_refuse:'))
      return envelope(fault.slice(17), 'Scripted refusal of what lay on its way');
    if (state.value.settings.answer_ms > 0) await pause(state.value.settings.answer_ms);
    const { settings } = state.value;
    const rules: Rules = {
      duplicate: settings.duplicate_answer,
      allowsPartialRefunds: settings.partial_refunds,
      rates: settings.rates,
      refundRates: settings.refund_rates,
      refundChecks: settings.refund_checks,
      supplyTolerance: settings.supply_tolerance,
    };
    const others = settings.knows_sales_elsewhere
      ? state.value.devices.filter(
          (each) => each !== device && each.tin === device.tin && each.bhfId === device.bhfId,
        )
      : [];
    const refusal = checkSale(
      body,
      {
        ...device,
        salesElsewhere: [...(device.before?.sales ?? []), ...others.flatMap((each) => each.sales)],
      },
      rules,
      stamp(now()).slice(0, 8),
    );
    if (refusal) return envelope(refusal.code, refusal.text);
    const answer = sign(device, body, asked.body);
    if (fault === 'drop_after_signing') return null;
    if (fault?.startsWith('sign_then_refuse:'))
      return envelope(fault.slice(17), 'Scripted refusal after signing');
    if (fault === 'garbage')
      return {
        status: 200,
        type: 'application/json',
        body: '{"resultCd":"000","resultMsg":"It is succ',
      };
    if (fault === 'empty_success') return envelope('000', 'It is succeeded', null);
    if (fault === 'hold_answer') await released();
    if (!fault?.startsWith('stall')) return answer;
    const [, ms, total] = fault.split(':');
    const said = total
      ? done({ ...state.value.receipts.at(-1)?.reply, totRcptNo: Number(total) })
      : answer;
    await pause(Number(ms ?? state.value.settings.stall_ms), undefined, { ref: false });
    return said;
  }

  function sign(device: Device, body: Body, raw: string): Answered {
    const label = `${String(body.salesTyCd)}${String(body.rcptTyCd)}`;
    const invcNo = digits(body.invcNo);
    device.receiptCounters[label] = (device.receiptCounters[label] ?? 0) + 1;
    device.total += state.value.settings.total_step;
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
    const asCounter = (n: number) => (state.value.settings.counters_as_strings ? String(n) : n);
    const at = now();
    const data = {
      rcptNo: asCounter(device.receiptCounters[label] ?? 0),
      totRcptNo: asCounter(device.total),
      intrlData: base32(hmac(`i:${seed}`), 26),
      rcptSign: base32(hmac(`s:${seed}`), 16),
      vsdcRcptPbctDate: stamp(at),
      sdcId: device.sdcId,
      mrcNo: state.value.settings.pad_mrc ? `${device.mrcNo}  ` : device.mrcNo,
    };
    state.value.receipts.push({
      request: JSON.parse(raw) as Record<string, unknown>,
      reply: data,
      at: at.toISOString(),
    });
    keep('/trnsSales/saveSales', raw);
    return done(data);
  }

  const scriptOf = (device: Device) =>
    state.value.faults.find(
      (each) =>
        each.next.length > 0 &&
        (!each.tin || (each.tin === device.tin && each.bhfId === device.bhfId)),
    );

  /** Whether this one comes next; it is over then. One that speaks of sales waits for a sale. */
  const isNextFault = (device: Device, fault: string): boolean =>
    scriptOf(device)?.next[0] === fault && nextFault(device) === fault;

  function nextFault(device: Device): string | undefined {
    const script = scriptOf(device);
    const fault = script?.next.shift();
    if (script) state.save();
    return fault === 'none' ? undefined : fault;
  }

  function control(asked: Asked): Answered {
    const body = asked.body ? (JSON.parse(asked.body) as Record<string, unknown>) : {};
    if (asked.method === 'GET' && asked.path === '/_sim/receipts')
      return jsonAnswer(200, { receipts: state.value.receipts });
    if (asked.method === 'GET' && asked.path === '/_sim/state')
      return jsonAnswer(200, { ...state.value, receipts: undefined });
    if (asked.path === '/_sim/faults') {
      const only = body.tin ? { tin: String(body.tin), bhfId: String(body.bhfId) } : {};
      state.value.faults = [
        ...state.value.faults.filter((each) => each.tin !== only.tin || each.bhfId !== only.bhfId),
        { next: (body.next as string[]) ?? [], ...only },
      ];
    } else if (asked.path === '/_sim/settings') Object.assign(state.value.settings, body);
    else if (asked.path === '/_sim/clock')
      state.value.clockOffsetMs = body.now
        ? Date.parse(String(body.now)) - machineNow()
        : state.value.clockOffsetMs + Number(body.advance_ms ?? 0);
    else if (asked.path === '/_sim/sign_elsewhere')
      signElsewhere(String(body.tin), String(body.bhfId), String(body.invcNo));
    else if (asked.path === '/_sim/taxpayer')
      taxpayer(String(body.tin), {
        ...(body.name === undefined ? {} : { name: String(body.name) }),
        ...(body.vat_registered === undefined
          ? {}
          : { vatRegistered: body.vat_registered === true }),
      });
    else if (asked.path === '/_sim/retire') retire(String(body.serial));
    else if (asked.path === '/_sim/approve')
      approve({
        tin: String(body.tin),
        bhfId: String(body.bhfId),
        serial: String(body.serial),
        name: String(body.name ?? ''),
      });
    else if (asked.path === '/_sim/reset') reset(body.everything === true);
    else return jsonAnswer(404, { error: 'no such control' });
    state.save();
    return jsonAnswer(200, { ok: true });
  }

  /**
   * Forgets receipts, faults, settings and clock. Devices keep their keys, counters and used
   * numbers, as a real one would; `everything` takes those too.
   */
  function reset(everything: boolean): void {
    const { devices, taxpayers, vatRegistered } = state.value;
    state.value = everything ? fresh() : { ...fresh(), devices, taxpayers, vatRegistered };
    dropped.clear();
    state.save();
  }

  function taxpayer(tin: string, is: { name?: string; vatRegistered?: boolean }): void {
    if (is.name !== undefined) state.value.taxpayers[tin] = is.name;
    if (is.vatRegistered !== undefined)
      state.value.vatRegistered = { ...state.value.vatRegistered, [tin]: is.vatRegistered };
    state.save();
  }

  function retire(serial: string): void {
    for (const device of state.value.devices) if (device.serial === serial) device.isRetired = true;
    state.save();
  }

  function approve(device: ApprovedDevice): void {
    approved.push(device);
    state.value.devices.push(newDevice(device, state.value.devices.length));
    state.value.taxpayers[device.tin] ??= device.name;
    if (device.vatRegistered !== undefined)
      taxpayer(device.tin, { vatRegistered: device.vatRegistered });
    state.save();
  }

  function signElsewhere(tin: string, bhfId: string, invcNo: string): void {
    const device = find(tin, bhfId);
    device.usedNumbers.push(invcNo);
    device.total += 1;
    device.receiptCounters.NS = (device.receiptCounters.NS ?? 0) + 1;
    state.save();
  }

  /**
   * Where the code of a demo receipt leads: a page that says whose it is and that it is invented.
   */
  function receiptPage(asked: Asked): Answered {
    const data = asked.query.get('Data') ?? '';
    const found = state.value.receipts.find(
      (each) =>
        data ===
        `${String(each.request.tin)}${String(each.request.bhfId)}${String(each.reply.rcptSign)}`,
    );
    const rows = found
      ? {
          Seller: state.value.taxpayers[String(found.request.tin)],
          TIN: found.request.tin,
          'Receipt number': `${String(found.reply.rcptNo)}/${String(found.reply.totRcptNo)}`,
          'SDC ID': found.reply.sdcId,
          Total: `RWF ${String(found.request.totAmt)}`,
          Tax: `RWF ${String(found.request.totTaxAmt)}`,
          'Signed at': found.at,
        }
      : { Result: 'No receipt under this code.' };
    const list = Object.entries(rows)
      .map(([name, value]) => `<dt>${name}</dt><dd>${String(value).replace(/[<&]/g, '')}</dd>`)
      .join('');
    const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Receipt (simulated)</title><style>body{font:16px/1.6 system-ui,sans-serif;max-width:30rem;margin:2rem auto;padding:0 1rem}p{background:#fdecea;color:#8c1d18;padding:.5rem .8rem;border-radius:6px}dt{color:#5b6270}dd{margin:0 0 .6rem;font-weight:600}</style><p>Simulated authority: invented data, not a fiscal receipt.</p><h1>Receipt verification</h1><dl>${list}</dl></html>`;
    return { status: found ? 200 : 404, type: 'text/html; charset=utf-8', body: html };
  }

  if (options.journalFile && existsSync(options.journalFile))
    // A line that was being written when its writer died was not answered either.
    for (const line of readFileSync(options.journalFile, 'utf8').split('\n').slice(0, -1)) {
      const { path, raw, at } = JSON.parse(line) as { path: string; raw: string; at: number };
      playedAt = at;
      const body = exactly(raw) as Body;
      const device = serving(body.tin, body.bhfId) as Device;
      if (path === '/initializer/selectInitInfo') initialise(body, raw);
      else if (path === '/items/saveItems') saveItem(device, body, raw);
      else sign(device, body, raw);
    }
  playedAt = null;

  /** The device that serves a branch, or the one it would be. */
  const find = (tin: string, bhfId: string) =>
    serving(tin, bhfId) ??
    (state.value.devices.findLast((each) => each.tin === tin && each.bhfId === bhfId) as Device);
  return {
    handle,
    device: find,
    approve,
    asked: (path, tin, bhfId) => counts.get(countOf(path, tin, bhfId)) ?? 0,
    taxpayer,
    retire,
    receipts: () => state.value.receipts,
    faults(next, only) {
      state.value.faults = [{ next, ...only }];
      state.save();
    },
    set(settings) {
      Object.assign(state.value.settings, settings);
      state.save();
    },
    signElsewhere,
    release() {
      for (const goOn of held.splice(0)) goOn();
    },
    advanceClock(ms) {
      state.value.clockOffsetMs += ms;
      state.save();
    },
    keysOf(tin, bhfId) {
      return ['cmc', 'intrl', 'sign'].map((name) => keyOf(find(tin, bhfId), name));
    },
    reset: () => reset(false),
  };
}

/** Keys given once are as they always were; given anew, they are others. */
const keyOf = (device: Device, name: string) => {
  const given = device.keysGiven ?? 1;
  return hmac(`${name}:${device.sdcId}${given > 1 ? `:${given}` : ''}`).slice(0, 32);
};

const hmac = (text: string) => createHmac('sha256', 'simulated device').update(text).digest('hex');

function base32(hex: string, length: number): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return [...hex]
    .slice(0, length)
    .map(
      (digit, index) =>
        letters[
          (Number.parseInt(digit, 16) * 2 +
            Number.parseInt(hex[(index * 7 + 3) % 64] as string, 16)) %
            32
        ],
    )
    .join('');
}

/** JSON with every number as its source text. */
function exactly(text: string): Body | null {
  try {
    const keep = (_key: string, value: unknown, context: { source: string }): unknown =>
      typeof value === 'number' ? ({ n: context.source } satisfies Exact) : value;
    const value: unknown = JSON.parse(text, keep as (key: string, value: unknown) => unknown);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Body)
      : null;
  } catch {
    return null;
  }
}
