import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { type ReceiptLayout } from '@muhuri/server/model/receipt-layout.model';
import { receiptPdf } from '@muhuri/server/receipts/paper/receipt-pdf';
import { limitConcurrencyByKey } from '@muhuri/server/platform/limit-concurrency-by-key';
import { openBrowser } from '../e2e/browser.ts';
import { line, median, spread } from './measure.ts';

const require = createRequire(createRequire(import.meta.url).resolve('@muhuri/server/app'));
const linesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    name: `Item number ${i} of the bench`,
    detail: '1,180.00 x 2',
    amount: '2,360.00 B',
    discount: null,
  }));
const paper: ReceiptLayout = {
  mark: null,
  notOfficial: '',
  isTest: false,
  header: {
    logo: null,
    name: 'Bench Traders',
    lines: ['KG 11 Ave, Kigali', 'Tel: 0788'],
    taxpayer: 'TIN: 100200300',
  },
  accentColor: '#1f2329',
  title: 'SALES RECEIPT',
  refund: null,
  topMessage: 'Welcome',
  buyer: [['Client name', 'Hotel Ikirezi']],
  document: [['Invoice', 'INV-1']],
  columns: { item: 'ITEM', price: 'PRICE x QUANTITY', amount: 'AMOUNT' },
  lines: linesOf(20),
  totals: [
    { label: 'TOTAL RWF', amount: '47,200.00', isStrong: true },
    { label: 'TOTAL TAX', amount: '7,200.00', isStrong: true },
  ],
  tender: [['CASH', '47,200.00']],
  signature: {
    title: 'SDC INFORMATION',
    rows: [
      ['SDC ID', 'SDC010000001'],
      ['RECEIPT NUMBER', '1/1 NS'],
      ['Internal Data', 'ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ'],
      ['Receipt Signature', 'ABCD-EFGH-2345-67AB'],
    ],
  },
  code: 'https://myrra.rra.gov.rw/common/link/ebm/receipt/indexEbmReceiptData?Data=10020030000ABCDEFGH234567AB',
  system: [['MRC', 'WIS00000001']],
  footer: ['Thank you'],
  pageNames: ['INV-1', '1/1 NS'],
};
const at = new Date('2026-11-20T10:00:00Z');

/**
 * PDFs per second: ours, Chromium's print of the same text as HTML (a new page each, in a running
 * browser), and bare pdfkit with the same fonts.
 */
export async function benchPaper(): Promise<void> {
  const rate = async (
    count: number,
    work: () => Promise<unknown>,
  ): Promise<{ perSecond: number; cpuMs: number }> => {
    const cpu = process.cpuUsage();
    const started = performance.now();
    for (let i = 0; i < count; i++) await work();
    const used = process.cpuUsage(cpu);
    return {
      perSecond: (count * 1000) / (performance.now() - started),
      cpuMs: (used.user + used.system) / 1000 / count,
    };
  };
  const bareOne = await bare();
  await rate(100, () => receiptPdf(paper, 'a4', at));
  await rate(100, bareOne);
  // Short turns: a slow second of the machine meets all three.
  const rounds = 15;
  const ours: number[] = [];
  const chromium: number[] = [];
  const cpu: number[] = [];
  const browser = await openBrowser();
  for (let i = 0; i < rounds; i++) {
    const own = await rate(50, () => receiptPdf(paper, 'a4', at));
    const plain = await rate(50, bareOne);
    const printed = await rate(2, async () => {
      const page = await browser.newPage();
      await page.setContent(html());
      await page.pdf({ format: 'A4' });
      await page.close();
    });
    ours.push(own.perSecond);
    chromium.push(printed.perSecond);
    cpu.push(own.cpuMs / plain.cpuMs);
  }
  await browser.close();
  line('PDF A4, 20 lines, with its code', `${median(ours).toFixed(0)}/s (${spread(ours)})`);
  line('PDF by Chromium, a new page each', `${median(chromium).toFixed(1)}/s`);
  line(
    '  ratio',
    median(ours.map((each, i) => each / (chromium[i] as number))).toFixed(0),
    'aim ≥ 40',
  );
  line('  CPU against bare pdfkit, same fonts and code', median(cpu).toFixed(2), 'aim ≤ 1.5');
  const long = async (count: number) =>
    (
      await rate(Math.ceil(3_000 / count), () =>
        receiptPdf({ ...paper, lines: linesOf(count) }, 'a4', at),
      )
    ).cpuMs;
  await long(500);
  const [short, whole] = [[] as number[], [] as number[]];
  for (let i = 0; i < rounds; i++) {
    short.push(await long(100));
    whole.push(await long(500));
  }
  line(
    'PDF A4 of 100 / 500 lines, CPU ms',
    `${median(short).toFixed(1)} / ${median(whole).toFixed(1)}`,
  );
  line(
    '  500 lines against 100',
    median(whole.map((each, i) => each / (short[i] as number))).toFixed(1),
    'aim ≤ 5.5 (linear)',
  );
  // As many at once as the server draws, of thirty that are asked for.
  const turn = limitConcurrencyByKey(2);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  await Promise.all(
    Array.from({ length: 30 }, () =>
      turn('paper', () => receiptPdf({ ...paper, lines: linesOf(500) }, 'a4', at)),
    ),
  );
  delay.disable();
  line(
    '  event loop held up by thirty of 500 lines, p99 / most',
    `${(delay.percentile(99) / 1e6).toFixed(0)} / ${(delay.max / 1e6).toFixed(0)} ms`,
    'aim ≤ 20 ms',
  );
}

const rows = () => [
  ...paper.header.lines,
  ...paper.lines.flatMap((each) => [each.name, each.detail, each.amount]),
  ...paper.totals.flatMap((each) => [each.label, each.amount]),
  ...paper.signature.rows.flat(),
  ...paper.system.flat(),
  ...paper.footer,
];
const html = () =>
  `<html><body style="font:10px sans-serif"><h1>${paper.header.name}</h1>${rows()
    .map((each) => `<div>${each}</div>`)
    .join('')}</body></html>`;

/** Nothing but the library: the same texts and the same code as rectangles, no layout of ours. */
async function bare(): Promise<() => Promise<Buffer>> {
  const { default: PDFDocument } = await import(require.resolve('pdfkit'));
  const { default: QRCode } = await import(require.resolve('qrcode'));
  const fontkit = await import(require.resolve('fontkit'));
  const font = (fontkit.create ?? fontkit.default.create)(
    readFileSync(
      require.resolve('@expo-google-fonts/noto-sans/400Regular/NotoSans_400Regular.ttf'),
    ),
  );
  const bold = (fontkit.create ?? fontkit.default.create)(
    readFileSync(require.resolve('@expo-google-fonts/noto-sans/700Bold/NotoSans_700Bold.ttf')),
  );
  return () =>
    new Promise((resolve) => {
      const doc = new PDFDocument({ size: 'A4', font: null, autoFirstPage: false });
      doc.registerFont('body', font);
      doc.registerFont('bold', bold);
      const parts: Buffer[] = [];
      doc.on('data', (part: Buffer) => parts.push(part));
      doc.on('end', () => resolve(Buffer.concat(parts)));
      doc.addPage();
      doc.font('bold').fontSize(17).text(paper.header.name, 42, 40, { lineBreak: false });
      doc.font('body').fontSize(9.5);
      let y = 70;
      for (const [index, text] of rows().entries()) {
        doc.text(text, 42 + (index % 3) * 160, y, { lineBreak: false });
        if (index % 3 === 2) y += 13;
      }
      const { modules } = QRCode.create(paper.code, { errorCorrectionLevel: 'M' });
      for (let row = 0; row < modules.size; row++)
        for (let column = 0; column < modules.size; column++)
          if (modules.get(row, column)) doc.rect(400 + column * 3, 600 + row * 3, 3, 3);
      doc.fill('#000');
      doc.end();
    });
}
