import { describe, expect, test } from 'vitest';
import type { Answered, Asked } from '../../../simulators/kit/server.ts';
import { makeRwVsdc } from './index.ts';

const seller = { tin: '100200300', bhfId: '00' };
const who = { regrId: 'u1', regrNm: 'U', modrId: 'u1', modrNm: 'U' };

function begin() {
  const vsdc = makeRwVsdc({ approved: [{ ...seller, serial: 'one', name: 'A SHOP' }] });
  const ask = async (path: string, body: object) =>
    (await vsdc.handle({
      method: 'POST',
      path,
      body: JSON.stringify({ ...seller, ...body }),
    } as Asked)) as Answered;
  const said = async (path: string, body: object) =>
    JSON.parse(String((await ask(path, body)).body)) as {
      resultCd: unknown;
      data: Record<string, any>;
    };
  const init = (serial: string) => said('/initializer/selectInitInfo', { dvcSrlNo: serial });
  const item = (itemCd: string) =>
    said('/items/saveItems', {
      itemCd,
      itemClsCd: '5',
      itemTyCd: '2',
      itemNm: 'x',
      orgnNatCd: 'RW',
      pkgUnitCd: 'NT',
      qtyUnitCd: 'U',
      taxTyCd: 'B',
      dftPrc: 1,
      useYn: 'Y',
      ...who,
    });
  return { vsdc, ask, said, init, item };
}

type Line = { itemCd: string; qty: number; prc: number; cls?: string; sply?: number };

/** A sale or refund of these lines, computed at these rates. */
function body(invcNo: number, lines: Line[], more: { orgInvcNo?: number; percent?: number } = {}) {
  const percent = more.percent ?? 18;
  const cents = (n: number) => Math.round(n * 100) / 100;
  const itemList = lines.map(({ itemCd, qty, prc, cls = 'B', sply }, index) => {
    const total = sply ?? cents(qty * prc);
    const tax = cls === 'B' ? cents((total * percent) / (100 + percent)) : 0;
    const line = {
      itemCd,
      itemClsCd: '5',
      itemNm: 'x',
      pkgUnitCd: 'NT',
      pkg: 1,
      qtyUnitCd: 'U',
      qty,
      prc,
      splyAmt: total,
      dcRt: 0,
      dcAmt: 0,
    };
    return {
      itemSeq: index + 1,
      ...line,
      taxTyCd: cls,
      taxblAmt: total,
      taxAmt: tax,
      totAmt: total,
    };
  });
  const of = (cls: string, field: 'taxblAmt' | 'taxAmt') =>
    cents(
      itemList.filter((each) => each.taxTyCd === cls).reduce((sum, each) => sum + each[field], 0),
    );
  const perClass = Object.fromEntries(
    ['A', 'B', 'C', 'D'].flatMap((cls) => [
      [`taxblAmt${cls}`, of(cls, 'taxblAmt')],
      [`taxRt${cls}`, cls === 'B' ? percent : 0],
      [`taxAmt${cls}`, of(cls, 'taxAmt')],
    ]),
  );
  const total = cents(itemList.reduce((sum, each) => sum + each.totAmt, 0));
  const refund = more.orgInvcNo
    ? { rcptTyCd: 'R', rfdDt: '20260101101010', rfdRsnCd: '06' }
    : { rcptTyCd: 'S', rfdDt: null, rfdRsnCd: null };
  const dates = {
    cfmDt: '20260101101010',
    salesDt: '20260101',
    stockRlsDt: null,
    cnclReqDt: null,
    cnclDt: null,
  };
  const head = {
    invcNo,
    orgInvcNo: more.orgInvcNo ?? 0,
    custTin: null,
    prcOrdCd: null,
    custNm: null,
    salesTyCd: 'N',
    pmtTyCd: '01',
    salesSttsCd: '02',
  };
  const totals = {
    totItemCnt: lines.length,
    totTaxblAmt: total,
    totTaxAmt: cents(of('A', 'taxAmt') + of('B', 'taxAmt')),
    totAmt: total,
  };
  return {
    ...head,
    ...refund,
    ...dates,
    ...perClass,
    ...totals,
    prchrAcptcYn: 'N',
    ...who,
    receipt: { prchrAcptcYn: 'N' },
    itemList,
  };
}

describe('the simulated VSDC by its switches', () => {
  test('a second initialisation: refused, the same data, or new keys; a withdrawn device and its successor', async () => {
    const { vsdc, init, said } = begin();
    const first = await init('one');
    expect(first.data.info).toMatchObject({ taxprNm: 'A SHOP', vatTyCd: '1' });
    expect(await init('one')).toMatchObject({ resultCd: '902', data: null });
    vsdc.set({ second_initialisation: 'same_keys' });
    vsdc.taxpayer(seller.tin, { name: 'A SHOP LTD', vatRegistered: false });
    const second = await init('one');
    expect(second.data.info).toMatchObject({
      taxprNm: 'A SHOP LTD',
      vatTyCd: '2',
      cmcKey: first.data.info.cmcKey,
    });
    vsdc.set({ second_initialisation: 'new_keys', tells_vat: false });
    const third = await init('one');
    expect(third.data.info).not.toHaveProperty('vatTyCd');
    expect(third.data.info.cmcKey).not.toBe(first.data.info.cmcKey);
    vsdc.retire('one');
    expect(await said('/code/selectCodes', { lastReqDt: '20180520000000' })).toMatchObject({
      resultCd: '901',
    });
    vsdc.approve({ ...seller, serial: 'two', name: 'A SHOP' });
    expect((await init('two')).data.info.sdcId).not.toBe(first.data.info.sdcId);
  });

  test('class B may become 20: list 04 tells it, sales are checked by it, and a refund by the rates of its sale or of the day', async () => {
    const { vsdc, init, item, said } = begin();
    await init('one');
    await item('i1');
    const sell = (...of: Parameters<typeof body>) => said('/trnsSales/saveSales', body(...of));
    const line = { itemCd: 'i1', qty: 1, prc: 118 };
    expect(await sell(1, [line])).toMatchObject({ resultCd: '000' });
    expect(await sell(2, [line])).toMatchObject({ resultCd: '000' });
    vsdc.set({ rates: { B: '20' } });
    const lists = await said('/code/selectCodes', { lastReqDt: '20180520000000' });
    const b = lists.data.clsList.find((each: { cdCls: string }) => each.cdCls === '04').dtlList[1];
    expect(b).toMatchObject({ cd: 'B', cdNm: 'B-20.00%', userDfnCd1: '20' });
    expect(await sell(3, [line])).toMatchObject({ resultCd: '910' });
    expect(await sell(3, [line], { percent: 20 })).toMatchObject({ resultCd: '000' });
    expect(await sell(4, [line], { orgInvcNo: 1, percent: 20 })).toMatchObject({ resultCd: '910' });
    expect(await sell(4, [line], { orgInvcNo: 1 })).toMatchObject({ resultCd: '000' });
    vsdc.set({ refund_rates: 'present' });
    expect(await sell(5, [line], { orgInvcNo: 2 })).toMatchObject({ resultCd: '910' });
    vsdc.set({ refund_rates: 'either' });
    expect(await sell(5, [line], { orgInvcNo: 2 })).toMatchObject({ resultCd: '000' });
  });

  test('a refund is held against its sale by money, by tax class, or by item and quantity', async () => {
    const { vsdc, init, item, said } = begin();
    await init('one');
    for (const each of ['i1', 'i2', 'i3']) await item(each);
    vsdc.set({ partial_refunds: true });
    const sell = (...of: Parameters<typeof body>) => said('/trnsSales/saveSales', body(...of));
    await sell(1, [
      { itemCd: 'i1', qty: 2, prc: 100 },
      { itemCd: 'i2', qty: 1, prc: 50, cls: 'A' },
    ]);
    expect(
      await sell(2, [{ itemCd: 'i2', qty: 1, prc: 60, cls: 'A' }], { orgInvcNo: 1 }),
    ).toMatchObject({ resultCd: '931' });
    expect(
      await sell(2, [{ itemCd: 'i2', qty: 1, prc: 10, cls: 'C' }], { orgInvcNo: 1 }),
    ).toMatchObject({ resultCd: '935' });
    vsdc.set({ refund_checks: 'lines' });
    expect(await sell(2, [{ itemCd: 'i3', qty: 1, prc: 10 }], { orgInvcNo: 1 })).toMatchObject({
      resultCd: '932',
    });
    expect(await sell(2, [{ itemCd: 'i1', qty: 3, prc: 10 }], { orgInvcNo: 1 })).toMatchObject({
      resultCd: '934',
    });
    vsdc.set({ refund_checks: 'money' });
    expect(
      await sell(2, [{ itemCd: 'i2', qty: 1, prc: 60, cls: 'A' }], { orgInvcNo: 1 }),
    ).toMatchObject({ resultCd: '000' });
  });

  test('the tolerance of splyAmt grows with the quantity, or does not', async () => {
    const { vsdc, init, item, said } = begin();
    await init('one');
    await item('i1');
    const line = { itemCd: 'i1', qty: 1000, prc: 0.33, sply: 333.33 };
    vsdc.set({ supply_tolerance: '0.01' });
    expect(await said('/trnsSales/saveSales', body(1, [line]))).toMatchObject({
      resultCd: '910',
      resultMsg: expect.stringContaining('splyAmt'),
    });
    vsdc.set({ supply_tolerance: 'grows' });
    expect(await said('/trnsSales/saveSales', body(1, [line]))).toMatchObject({ resultCd: '000' });
  });

  test('answers come in other clothes, and totals jump', async () => {
    const { vsdc, init, item, ask } = begin();
    await init('one');
    await item('i1');
    vsdc.set({
      bom: true,
      padding: true,
      success_code: '0000',
      pad_counters: 'zeros',
      odd_text: ' \u0000\ud83d',
      content_type: 'text/html',
      total_step: 3,
    });
    const answered = await ask(
      '/trnsSales/saveSales',
      body(1, [{ itemCd: 'i1', qty: 1, prc: 118 }]),
    );
    expect(answered.type).toBe('text/html');
    const text = (answered.body as Buffer).toString('utf8');
    expect(text.startsWith('\ufeff\r\n')).toBe(true);
    expect(text).toContain('\\u0000\\ud83d');
    expect(JSON.parse(text.slice(1))).toMatchObject({
      resultCd: '0000',
      data: { rcptNo: '0000000001', totRcptNo: '0000000003' },
    });
    vsdc.set({ encoding: 'utf16le' });
    expect(
      ((await ask('/code/selectCodes', { lastReqDt: '20180520000000' })).body as Buffer).subarray(
        0,
        2,
      ),
    ).toEqual(Buffer.from([0xff, 0xfe]));
  });
});
