import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import { oneAtATime } from '../platform/one-at-a-time.ts';
import type { Runtime } from '../platform/runtime.ts';
import { closeMonth, describeRow, listDocuments } from './list-documents.ts';
import { markElsewhere, unmarkElsewhere } from './mark-elsewhere.ts';
import { worklistRoutes } from './worklist.routes.ts';

/** Opens the chapter that shows which documents of a business wait for somebody. */
export function openWorklist({ clock }: Runtime, { record }: { record: Recorder }) {
  const oneExport = oneAtATime('export_under_way');
  return chapter({
    oneExport,
    routes: worklistRoutes({
      list: listDocuments,
      describeRow,
      month: closeMonth({ clock }),
      mark: markElsewhere({ clock, record }),
      takeBack: unmarkElsewhere({ clock, record }),
      oneExport,
    }),
  });
}
