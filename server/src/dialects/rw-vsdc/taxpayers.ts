import { z } from 'zod';
import { readEnvelope } from '../../dialect-kit/envelope.ts';
import type { Taxpayers } from '../../ports/dialect/taxpayers.ts';
import { failed, rowsOf, text } from './rows.ts';

const taxpayers = z.object({ custList: rowsOf(z.looseObject({ tin: text, taxprNm: text })) });

export const lookupTaxpayer: Taxpayers['lookup'] = {
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
