import { z } from 'zod';
import { readEnvelope } from '../../dialect-kit/envelope.ts';
import type { Codes } from '../../ports/dialect/codes.ts';
import type { Code, DialectDevice } from '../../ports/dialect/index.ts';
import { failed, rowsOf, text } from './rows.ts';

/** All rows since the beginning: the lists are small and fetched rarely. */
const since = '20180520000000';

const ask = (path: string) => ({
  toRequest: (device: DialectDevice) => ({
    path,
    body: JSON.stringify({ tin: device.taxpayerId, bhfId: device.branchCode, lastReqDt: since }),
  }),
});

/** The classes we use, under our words. */
const listNames: Record<string, string> = {
  '04': 'tax_class',
  '05': 'origin',
  '07': 'payment_method',
  '10': 'quantity_unit',
  '17': 'package_unit',
  '24': 'item_type',
  '32': 'reason',
};

/**
 * The rate of a class; nothing where it cannot be read, so that nothing is reckoned with a guess.
 */
const rateIn = (given: string): Record<string, string> => {
  const percent = given.replace(/%/g, '').trim();
  return /^\d{1,3}(\.\d{1,4})?$/.test(percent) ? { percent } : {};
};

const row = z.looseObject({ cd: text, cdNm: text, useYn: text, userDfnCd1: text });
const listsOfCodes = z.object({
  clsList: rowsOf(z.looseObject({ cdCls: text, useYn: text, dtlList: rowsOf(row).nullish() })),
});

export const codeLists: Codes['lists'] = {
  ...ask('/code/selectCodes'),
  read(answer) {
    const envelope = readEnvelope(answer);
    if (!envelope) return failed(answer);
    const said = { deviceCode: envelope.code, deviceText: envelope.text };
    if (envelope.code === '001') return { is: 'done', value: [] };
    const parsed = listsOfCodes.safeParse(envelope.data);
    if (envelope.code !== '000' || !parsed.success) return { is: 'failed', ...said };
    const value = parsed.data.clsList.flatMap((list) => {
      const name = listNames[list.cdCls];
      if (!name) return [];
      const used = (list.dtlList ?? []).filter((each) => each.useYn !== 'N');
      return [
        {
          list: name,
          codes: used.map(
            (each): Code => ({
              code: each.cd,
              name: each.cdNm,
              data: list.cdCls === '04' ? rateIn(each.userDfnCd1) : {},
            }),
          ),
        },
      ];
    });
    return { is: 'done', value };
  },
};

const classes = z.object({
  itemClsList: rowsOf(
    z.looseObject({
      itemClsCd: text,
      itemClsNm: text,
      itemClsLvl: text,
      taxTyCd: text,
      useYn: text,
    }),
  ),
});

export const itemClasses: Codes['itemClasses'] = {
  ...ask('/itemClass/selectItemsClass'),
  read(answer) {
    const envelope = readEnvelope(answer);
    if (!envelope) return failed(answer);
    const said = { deviceCode: envelope.code, deviceText: envelope.text };
    if (envelope.code === '001') return { is: 'done', value: [] };
    const parsed = classes.safeParse(envelope.data);
    if (envelope.code !== '000' || !parsed.success) return { is: 'failed', ...said };
    // Only the most detailed level goes on items.
    const used = parsed.data.itemClsList.filter(
      (each) => each.useYn !== 'N' && each.itemClsCd.length === 10,
    );
    return {
      is: 'done',
      value: used.map((each) => ({
        code: each.itemClsCd,
        name: each.itemClsNm,
        data: each.taxTyCd ? { taxClass: each.taxTyCd } : {},
      })),
    };
  },
};
