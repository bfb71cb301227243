import { code } from '@muhuri/shared/text';
import { z } from 'zod';
import { counterOf, readEnvelope } from '../../dialect-kit/envelope.ts';
import type { Initialised, SetUpReply } from '../../ports/dialect/index.ts';
import type { SetUp } from '../../ports/dialect/set-up.ts';
import { codeLists } from './lists.ts';
import { failed, text } from './rows.ts';

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

export const initialise: SetUp['initialise'] = {
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
const judge: SetUp['probe']['judge'] = (answer) => {
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

/** After a day without its authority a VSDC stops, without a word. */
export const offlineHoursMax = 24;

/** The lists are asked for: every device gives them, and nothing is signed. */
export const probe: SetUp['probe'] = {
  toRequest: codeLists.toRequest,
  isServing: (answer) => readEnvelope(answer) !== null,
  judge,
};
