import type { Recorder } from '../../audit/index.ts';
import type { Runtime } from '../../platform/runtime.ts';
import type { Calendar } from '../../ports/calendar.ts';
import type { Dialects } from '../../ports/dialect/index.ts';
import type { Paper } from './open-paper.ts';
import { redeemPrintLink, requestPrint } from './print-link.ts';
import { printForBooks, printTogether, readPdf } from './print-receipt.ts';
import { drawTraining } from './training-receipt.ts';

export type PrintingNeeds = {
  dialects: Dialects;
  record: Recorder;
  paper: Paper;
  calendar: Calendar;
};

/** Opens what prints receipts, and draws those for show. */
export function openPrinting({ clock, newId, version }: Runtime, needs: PrintingNeeds) {
  const { dialects, record, paper, calendar } = needs;
  const { draw, drawForBrowser } = paper;
  const { localTime } = calendar;
  const ports = { dialects, clock, newId, record, version, draw, drawForBrowser, localTime };
  return {
    drawTraining: drawTraining(ports),
    printForBooks: printForBooks(ports),
    askForPrint: requestPrint(ports),
    printTogether: printTogether(ports),
    readPdf: readPdf(ports),
    openLink: redeemPrintLink(ports),
  };
}
