import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import { documentsDue, keepingUp } from '../document-sync/index.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { BooksWriting } from '../ports/books-writing.ts';
import type { Calendar } from '../ports/calendar.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import { mailReceipt, readSteps, retryWriteBack } from './ask-for-steps.ts';
import { writeBackAfterSigning } from './due-steps.ts';
import { writeDueReceipts } from './write-back.ts';
import { writeBackRoutes } from './write-back.routes.ts';

type Needs = {
  record: Recorder;
  alerts: Alerts;
  receipts: { printForBooks: Parameters<typeof writeDueReceipts>[0]['printForBooks'] };
  dialects: Dialects;
  books: { writing: BooksWriting };
  calendar: Calendar;
};

/** Opens the chapter that writes receipts back to the books. */
export function openWriteBack(runtime: Runtime, needs: Needs) {
  const { clock, log } = runtime;
  const { record, alerts, receipts, dialects, books, calendar } = needs;
  const touch = runtime.raising(documentsDue);
  const writeDue = writeDueReceipts({
    writing: books.writing,
    printForBooks: receipts.printForBooks,
    localTime: (at, dialect) => {
      const { date, time } = calendar.localTime(at, dialects.of(dialect).identity.timeZone);
      return `${date} ${time}`;
    },
    alerts,
    record,
    clock,
    log,
  });
  return chapter({
    routes: writeBackRoutes({
      readSteps,
      retry: retryWriteBack({ clock, record, touch }),
      mail: mailReceipt({ clock, record, touch }),
    }),
    auditListeners: [writeBackAfterSigning({ clock, touch })],
    jobs: [{ round: keepingUp, name: 'write_back', forBusiness: writeDue }],
  });
}
