import { code } from '@muhuri/shared/text';
import { z } from 'zod';
import { counterOf, number, cut, readEnvelope, saidOf } from '../../dialect-kit/envelope.ts';
import type {
  Code,
  DeviceAnswer,
  Dialect,
  DialectDevice,
  Initialised,
  SetUpReply,
} from '../../ports/dialect.ts';

const text = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value).trim()));

/**
 * Rows as they can be read: one that cannot be is left out, and takes none of its neighbours along.
 */
const rowsOf = <T extends z.ZodType>(row: T) =>
  z.array(z.unknown()).transform((rows) =>
    rows.flatMap((each): z.output<T>[] => {
      const read = row.safeParse(each);
      return read.success ? [read.data] : [];
    }),
  );

/**
 * Everything stands in `data.info`, not in `data`. The tables misprint `sdicId`; both spellings are
 * accepted.
 */
const info = z.looseObject({
  sdcId: text,
  sdicId: text,
  mrcNo: text,
  lastSaleInvcNo: text,
  lastInvcNo: text,
  vatTyCd: text,
  taxprNm: text,
  cmcKey: text,
  intrlKey: text,
  signKey: text,
  sgnKey: text,
});

const failed = (answer: DeviceAnswer) => ({ is: 'failed' as const, ...saidOf(answer) });

export const initialise: Dialect['initialise'] = {
  toRequest: (device) => ({
    path: '/initializer/selectInitInfo',
    body: JSON.stringify({
      tin: device.taxpayerId,
      bhfId: device.branchCode,
      dvcSrlNo: device.serial,
    }),
  }),
  read(answer): SetUpReply<Initialised> {
    const envelope = readEnvelope(answer);
    if (!envelope) return failed(answer);
    const said = { deviceCode: envelope.code, deviceText: envelope.text };
    if (envelope.code === '901' || envelope.code === '903')
      return { is: 'refused', problem: 'device_invalid', ...said };
    // 902: initialised before; its data are not given again, so the device is adopted instead.
    if (envelope.code === '902') return { is: 'refused', problem: 'initialised_before', ...said };
    const parsed = z.object({ info }).safeParse(envelope.data);
    if (envelope.code !== '000' || !parsed.success) return { is: 'failed', ...said };
    const i = parsed.data.info;
    const sdcId = code(i.sdcId || i.sdicId);
    if (!sdcId) return { is: 'failed', ...said };
    const lastNumber = counterOf(i.lastSaleInvcNo || i.lastInvcNo || '0');
    // A counter that cannot be read is not zero: numbers would be given a second time.
    if (!/^\d{1,18}$/.test(lastNumber)) return { is: 'failed', ...said };
    const secrets = { cmcKey: i.cmcKey, intrlKey: i.intrlKey, signKey: i.signKey || i.sgnKey };
    return {
      is: 'done',
      value: {
        sdcId,
        mrcNumber: code(i.mrcNo),
        lastInvoiceNumber: lastNumber,
        isVatRegistered: vatRegistration(i.vatTyCd),
        taxpayerName: i.taxprNm.trim(),
        secrets: Object.fromEntries(Object.entries(secrets).filter(([, value]) => value !== '')),
      },
    };
  },
};

/** 1: registered for VAT, 2: not. Older systems leave it out, and what is neither says nothing. */
const vatRegistration = (code: string): boolean | null =>
  ({ '1': true, '2': false })[code.trim().replace(/^0+/, '')] ?? null;

/**
 * An HTML 404 is Tomcat without its VSDC; 503 without an envelope is a VSDC that has stopped, after
 * 24 hours without its authority or for another reason: the two cannot be told apart from outside.
 * 901: a VSDC, but this taxpayer, branch and serial are not installed on it.
 */
export const judge: Dialect['probe']['judge'] = (answer) => {
  const envelope = readEnvelope(answer);
  if (envelope)
    return ['900', '901', '903'].includes(envelope.code)
      ? 'stranger'
      : envelope.code === '838'
        ? 'link_down'
        : 'serves';
  if (answer.status === 503) return 'stopped';
  return answer.status === 404 && /<html/i.test(answer.body) ? 'vsdc_missing' : 'other';
};

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
const codeLists = z.object({
  clsList: rowsOf(z.looseObject({ cdCls: text, useYn: text, dtlList: rowsOf(row).nullish() })),
});

export const codes: Dialect['codes'] = {
  ...ask('/code/selectCodes'),
  read(answer) {
    const envelope = readEnvelope(answer);
    if (!envelope) return failed(answer);
    const said = { deviceCode: envelope.code, deviceText: envelope.text };
    if (envelope.code === '001') return { is: 'done', value: [] };
    const parsed = codeLists.safeParse(envelope.data);
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

export const itemClasses: Dialect['itemClasses'] = {
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

const taxpayers = z.object({ custList: rowsOf(z.looseObject({ tin: text, taxprNm: text })) });

export const lookupTaxpayer: Dialect['lookupTaxpayer'] = {
  toRequest: (device, taxpayerId) => ({
    path: '/customers/selectCustomer',
    body: JSON.stringify({
      tin: device.taxpayerId,
      bhfId: device.branchCode,
      custmTin: taxpayerId,
    }),
  }),
  read(answer) {
    const envelope = readEnvelope(answer);
    if (!envelope) return failed(answer);
    const said = { deviceCode: envelope.code, deviceText: envelope.text };
    if (envelope.code === '001' || envelope.code === '884') return { is: 'done', value: null };
    const parsed = taxpayers.safeParse(envelope.data);
    if (envelope.code !== '000' || !parsed.success) return { is: 'failed', ...said };
    return { is: 'done', value: parsed.data.custList[0]?.taxprNm ?? null };
  },
};

export const registerItem: Dialect['registerItem'] = {
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
      regrId: cut(user.id, 20),
      regrNm: cut(user.name, 60),
      modrId: cut(user.id, 20),
      modrNm: cut(user.name, 60),
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
