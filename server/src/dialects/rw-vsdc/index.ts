import type { Dialect } from '../../ports/dialect/index.ts';
import { isTaxpayerId } from './buyer.ts';
import { itemCode, registerItem } from './items.ts';
import { codeLists, itemClasses } from './lists.ts';
import { layOut } from './layout.ts';
import { labelOf, verification } from './print.ts';
import { sales } from './sales.ts';
import { initialise, offlineHoursMax, probe } from './set-up.ts';
import { country, currency, timeZone } from './taxes.ts';
import { lookupTaxpayer } from './taxpayers.ts';
import { trainingSale } from './training.ts';

export const dialect: Dialect = {
  identity: {
    key: 'rw-vsdc',
    country,
    authority: 'Rwanda Revenue Authority',
    timeZone,
    currency,
    checkTaxpayerId: isTaxpayerId,
  },
  sales,
  items: { code: itemCode, register: registerItem },
  print: { label: labelOf, verification, layOut, trainingSale },
  setUp: { offlineHoursMax, probe, initialise },
  codes: { lists: codeLists, itemClasses },
  taxpayers: { lookup: lookupTaxpayer },
};
