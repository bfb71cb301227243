import type { Sale } from '../../model/sale.model.ts';
import { country, currency, nonVatClass as taxClass } from './taxes.ts';

/** An invented sale: two of an item in the class of a seller who charges no tax, paid in cash. */
export function trainingSale(at: Date): Sale {
  const name = 'Training item';
  return {
    kind: 'sale',
    documentNumber: 'TRAINING',
    documentDate: at.toISOString().slice(0, 10),
    customerId: '',
    buyer: { name: 'Training buyer', taxpayerId: null, purchaseCode: null, mobile: null },
    paymentMethod: '01',
    reasonCode: null,
    currency,
    foreign: null,
    lines: [
      {
        source: 'training',
        itemCode: '',
        name,
        content: {
          name,
          itemClass: '',
          itemType: '2',
          packageUnit: 'NT',
          quantityUnit: 'U',
          origin: country,
          taxClass,
        },
        quantity: '2',
        unitPrice: '1180.00',
        gross: '2360.00',
        discountRate: '0',
        discount: '0',
        total: '2360.00',
        taxClass,
      },
    ],
    total: '2360.00',
  };
}
