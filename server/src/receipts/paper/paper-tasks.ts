import type { Task } from '../../platform/bounded-worker.ts';

/**
 * Drawing happens in threads with limits: what a document holds decides what it costs, and no
 * document may hold up anybody else.
 */
const module = new URL('./receipt-pdf.ts', import.meta.url);
const timeMs = 20_000;

export const drawingPdf: Task<typeof import('./receipt-pdf.ts')['receiptsPdf']> = {
  module,
  name: 'receiptsPdf',
  timeMs,
};
export const drawingPages: Task<typeof import('./receipt-pdf.ts')['receiptForBrowser']> = {
  module,
  name: 'receiptForBrowser',
  timeMs,
};
export const findingUnprintable: Task<typeof import('./receipt-pdf.ts')['unprintableIn']> = {
  module,
  name: 'unprintableIn',
  timeMs,
};
