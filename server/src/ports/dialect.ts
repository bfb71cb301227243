import type { Amount } from '@muhuri/shared/money';
import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import type { ItemContent, Sale, SaleLine, Signature, Totals } from '../model/sale.model.ts';

/** A question to a device: a path under its address and the exact bytes of the body. */
export type DeviceRequest = { path: string; body: string };

/**
 * What came back, whole. Reading it is the dialect's. `body` is the text its bytes mean; `bytes`
 * are what came over the wire, where they came over one: what is kept of an answer is them.
 */
export type DeviceAnswer = { status: number; body: string; bytes?: Buffer };

/** A device as a dialect needs to know it. */
export type DialectDevice = { taxpayerId: string; branchCode: string; serial: string };

type Said = { deviceCode: string; deviceText: string };

export type SaleReply =
  | { is: 'signed'; signature: Signature }
  | ({ is: 'refused'; problem: ProblemCode } & Said)
  | ({ is: 'number_taken' } & Said)
  /**
   * The envelope blames the device or its link, not the document; `pauses`: a person must act
   * before anything is sent again.
   */
  | ({ is: 'not_served'; problem: ProblemCode; pauses: boolean } & Said)
  | ({ is: 'in_doubt' } & Said);

export type Initialised = {
  sdcId: string;
  mrcNumber: string;
  lastInvoiceNumber: string;
  isVatRegistered: boolean | null;
  taxpayerName: string;
  secrets: Record<string, string>;
};

export type SetUpReply<T> =
  | { is: 'done'; value: T }
  | ({ is: 'refused'; problem: ProblemCode } & Said)
  | ({ is: 'failed' } & Said);

export type Code = { code: string; name: string; data: Record<string, string> };

/**
 * What goes into one sale request besides the sale: everything that is fixed at the moment of
 * freezing.
 */
export type FrozenTerms = {
  device: DialectDevice;
  invoiceNumber: string;
  /** For a refund: the invoice number its sale was signed under. */
  originalInvoiceNumber: string | null;
  rates: Record<string, Amount>;
  headerTax: 'lines' | 'class';
  /**
   * What the device has shown that it wants; `exact_supply`: price times quantity is the amount of
   * a line, to the cent.
   */
  demands?: string[];
  at: Date;
  user: { id: string; name: string };
  seller: { tradeName: string; address: string; topMessage: string; bottomMessage: string };
};

/**
 * How one authority's system wants to be spoken to: data and pure functions. It never fetches,
 * stores, logs or looks at the clock. What an authority cannot do is absent (`readBack`).
 */
export type Dialect = {
  key: string;
  country: string;
  authority: string;
  timeZone: string;
  currency: string;
  linesMax: number;
  /** The largest amount and quantity that a system of this authority stores and prints whole. */
  amountMax: Amount;
  quantityMax: Amount;
  creditMethod: string;
  nonVatClass: string;
  /** In the authority's order, with the rate in force where the device's lists say nothing. */
  taxClasses: { code: string; since: string; percent: Amount; source: string }[];
  /**
   * Whether a lane may go past one open doubt: not where the authority demands a strict sequence.
   */
  passesDoubt: boolean;
  /**
   * What a device does with a number that it has signed. `refused_by_device`: it says that the
   * number is taken, so that after a doubt the same bytes may be sent again. `may_sign_again`: they
   * might become a second receipt; after a doubt nothing is ever sent again.
   */
  resend: 'refused_by_device' | 'may_sign_again';
  checkTaxpayerId(id: string): boolean;
  checkBuyer(buyer: Sale['buyer']): StoredProblem[];
  /** Asked of a device to learn whether it serves at all; signs nothing. */
  probe: {
    toRequest(device: DialectDevice): DeviceRequest;
    isServing(answer: DeviceAnswer): boolean;
    /** What the answer says of whoever gave it, as far as a device lets itself be asked. */
    judge(answer: DeviceAnswer): ProbeAnswer;
  };
  initialise: {
    toRequest(device: DialectDevice): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<Initialised>;
  };
  codes: {
    toRequest(device: DialectDevice): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<{ list: string; codes: Code[] }[]>;
  };
  itemClasses: {
    toRequest(device: DialectDevice): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<Code[]>;
  };
  /** The name the authority knows a taxpayer by; null where it knows none. */
  lookupTaxpayer: {
    toRequest(device: DialectDevice, taxpayerId: string): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<string | null>;
  };
  itemCode(content: ItemContent, sequence: number): string;
  registerItem: {
    toRequest(ask: {
      device: DialectDevice;
      itemCode: string;
      content: ItemContent;
      price: Amount;
      user: FrozenTerms['user'];
    }): DeviceRequest;
    read(answer: DeviceAnswer): SetUpReply<null>;
  };
  totals(
    lines: Pick<SaleLine, 'total' | 'taxClass'>[],
    rates: Record<string, Amount>,
    headerTax: FrozenTerms['headerTax'],
  ): Totals;
  sell: {
    path: string;
    toBody(sale: Sale, freeze: FrozenTerms): string;
    read(answer: DeviceAnswer, isResend: boolean): SaleReply;
    /**
     * The whole signature that stands in an answer, whatever else is wrong with it; null where none
     * does. It proves nothing by itself: a person is shown it instead of a form to fill in.
     */
    find(answer: DeviceAnswer): Signature | null;
  };
  readBack?: {
    toRequest(device: DialectDevice, invoiceNumber: string): DeviceRequest;
    read(answer: DeviceAnswer): SaleReply;
  };
  label(kind: Sale['kind'], isCopy: boolean): string;
  /** What the QR code holds. `base` replaces the authority's public page (for a rehearsal). */
  verification(
    signature: Signature,
    device: DialectDevice,
    form: 'url' | 'hash',
    base: string | null,
  ): string;
  /** Whether data a person brings can be what the authority holds: shapes only. */
  checkEvidence(signature: Signature): boolean;
  grouped(text: string): string;
};

/**
 * `serves`: an envelope of a VSDC that knows the device; `stranger`: of one that does not;
 * `link_down`: it says that it has no link to the authority; `vsdc_missing`: a web server without
 * its VSDC; `stopped`: refuses to serve; `other`: something else altogether.
 */
export type ProbeAnswer =
  | 'serves'
  | 'stranger'
  | 'link_down'
  | 'vsdc_missing'
  | 'stopped'
  | 'other';

export type Dialects = { of(key: string): Dialect; all(): Dialect[] };
