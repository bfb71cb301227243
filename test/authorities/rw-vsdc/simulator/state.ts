import type { DeviceSale, Rules } from './check-sale.ts';
import { type Clothes, plainClothes } from './clothe.ts';
import type { Rates } from './lists.ts';

export type Device = {
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

export type SimReceipt = {
  request: Record<string, unknown>;
  reply: Record<string, unknown>;
  at: string;
};

export type Settings = Clothes & {
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

export type State = {
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

/** What an ordinary device does. */
export const usual: Settings = {
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
