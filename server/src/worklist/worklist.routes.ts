import { zoho } from '@muhuri/shared/contract/index';
import { route, type Call, FileResponse } from '../platform/http/route.ts';
import { readDayCursor, dayCursorOf } from '../platform/http/cursor.ts';
import { csvOf, pagesOf } from '../platform/http/csv.ts';
import type { DocumentKey } from '../document-sync/index.ts';
import { type WorklistQuery, type ListedRow, type Month, rowKey } from './index.ts';

type Use = {
  list(ctx: Call['ctx'], ask: WorklistQuery): Promise<ListedRow[]>;
  describeRow(ctx: Call['ctx']): Promise<string | null>;
  month(ctx: Call['ctx'], month: string): Promise<Month>;
  mark(ctx: Call['ctx'], documents: DocumentKey[], reason: string): Promise<number>;
  takeBack(ctx: Call['ctx'], documents: DocumentKey[]): Promise<number>;
  /** The place of the one export that a business may have under way. */
  oneExport<T>(businessId: string, parts: AsyncIterable<T>): AsyncIterable<T>;
};
type Filter = {
  month?: string | undefined;
  standing?: WorklistQuery['standings'] | undefined;
  branch_id?: string | undefined;
  document_ids?: string[] | undefined;
  search?: string | undefined;
};

const exportMax = 50_000;
const exportPage = 50;

const columns = [
  'document_number',
  'document_date',
  'module',
  'customer_name',
  'currency',
  'total',
  'status',
  'standing',
  'receipt',
  'sentence',
  'next_step',
  'who',
  'sealed_elsewhere',
  'sealed_elsewhere_by',
  'sealed_elsewhere_at',
];
const cellsOf = (row: ListedRow) => [
  row.number,
  row.date,
  row.module,
  row.customerName,
  row.currency,
  row.total,
  row.status,
  row.standing,
  row.receiptLabel ?? '',
  row.problem?.title ?? '',
  row.problem?.detail ?? '',
  row.who,
  row.elsewhere?.reason ?? '',
  row.elsewhere?.by ?? '',
  row.elsewhere?.at ?? '',
];

export const worklistRoutes = (use: Use) => {
  const askOf = ({ month, standing, branch_id, document_ids, search }: Filter) => ({
    month: month ?? null,
    standings: standing ?? null,
    branchId: branch_id ?? null,
    documentIds: document_ids ?? null,
    search: search || null,
  });
  return [
    route(zoho.listDocuments)(async (call, { query: { limit, cursor, ...filter } }) => {
      const found = await use.list(call.ctx, {
        ...askOf(filter),
        limit: limit + 1,
        after: readDayCursor(cursor),
      });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      return {
        documents: shown.map(view),
        looked_at: await use.describeRow(call.ctx),
        next_cursor:
          found.length > limit && last
            ? dayCursorOf(last.date, last.documentId, rowKey(last))
            : null,
      };
    }),
    route(zoho.exportDocuments)(async (call, { query }) => {
      const list = (after: WorklistQuery['after'], limit: number) =>
        use.list(call.ctx, { ...askOf(query), limit, after });
      const pages = pagesOf(list, {
        page: exportPage,
        most: exportMax,
        after: (last) => ({ at: last.date, id: last.documentId, key: rowKey(last) }),
      });
      async function* cells() {
        for await (const rows of pages) yield rows.map(cellsOf);
      }
      return new FileResponse(
        use.oneExport(call.ctx.businessId, csvOf(columns, cells())),
        'text/csv; charset=utf-8',
        'documents.csv',
      );
    }),
    route(zoho.closeMonth)(async (call, { query }) => {
      const { isComplete, lookedAt, sealedElsewhere, signedTwice, ...month } = await use.month(
        call.ctx,
        query.month,
      );
      return {
        ...month,
        sealed_elsewhere: sealedElsewhere,
        signed_twice: signedTwice,
        looked_at: lookedAt,
        complete: isComplete,
      };
    }),
    route(zoho.markElsewhere)(async (call, { input }) => ({
      marked: await use.mark(call.ctx, keysOf(input.documents), input.reason),
    })),
    route(zoho.takeBackElsewhere)(async (call, { input }) => ({
      taken_back: await use.takeBack(call.ctx, keysOf(input.documents)),
    })),
  ];
};

const keysOf = (
  documents: { module: DocumentKey['module']; document_id: string }[],
): DocumentKey[] =>
  documents.map((each) => ({ module: each.module, documentId: each.document_id }));

const view = (row: ListedRow) => ({
  module: row.module,
  document_id: row.documentId,
  document_number: row.number,
  document_date: row.date,
  status: row.status,
  customer_name: row.customerName,
  currency: row.currency,
  total: row.total,
  location_id: row.locationId,
  standing: row.standing,
  problem: row.problem,
  who: row.who,
  receipt_id: row.receiptId,
  receipt_label: row.receiptLabel,
  sealed_elsewhere: row.elsewhere && {
    reason: row.elsewhere.reason,
    by: row.elsewhere.by,
    at: row.elsewhere.at,
  },
  may_be_elsewhere: row.mayBeElsewhere,
});
