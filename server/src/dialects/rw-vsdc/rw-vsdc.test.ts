import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { NumberedTerms } from '../../ports/dialect/index.ts';
import type { Sale, SaleLine } from '../../model/sale.model.ts';
import { knownCodes, meaningOf } from './codes.ts';
import { dialect } from './index.ts';
import { inFours } from './layout.ts';

const line = (more: Partial<SaleLine> & { total: string; taxClass: string }): SaleLine => ({
  source: 'item:1',
  itemCode: 'RW2NTXU0000001',
  name: 'Item one',
  content: {
    name: 'Item one',
    itemClass: '5059690800',
    itemType: '2',
    packageUnit: 'NT',
    quantityUnit: 'U',
    origin: 'RW',
    taxClass: more.taxClass,
  },
  quantity: '1',
  unitPrice: more.total,
  gross: more.total,
  discountRate: '0.00',
  discount: '0.00',
  ...more,
});

const rates = { A: '0', B: '18', C: '0', D: '0' };
const sale: Sale = {
  kind: 'sale',
  documentNumber: '',
  documentDate: '2026-01-15',
  customerId: '1',
  buyer: { name: 'Walk-in', taxpayerId: null, purchaseCode: null, mobile: '0780000000' },
  paymentMethod: '06',
  reasonCode: null,
  currency: 'RWF',
  foreign: null,
  lines: [
    line({
      total: '9450.00',
      gross: '10500.00',
      discount: '1050.00',
      discountRate: '10.00',
      quantity: '3',
      unitPrice: '3500.00',
      taxClass: 'B',
    }),
    line({
      total: '500.00',
      taxClass: 'A',
      itemCode: 'RW2NTXU0000002',
      name: 'Item two',
      content: {
        name: 'Item two',
        itemClass: '5022110801',
        itemType: '2',
        packageUnit: 'NT',
        quantityUnit: 'U',
        origin: 'RW',
        taxClass: 'A',
      },
    }),
  ],
  total: '9950.00',
};
const freeze: NumberedTerms = {
  device: { taxpayerId: '100200300', branchCode: '00', serial: 's' },
  invoiceNumber: '12',
  originalInvoiceNumber: null,
  rates,
  headerTax: 'lines',
  at: new Date('2026-01-15T08:15:30Z'),
  user: { id: 'u1', name: 'User One' },
  seller: {
    tradeName: 'Shop',
    address: 'Kigali',
    topMessage: 'Welcome',
    bottomMessage: 'Thank you',
  },
};

describe('arithmetic', () => {
  test('the worked vectors come out to the cent', () => {
    const totals = dialect.sales.totals(
      [
        { total: '9450.00', taxClass: 'B' },
        { total: '2360.00', taxClass: 'B' },
        { total: '500.00', taxClass: 'A' },
      ],
      rates,
      'lines',
    );
    expect(totals.lines.map((each) => each.tax)).toEqual(['1441.53', '360.00', '0.00']);
    expect(totals.byClass.slice(0, 2)).toEqual([
      { taxClass: 'A', rate: '0', taxable: '500.00', tax: '0.00' },
      { taxClass: 'B', rate: '18', taxable: '11810.00', tax: '1801.53' },
    ]);
    expect(totals.total).toBe('12310.00');
  });

  test('both header styles seen on real receipts: the sum of rounded lines, or one split of the class', () => {
    const two = [
      { total: '5040.00', taxClass: 'B' },
      { total: '300.00', taxClass: 'B' },
    ];
    expect(dialect.sales.totals(two, rates, 'lines').tax).toBe('814.57');
    expect(dialect.sales.totals(two, rates, 'class').tax).toBe('814.58');
  });
});

describe('a sale on the wire', () => {
  test('is the complete body of the contract, numbers as numbers', () => {
    const user = { regrId: 'u1', regrNm: 'User One', modrId: 'u1', modrNm: 'User One' };
    const unused = { isrccCd: null, isrccNm: null, isrcRt: null, isrcAmt: null };
    expect(JSON.parse(dialect.sales.toBody(sale, freeze))).toEqual({
      tin: '100200300',
      bhfId: '00',
      invcNo: 12,
      orgInvcNo: 0,
      custTin: null,
      prcOrdCd: null,
      custNm: 'Walk-in',
      salesTyCd: 'N',
      rcptTyCd: 'S',
      pmtTyCd: '06',
      salesSttsCd: '02',
      cfmDt: '20260115101530',
      salesDt: '20260115',
      stockRlsDt: '20260115101530',
      cnclReqDt: null,
      cnclDt: null,
      rfdDt: null,
      rfdRsnCd: null,
      totItemCnt: 2,
      taxblAmtA: 500,
      taxblAmtB: 9450,
      taxblAmtC: 0,
      taxblAmtD: 0,
      taxRtA: 0,
      taxRtB: 18,
      taxRtC: 0,
      taxRtD: 0,
      taxAmtA: 0,
      taxAmtB: 1441.53,
      taxAmtC: 0,
      taxAmtD: 0,
      totTaxblAmt: 9950,
      totTaxAmt: 1441.53,
      totAmt: 9950,
      prchrAcptcYn: 'N',
      remark: null,
      ...user,
      receipt: {
        custTin: null,
        custMblNo: '0780000000',
        rptNo: 12,
        trdeNm: 'Shop',
        adrs: 'Kigali',
        topMsg: 'Welcome',
        btmMsg: 'Thank you',
        prchrAcptcYn: 'N',
      },
      itemList: [
        {
          itemSeq: 1,
          itemCd: 'RW2NTXU0000001',
          itemClsCd: '5059690800',
          itemNm: 'Item one',
          bcd: null,
          pkgUnitCd: 'NT',
          pkg: 1,
          qtyUnitCd: 'U',
          qty: 3,
          prc: 3500,
          splyAmt: 10500,
          dcRt: 10,
          dcAmt: 1050,
          ...unused,
          taxTyCd: 'B',
          taxblAmt: 9450,
          taxAmt: 1441.53,
          totAmt: 9450,
        },
        {
          itemSeq: 2,
          itemCd: 'RW2NTXU0000002',
          itemClsCd: '5022110801',
          itemNm: 'Item two',
          bcd: null,
          pkgUnitCd: 'NT',
          pkg: 1,
          qtyUnitCd: 'U',
          qty: 1,
          prc: 500,
          splyAmt: 500,
          dcRt: 0,
          dcAmt: 0,
          ...unused,
          taxTyCd: 'A',
          taxblAmt: 500,
          taxAmt: 0,
          totAmt: 500,
        },
      ],
    });
  });

  test('a refund names its original by number, has a reason and positive amounts', () => {
    const body = JSON.parse(
      dialect.sales.toBody(
        { ...sale, kind: 'refund', reasonCode: '06' },
        { ...freeze, invoiceNumber: '13', originalInvoiceNumber: '12' },
      ),
    );
    expect(body).toMatchObject({
      rcptTyCd: 'R',
      invcNo: 13,
      orgInvcNo: 12,
      rfdRsnCd: '06',
      rfdDt: '20260115101530',
      totAmt: 9950,
    });
  });

  test('names are cut to the fields of the device, whole letters only', () => {
    const body = JSON.parse(
      dialect.sales.toBody({ ...sale, buyer: { ...sale.buyer, name: '🌍'.repeat(80) } }, freeze),
    );
    expect([...body.custNm]).toHaveLength(60);
  });
});

describe('the answer', () => {
  const data = {
    rcptNo: 10,
    totRcptNo: '12',
    intrlData: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    rcptSign: 'ABCDEFGH234567AB',
    vsdcRcptPbctDate: '20260115101532',
    sdcId: 'SDC010000099',
    mrcNo: 'WIS00000099  ',
  };
  const answer = (resultCd: string, body: unknown = data, resultMsg = '') => ({
    status: 200,
    body: JSON.stringify({ resultCd, resultMsg, resultDt: '', data: body }),
  });

  test('a signature is read with its counters as text, the time in UTC and blanks taken off', () => {
    expect(dialect.sales.read(answer('000'), false)).toEqual({
      is: 'signed',
      signature: {
        receiptNumber: '10',
        totalReceiptNumber: '12',
        internalData: data.intrlData,
        receiptSignature: data.rcptSign,
        sdcId: 'SDC010000099',
        mrcNumber: 'WIS00000099',
        signedAt: new Date('2026-01-15T08:15:32Z'),
      },
    });
  });

  test('the code on paper is the authority’s page with TIN, branch and signature, or the specified string', () => {
    const reply = dialect.sales.read(answer('000'), false);
    if (reply.is !== 'signed') throw new Error('not signed');
    expect(dialect.print.verification(reply.signature, freeze.device, 'url', null)).toMatch(
      /Data=10020030000ABCDEFGH234567AB$/,
    );
    expect(dialect.print.verification(reply.signature, freeze.device, 'hash', null)).toBe(
      '15012026#101532#SDC010000099#10#ABCDEFGHIJKLMNOPQRSTUVWXYZ#ABCDEFGH234567AB',
    );
    expect(inFours(data.intrlData)).toBe('ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ');
  });

  test.each([
    null,
    {},
    { ...data, rcptSign: '' },
    { ...data, totRcptNo: 0 },
    { ...data, vsdcRcptPbctDate: 'soon' },
    { ...data, vsdcRcptPbctDate: '20260230101532' },
  ])('a success without its receipt data is a doubt, never a refusal: %j', (body) => {
    expect(dialect.sales.read(answer('000', body), false).is).toBe('in_doubt');
  });

  test.each(['<html>404</html>', '', '{"resultCd":"000","resultMsg":"It is succ', '[]'])(
    'what is no envelope is a doubt: %j',
    (body) => {
      expect(dialect.sales.read({ status: body.startsWith('<') ? 404 : 200, body }, false).is).toBe(
        'in_doubt',
      );
    },
  );

  test.each(['805', '894', '896', '899', '921', '994', '999', '000'])(
    '%s is never a refusal, first or again',
    (code) => {
      for (const isResend of [false, true])
        expect(dialect.sales.read(answer(code, null), isResend).is).not.toBe('refused');
    },
  );

  test.each(['', ' ', 'OK', '0x0', '-0', 'true'])('a result code %j is no success', (code) => {
    expect(dialect.sales.read(answer(code), false).is).toBe('in_doubt');
  });

  test.each(['+000', '000.0', '0', ' 00 0 ', '000\u0000'])(
    'a result code %j is success in another dress',
    (code) => {
      expect(dialect.sales.read(answer(code), false).is).toBe('signed');
    },
  );

  test.each([
    [
      'a line break and a tab in its message',
      answer('000').body.replace('"resultMsg":""', '"resultMsg":"It is\r\n\tsucceeded"'),
    ],
    [
      'fields padded with zeros of a C string',
      answer('000').body.replaceAll('SDC010000099', 'SDC010000099\u0000\u0000'),
    ],
    [
      'counters in groups of three',
      answer('000', { ...data, rcptNo: '1,010', totRcptNo: '1,234,567' }).body,
    ],
    [
      'a fraction of a second behind its time',
      answer('000', { ...data, vsdcRcptPbctDate: '2026-01-15 10:15:32.0' }).body,
    ],
    [
      'its time in a zone that is named',
      answer('000', { ...data, vsdcRcptPbctDate: '2026-01-15T10:15:32+02:00' }).body,
    ],
    [
      'its time in UTC',
      answer('000', { ...data, vsdcRcptPbctDate: '2026-01-15T08:15:32.000Z' }).body,
    ],
    [
      'its time as a float is written',
      answer('000', { ...data, vsdcRcptPbctDate: '2.0260115101532E13' }).body,
    ],
    ['its data as the text of their JSON', answer('000', JSON.stringify(data)).body],
  ])('a signature with %s is one, and is found in a doubt too', (_what, body) => {
    const reply = dialect.sales.read({ status: 200, body }, false);
    expect(reply).toMatchObject({
      is: 'signed',
      signature: { sdcId: 'SDC010000099', signedAt: new Date('2026-01-15T08:15:32Z') },
    });
    expect(dialect.sales.find({ status: 502, body })).toEqual(
      reply.is === 'signed' && reply.signature,
    );
  });

  test.each(['1,01', '12,3456', '1.010', '-10', '10 of 12'])(
    'a counter %j is none, and what was signed stays a doubt',
    (rcptNo) => {
      expect(dialect.sales.read(answer('000', { ...data, rcptNo }), false).is).toBe('in_doubt');
    },
  );

  test('an answer of nothing but blanks is looked at once, however long it is', () => {
    const long = {
      status: 200,
      body: `{"resultCd":"000"${' '.repeat(2_000_000)}${'\u0000 '.repeat(500_000)}`,
    };
    // Of this thread's own time: how long others keep it waiting says nothing.
    const began = process.threadCpuUsage();
    expect(dialect.sales.read(long, false).is).toBe('in_doubt');
    expect(process.threadCpuUsage(began).user).toBeLessThan(1_000_000);
  });

  test.each(['884', '910', '836', '900'])(
    '%s with all the data of a receipt contradicts itself: it is a doubt, in which they are offered',
    (code) => {
      expect(dialect.sales.read(answer(code), false)).toEqual({
        is: 'in_doubt',
        deviceCode: code,
        deviceText: '',
      });
      expect(dialect.sales.find(answer(code))).toMatchObject({ receiptSignature: data.rcptSign });
      expect(dialect.sales.read(answer(code, null), false).is).not.toBe('in_doubt');
    },
  );

  test.each([
    ['another status than 200', 201, (body: string) => body, true],
    ['a status that says nothing came', 204, (body: string) => body, true],
    [
      'full-width digits',
      200,
      (body: string) =>
        body.replace(/"resultCd":"(...)"/, (_, code: string) => `"resultCd":"${wide(code)}"`),
      true,
    ],
    [
      'other letters in its keys',
      200,
      (body: string) => body.replace('"resultCd"', '"resultcd"'),
      true,
    ],
    [
      'other letters in the keys of its data, too',
      200,
      (body: string) => body.replaceAll(/"(\w+)":/g, (key) => key.toLowerCase()),
      false,
    ],
  ])(
    'an answer with %s neither signs nor refuses: it is a doubt, in which a person finds what is whole',
    (_what, status, dress, isFound) => {
      for (const code of ['000', '910']) {
        const dressed = { status, body: dress(answer(code).body) };
        for (const isResend of [false, true])
          expect(dialect.sales.read(dressed, isResend).is).toBe('in_doubt');
        expect(dialect.sales.find(dressed) !== null).toBe(isFound);
        expect(dialect.sales.read({ status, body: dress(answer(code, null).body) }, false).is).toBe(
          'in_doubt',
        );
      }
    },
  );
  const wide = (digits: string) =>
    [...digits].map((each) => String.fromCodePoint(Number(each) + 0xff10)).join('');

  test('a code nobody wrote down proves nothing', () => {
    expect(meaningOf('777', 'surprise', false)).toEqual({ is: 'in_doubt' });
  });

  test('a repeated number is known by code, or by its sentence under a generic code', () => {
    expect(meaningOf('924', '', false).is).toBe('number_taken');
    expect(meaningOf('994', '', true).is).toBe('number_taken');
    expect(meaningOf('899', 'Client error: invoice number already exists.', false).is).toBe(
      'number_taken',
    );
    expect(meaningOf('899', 'Client error', false).is).toBe('in_doubt');
  });

  test('every code of the authority’s tables has a meaning', () => {
    const all =
      '000 001 801 802 803 804 805 834 836 838 881 882 883 884 891 892 893 894 895 896 899 900 901 902 903 905 910 911 912 913 921 922 924 930 931 932 934 935 990 991 992 993 994 995 999';
    expect(all.split(' ').filter((code) => !knownCodes.includes(code))).toEqual([]);
  });

  test('every code has an example of its answer, bare and with a signature', () => {
    const path = new URL('examples/answers.json', import.meta.url);
    const examples = JSON.parse(readFileSync(path, 'utf8')) as { name: string }[];
    const names = examples.map((each) => each.name);
    expect(
      knownCodes
        .flatMap((code) => [`${code} without data`, `${code} with a signature`])
        .filter((name) => !names.includes(name)),
    ).toEqual([]);
  });
});

describe('setting up', () => {
  test('initialisation is read from data.info, also with the misprinted name', () => {
    const read = (info: object) =>
      dialect.setUp.initialise.read({
        status: 200,
        body: JSON.stringify({ resultCd: '000', resultMsg: '', data: { info } }),
      });
    expect(
      read({
        sdicId: 'SDC010000099',
        mrcNo: 'WIS00000099 ',
        lastSaleInvcNo: 246,
        vatTyCd: '1',
        cmcKey: 'k',
      }),
    ).toMatchObject({
      is: 'done',
      value: {
        sdcId: 'SDC010000099',
        mrcNumber: 'WIS00000099',
        lastInvoiceNumber: '246',
        isVatRegistered: true,
      },
    });
    expect(
      dialect.setUp.initialise.read({
        status: 200,
        body: JSON.stringify({ resultCd: '902', resultMsg: 'installed', data: null }),
      }),
    ).toMatchObject({
      is: 'refused',
      problem: 'initialised_before',
    });
  });

  test('a two-letter unit in an item code is followed by an X', () => {
    expect(
      dialect.items.code(
        {
          name: '',
          itemClass: '',
          itemType: '2',
          packageUnit: 'NT',
          quantityUnit: 'U',
          origin: 'RW',
          taxClass: 'B',
        },
        1,
      ),
    ).toBe('RW2NTXU0000001');
    expect(
      dialect.items.code(
        {
          name: '',
          itemClass: '',
          itemType: '2',
          packageUnit: 'NT',
          quantityUnit: 'NO',
          origin: 'RW',
          taxClass: 'B',
        },
        12,
      ),
    ).toBe('RW2NTXNOX0000012');
  });

  test.each([
    [{ taxpayerId: '12345', purchaseCode: null, mobile: null }, 'buyer_tin_malformed'],
    [{ taxpayerId: '000000000', purchaseCode: 'K7T2Q9', mobile: null }, 'buyer_tin_malformed'],
    [{ taxpayerId: '101234567', purchaseCode: null, mobile: null }, 'purchase_code_missing'],
    [{ taxpayerId: '101234567', purchaseCode: '12', mobile: null }, 'purchase_code_malformed'],
    [{ taxpayerId: null, purchaseCode: null, mobile: null }, 'buyer_mobile_missing'],
    [{ taxpayerId: null, purchaseCode: null, mobile: 'call me' }, 'buyer_mobile_malformed'],
    [
      { taxpayerId: null, purchaseCode: null, mobile: '078800000607880000' },
      'buyer_mobile_malformed',
    ],
    [{ taxpayerId: null, purchaseCode: null, mobile: '0000000000' }, 'buyer_mobile_malformed'],
    [{ taxpayerId: null, purchaseCode: null, mobile: '+999999999' }, 'buyer_mobile_malformed'],
  ])('a buyer %j is %s', (buyer, code) => {
    expect(dialect.sales.checkBuyer({ name: 'x', ...buyer }).map((each) => each.code)).toEqual([
      code,
    ]);
  });
});

describe('a price that the wire cannot say', () => {
  const itemOf = (
    more: Partial<SaleLine> & { total: string },
    demands: NumberedTerms['demands'] = [],
  ) =>
    (
      JSON.parse(
        dialect.sales.toBody(
          { ...sale, lines: [line({ taxClass: 'B', ...more })], total: more.total },
          { ...freeze, demands },
        ),
      ) as {
        itemList: Record<string, number>[];
      }
    ).itemList[0];

  test.each([
    [
      'a thousand at 0.001 and their tax',
      { quantity: '1000', unitPrice: '0.00', total: '1.18' },
      { splyAmt: 10, dcAmt: 8.82, dcRt: 88.2, taxAmt: 0.18 },
    ],
    [
      'a cent in all',
      { quantity: '100', unitPrice: '0.00', total: '0.01' },
      { splyAmt: 1, dcAmt: 0.99, dcRt: 99, taxAmt: 0 },
    ],
    [
      'with a discount of its own',
      {
        quantity: '1000',
        unitPrice: '0.00',
        gross: '2.00',
        discount: '0.82',
        discountRate: '41.00',
        total: '1.18',
      },
      { splyAmt: 10, dcAmt: 8.82, dcRt: 88.2, taxAmt: 0.18 },
    ],
  ])(
    'is the least it can, and what that is too much is the discount of its line: %s',
    (_, given, said) => {
      const expected = {
        qty: Number(given.quantity),
        prc: 0.01,
        totAmt: Number(given.total),
        taxblAmt: Number(given.total),
        ...said,
      };
      expect(itemOf(given)).toMatchObject(expected);
      expect(itemOf(given, ['exact_supply'])).toMatchObject(expected);
    },
  );

  test('is not what is given away', () => {
    expect(itemOf({ quantity: '1000', unitPrice: '0.00', total: '0.00' })).toMatchObject({
      prc: 0,
      splyAmt: 0,
      dcAmt: 0,
      totAmt: 0,
    });
  });
});
