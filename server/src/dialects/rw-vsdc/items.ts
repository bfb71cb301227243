import { cut, number, readEnvelope } from '../../dialect-kit/envelope.ts';
import type { Items } from '../../ports/dialect/items.ts';
import { failed } from './rows.ts';
import { userOf } from './user.ts';

const unitIn = (unit: string) => (unit.length === 2 ? `${unit}X` : unit);

/**
 * Origin, type, package and quantity unit, seven digits. Most certified systems put an X after a
 * two-letter unit. The code is a key and never parsed.
 */
export const itemCode: Items['code'] = (content, sequence) =>
  [
    content.origin,
    content.itemType,
    unitIn(content.packageUnit),
    unitIn(content.quantityUnit),
    String(sequence).padStart(7, '0'),
  ].join('');

export const registerItem: NonNullable<Items['register']> = {
  toRequest: ({ device, itemCode, content, price, user }) => ({
    path: '/items/saveItems',
    body: JSON.stringify({
      tin: device.taxpayerId,
      bhfId: device.branchCode,
      itemCd: itemCode,
      itemClsCd: content.itemClass,
      itemTyCd: content.itemType,
      itemNm: cut(content.name, 200),
      itemStdNm: null,
      orgnNatCd: content.origin,
      pkgUnitCd: content.packageUnit,
      qtyUnitCd: content.quantityUnit,
      taxTyCd: content.taxClass,
      btchNo: null,
      bcd: null,
      dftPrc: number(price),
      addInfo: null,
      sftyQty: null,
      isrcAplcbYn: 'N',
      useYn: 'Y',
      ...userOf(user),
    }),
  }),
  read(answer) {
    const envelope = readEnvelope(answer);
    if (!envelope) return failed(answer);
    const said = { deviceCode: envelope.code, deviceText: envelope.text };
    if (envelope.code === '000') return { is: 'done', value: null };
    const isDocument = ['910', '913', '891', '892', '893'].includes(envelope.code);
    return isDocument
      ? { is: 'refused', problem: 'item_refused', ...said }
      : { is: 'failed', ...said };
  },
};
