import type { Dialect } from '../../ports/dialect/index.ts';
import { isTaxpayerId } from './buyer.ts';
import { itemCode, registerItem } from './items.ts';
import { codeLists, itemClasses } from './lists.ts';
import { print } from './print.ts';
import { sales } from './sales.ts';
import { initialise, probe } from './set-up.ts';
import { timeZone } from './taxes.ts';
import { lookupTaxpayer } from './taxpayers.ts';

export const dialect: Dialect = {
  identity: {
    key: 'rw-vsdc',
    country: 'RW',
    authority: 'Rwanda Revenue Authority',
    timeZone,
    currency: 'RWF',
    checkTaxpayerId: isTaxpayerId,
  },
  sales,
  items: { code: itemCode, register: registerItem },
  print,
  setUp: { probe, initialise },
  codes: { lists: codeLists, itemClasses },
  taxpayers: { lookup: lookupTaxpayer },
};
