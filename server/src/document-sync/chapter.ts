import type { Alerts } from '../alerts/index.ts';
import { chapter } from '../chapter.ts';
import type { Context } from '../context.ts';
import type { JobHealth } from '../job-health/index.ts';
import { openPriorityGate } from '../platform/priority-gate.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Books } from '../ports/books.ts';
import type { SyncDocument } from '../receipts/index.ts';
import { documentsDue, keepingUp } from './sync-round.ts';
import { pollDocuments } from './poll-documents.ts';
import { processDueDocuments } from './process-due-documents.ts';
import { retryAfterFix } from './retry-after-fix.ts';

type Needs = {
  alerts: Alerts;
  jobHealth: Pick<JobHealth, 'run'>;
  books: { documents: Books };
  receipts: { syncDocument: SyncDocument };
  /** Whether the grant of a business still holds. */
  connections: { grantWorks(ctx: Context): Promise<boolean> };
};

/** Opens the chapter that keeps the documents of a business in step with its books. */
export function openDocumentSync(runtime: Runtime, needs: Needs) {
  const { clock, log } = runtime;
  const { alerts, books, jobHealth, connections, receipts } = needs;
  const giveWay = openPriorityGate();
  const touch = runtime.raising(documentsDue);
  const poll = pollDocuments({ books: books.documents, clock, jobs: jobHealth });
  const lookAt = processDueDocuments({
    alerts,
    giveWay,
    lookAtDocument: receipts.syncDocument,
    clock,
    log,
  });
  return chapter({
    giveWay,
    pollNow: async (ctx: Context) => {
      const looked = await poll(ctx, true);
      touch(ctx.businessId);
      return looked;
    },
    auditListeners: [retryAfterFix({ clock, touch })],
    jobs: [
      {
        round: keepingUp,
        name: 'connection',
        isOnlyWhenDue: true,
        isGate: true,
        forBusiness: connections.grantWorks,
      },
      { round: keepingUp, name: 'poll', isOnlyWhenDue: true, forBusiness: (ctx) => poll(ctx) },
      { round: keepingUp, name: 'look', forBusiness: lookAt },
    ],
  });
}
