import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { Context } from '../context.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Books } from '../ports/books.ts';
import type { Dialects } from '../ports/dialect/index.ts';
import type { CheckPrinted } from '../ports/paper.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import { readBookNames } from './book-names.ts';
import { findTaxpayer } from './look-up-taxpayer.ts';
import { listsRoutes } from './lists.routes.ts';
import { listsRefreshed } from './lists-refreshed.ts';
import { readListsView } from './lists-view.ts';
import { mappingRoutes } from './mapping.routes.ts';
import { getMappings, putMappings } from './mappings.ts';
import { printableMappings } from './check-printed-mappings.ts';
import { refreshDueLists, refreshLists } from './refresh-lists.ts';
import { registerItems } from './register-items.ts';

type Needs = {
  record: Recorder;
  alerts: Alerts;
  books: { documents: Books };
  dialects: Dialects;
  vsdc: Vsdc;
  paper: { checkPrinted: CheckPrinted };
};

/** Opens the chapter that knows the lists of the authority, and what stands for what in the books. */
export function openCatalogue(runtime: Runtime, needs: Needs) {
  const { clock, log, worker, background } = runtime;
  const { record, alerts, books, dialects, vsdc, paper } = needs;
  const asking = { vsdc, dialects, clock, log, record, alerts, worker };
  const refresh = refreshLists(asking);
  const taxpayer = findTaxpayer({ vsdc, dialects, clock });
  return chapter({
    refreshLists: refresh,
    syncLists: async (ctx: Context, deviceId: string): Promise<void> =>
      void (await refresh(ctx, deviceId)),
    refreshDueLists: refreshDueLists(asking),
    findTaxpayer: taxpayer,
    registerItems: registerItems({ vsdc, dialects, clock }),
    routes: [
      ...listsRoutes({
        view: readListsView({ clock }),
        // It may take as long as a device takes; whoever asked sees how far it is.
        refresh: (ctx, deviceId) =>
          background(
            refresh(ctx, deviceId).then(() =>
              runtime.signals.raise(listsRefreshed, ctx.businessId),
            ),
          ),
      }),
      ...mappingRoutes({
        getMappings,
        listNames: readBookNames({ books: books.documents }),
        putMappings: printableMappings(putMappings({ record, clock }), paper.checkPrinted),
        findTaxpayer: taxpayer,
      }),
    ],
  });
}
