/** Code classes as the RRA's device serves them (a small but true-shaped part of each). */
const row = (cd: string, cdNm: string, userDfnCd1: string | null = null) => ({
  cd,
  cdNm,
  cdDesc: null,
  useYn: 'Y',
  userDfnCd1,
  userDfnCd2: null,
  userDfnCd3: null,
});

const classes: [cdCls: string, cdClsNm: string, rows: ReturnType<typeof row>[]][] = [
  [
    '04',
    'Taxation Type',
    [row('A', 'A-EX', '0'), row('B', 'B-18.00%', '18'), row('C', 'C', '0'), row('D', 'D', '0')],
  ],
  [
    '05',
    'Country',
    [
      row('RW', 'RWANDA'),
      row('KE', 'KENYA'),
      row('UG', 'UGANDA'),
      row('TZ', 'TANZANIA'),
      row('CN', 'CHINA'),
      row('DE', 'GERMANY'),
      row('FR', 'FRANCE'),
      row('IN', 'INDIA'),
    ],
  ],
  [
    '07',
    'Payment Type',
    [
      row('01', 'CASH'),
      row('02', 'CREDIT'),
      row('03', 'CASH/CREDIT'),
      row('04', 'BANK CHECK'),
      row('05', 'DEBIT&CREDIT CARD'),
      row('06', 'MOBILE MONEY'),
      row('07', 'OTHER'),
    ],
  ],
  [
    '10',
    'Quantity Unit',
    [
      row('U', 'Pieces/item'),
      row('KG', 'Kilo-Gramme'),
      row('GRM', 'Gramme'),
      row('LTR', 'Litre'),
      row('M', 'Metre'),
      row('M2', 'Square metre'),
      row('NO', 'Number'),
      row('SET', 'Set'),
      row('BX', 'Box'),
      row('BG', 'Bag'),
    ],
  ],
  [
    '11',
    'Sales Status',
    [
      row('01', 'Wait for Approval'),
      row('02', 'Approved'),
      row('03', 'Cancel Requested'),
      row('04', 'Canceled'),
      row('05', 'Refunded'),
      row('06', 'Transferred'),
    ],
  ],
  [
    '12',
    'Stock In/Out Type',
    [
      row('01', 'Incoming Import'),
      row('02', 'Incoming Purchase'),
      row('03', 'Incoming Return'),
      row('06', 'Incoming Adjustment'),
      row('11', 'Outgoing Sale'),
      row('12', 'Outgoing Return'),
      row('16', 'Outgoing Adjustment'),
    ],
  ],
  [
    '14',
    'Transaction Type',
    [row('N', 'Normal'), row('C', 'Copy'), row('T', 'Training'), row('P', 'Proforma')],
  ],
  [
    '17',
    'Packaging Unit',
    [
      row('NT', 'Net'),
      row('OU', 'Unit'),
      row('BA', 'Barrel'),
      row('BG', 'Bag'),
      row('BX', 'Box'),
      row('CT', 'Carton'),
      row('CTN', 'Carton large'),
    ],
  ],
  [
    '24',
    'Item Type',
    [row('1', 'Raw Material'), row('2', 'Finished Product'), row('3', 'Service without stock')],
  ],
  [
    '32',
    'Refund Reason',
    [
      row('01', 'Missing Quantity'),
      row('02', 'Missing Item'),
      row('03', 'Damaged'),
      row('04', 'Wasted'),
      row('05', 'Raw Material Shortage'),
      row('06', 'Refund'),
      row('07', 'Wrong Customer TIN'),
      row('08', 'Wrong Customer name'),
      row('09', 'Wrong Amount/price'),
      row('10', 'Wrong Quantity'),
      row('11', 'Wrong Item(s)'),
      row('12', 'Wrong tax type'),
      row('13', 'Other reason'),
    ],
  ],
  ['37', 'Sales Receipt Type', [row('S', 'Sale'), row('R', 'Refund after Sale')]],
];

/** Percent by tax class, as text (`'18'`, `'17.5'`). */
export type Rates = Record<string, string>;

const usualRates: Rates = { A: '0', B: '18', C: '0', D: '0' };

/** The rate of a class in hundredths of a percent. */
export function rateOf(taxTyCd: string, rates: Rates = {}): bigint {
  const [whole = '0', fraction = ''] = String(rates[taxTyCd] ?? usualRates[taxTyCd] ?? '0').split(
    '.',
  );
  return BigInt(whole) * 100n + BigInt(fraction.padEnd(2, '0').slice(0, 2));
}

/** The lists as they are served while these rates are in force. */
export const codeListsAt = (rates: Rates) =>
  codeLists.map((list) =>
    list.cdCls === '04'
      ? { ...list, dtlList: list.dtlList.map((each) => ({ ...each, ...rowAt(each, rates) })) }
      : list,
  );

const rowAt = (each: { cd: string; cdNm: string }, rates: Rates) => {
  const percent = rates[each.cd];
  return percent === undefined
    ? {}
    : { cdNm: `${each.cd}-${Number(percent).toFixed(2)}%`, userDfnCd1: percent };
};

const codeLists = classes.map(([cdCls, cdClsNm, rows]) => ({
  cdCls,
  cdClsNm,
  cdClsDesc: null,
  useYn: 'Y',
  userDfnNm1: cdCls === '04' ? 'VAT rate' : null,
  userDfnNm2: null,
  userDfnNm3: null,
  dtlList: rows.map((each, index) => ({ ...each, srtOrd: index + 1 })),
}));

export const codesOf = (cdCls: string): Set<string> =>
  new Set(classes.find(([code]) => code === cdCls)?.[2].map((each) => each.cd) ?? []);

const cls = (itemClsCd: string, itemClsNm: string, taxTyCd: string, itemClsLvl: number) => ({
  itemClsCd,
  itemClsNm,
  itemClsLvl,
  taxTyCd,
  mjrTgYn: null,
  useYn: 'Y',
});
export const itemClasses = [
  cls('50', 'Food, beverage and tobacco', 'B', 1),
  cls('5020', 'Beverages', 'B', 2),
  cls('5020170600', 'Coffee, roasted', 'B', 5),
  cls('5020230600', 'Mineral water', 'B', 5),
  cls('5018190000', 'Bread and biscuits', 'B', 5),
  cls('5022110100', 'Cereals and flour', 'A', 5),
  cls('4321150000', 'Computers', 'B', 5),
  cls('4321210000', 'Printers and parts', 'B', 5),
  cls('4412200000', 'Folders and office supplies', 'B', 5),
  cls('5311150000', 'Shoes and boots', 'B', 5),
  cls('8011150000', 'Training and consulting services', 'B', 5),
  cls('8111220000', 'Software maintenance', 'B', 5),
  cls('7812150000', 'Freight transport', 'B', 5),
  cls('8412150000', 'Financial adjustments', 'B', 5),
  cls('8610170000', 'Vocational education', 'A', 5),
];
