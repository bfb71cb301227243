import { trail } from '@muhuri/shared/contract/index';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import { route, type Call, FileResponse } from '../platform/http/route.ts';
import { csvOf, pagesOf } from '../platform/http/csv.ts';
import type { AuditEntry, AuditFilter, AuditCheck } from '../audit/index.ts';

type Use = {
  listTrail(ctx: Call['ctx'], filter: AuditFilter): Promise<AuditEntry[]>;
  /** From where it was last found whole, or the whole of it. */
  verifyAuditLog(ctx: Call['ctx'], isWhole: boolean): Promise<AuditCheck>;
  /** The place of the one export that a business may have under way. */
  oneExport<T>(businessId: string, parts: AsyncIterable<T>): AsyncIterable<T>;
  exported(ctx: Call['ctx']): Promise<void>;
  listPlatformTrail(filter: AuditFilter): Promise<AuditEntry[]>;
  listBusinessTrail(ctx: Call['ctx'], filter: AuditFilter): Promise<AuditEntry[]>;
};

const exportMax = 50_000;
/** Few enough that the others hardly notice while they are written. */
const exportPage = 50;

export const activityRoutes = (use: Use) => [
  route(trail.listTrail)(async (call, { query: { cursor, limit, ...filter } }) => {
    return page(
      await use.listTrail(call.ctx, { ...filter, limit: limit + 1, after: readCursor(cursor) }),
      limit,
    );
  }),
  route(trail.exportTrail)(async (call, { query: filter }) => {
    const list = (after: AuditFilter['after'], limit: number) =>
      use.listTrail(call.ctx, { ...filter, limit, after });
    const pages = pagesOf(list, {
      page: exportPage,
      most: exportMax,
      after: (last) => ({ at: last.at.toISOString(), id: last.id }),
    });
    async function* cells() {
      for await (const entries of pages) yield entries.map(cellsOf);
    }
    const file = use.oneExport(call.ctx.businessId, csvOf(columns, cells()));
    await use.exported(call.ctx);
    return new FileResponse(file, 'text/csv; charset=utf-8', 'trail.csv');
  }),
  route(trail.verifyTrail)(async (call, { query: { whole } }) => {
    const { sealed, unsealed, brokenAt, head, from } = await use.verifyAuditLog(
      call.ctx,
      whole === 'true',
    );
    return { sealed, unsealed, broken_at: brokenAt, head, checked_from: from };
  }),
  route(trail.businessTrail)(async (call, { query: { cursor, limit, ...filter } }) => {
    return page(
      await use.listBusinessTrail(call.onBusiness, {
        ...filter,
        limit: limit + 1,
        after: readCursor(cursor),
      }),
      limit,
    );
  }),
  route(trail.platformTrail)(async (_call, { query: { cursor, limit, ...filter } }) => {
    return page(
      await use.listPlatformTrail({ ...filter, limit: limit + 1, after: readCursor(cursor) }),
      limit,
    );
  }),
];

function page(entries: AuditEntry[], limit: number) {
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  return {
    trail: shown.map(toView),
    next_cursor: entries.length > limit && last ? cursorOf(last.at, last.id) : null,
  };
}

const toView = ({ actor_id, at, actorName, ...entry }: AuditEntry) => ({
  ...entry,
  at: at.toISOString(),
  actor: actor_id,
  actor_name: actorName ?? null,
});

const columns = [
  'position',
  'at',
  'actor_type',
  'actor',
  'action',
  'subject',
  'before',
  'after',
  'origin',
  'request_id',
];
const cellsOf = (each: AuditEntry): unknown[] => [
  each.position,
  each.at.toISOString(),
  each.actor_type,
  each.actor_id,
  each.action,
  each.subject,
  each.before,
  each.after,
  each.origin,
  each.request_id,
];
