import type { Codes } from './codes.ts';
import type { Identity } from './identity.ts';
import type { Items } from './items.ts';
import type { Print } from './print.ts';
import type { Sales } from './sales.ts';
import type { SetUp } from './set-up.ts';
import type { Taxpayers } from './taxpayers.ts';

export type { Code } from './codes.ts';
export type { DeviceAnswer, DeviceRequest, DialectDevice, SetUpReply } from './device.ts';
export type { NumberedTerms, SaleReply } from './sales.ts';
export type { Initialised } from './set-up.ts';

/**
 * How one authority's system wants to be spoken to: data and pure functions. A dialect never
 * fetches, stores, logs or looks at the clock.
 *
 * Each member is one capability, in a file of its own. What an authority cannot do is absent.
 */
export type Dialect = {
  identity: Identity;
  sales: Sales;
  items: Items;
  print: Print;
  setUp: SetUp;
  codes?: Codes;
  taxpayers?: Taxpayers;
};

export type Dialects = {
  of(key: string): Dialect;
  /** The dialect of a country; null where none is served there. */
  in(country: string): Dialect | null;
  all(): Dialect[];
};
