const row = (n: number) => ({
  cd: `C${n}`,
  cdNm: `Name ${n}`,
  useYn: 'Y',
  userDfnCd1: '18',
});

type Usual = { data: unknown; rows?: (read: unknown) => number };

/**
 * What a device answers usually, by the reader of the dialect it is for. `rows`: how many of the
 * rows in it were read.
 */
export const usualAnswers: Record<string, Usual> = {
  'setUp.initialise': {
    data: {
      info: {
        sdcId: 'SDC010000001',
        mrcNo: 'WIS00000001',
        lastSaleInvcNo: 5,
        vatTyCd: '1',
        taxprNm: 'INZOZI',
        cmcKey: 'k',
        signKey: 's',
      },
    },
  },
  'codes.lists': {
    data: { clsList: [{ cdCls: '04', useYn: 'Y', dtlList: [row(1), row(2), row(3)] }] },
    rows: (read) => (read as { value: { codes: unknown[] }[] }).value[0]?.codes.length ?? 0,
  },
  'codes.itemClasses': {
    data: {
      itemClsList: [1, 2, 3].map((n) => ({
        itemClsCd: `501017060${n}`,
        itemClsNm: 'Coffee',
        itemClsLvl: 4,
        taxTyCd: 'B',
        useYn: 'Y',
      })),
    },
    rows: (read) => (read as { value: unknown[] }).value.length,
  },
  'taxpayers.lookup': { data: { custList: [{ tin: '101234567', taxprNm: 'KIVU LOGISTICS' }] } },
  'items.register': { data: null },
  sales: {
    data: {
      rcptNo: 10,
      totRcptNo: 12,
      intrlData: 'A'.repeat(26),
      rcptSign: 'B'.repeat(16),
      vsdcRcptPbctDate: '20260115101532',
      sdcId: 'SDC010000001',
      mrcNo: 'WIS00000001  ',
    },
  },
  'setUp.probe': { data: null },
};
