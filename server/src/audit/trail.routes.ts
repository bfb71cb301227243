import { trail } from '@muhuri/shared/contract/index';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';
import { answer, type Call, FileAnswer } from '../platform/http/answer.ts';
import { toCsv } from '../platform/http/csv.ts';
import type { TrailCheck, TrailEntry, TrailFilter } from './seal-trail.ts';

type Use = {
  listTrail(ctx: Call['ctx'], filter: TrailFilter): Promise<TrailEntry[]>;
  verifyTrail(ctx: Call['ctx']): Promise<TrailCheck>;
  exported(ctx: Call['ctx']): Promise<void>;
  listPlatformTrail(filter: TrailFilter): Promise<TrailEntry[]>;
  listBusinessTrail(ctx: Call['ctx'], filter: TrailFilter): Promise<TrailEntry[]>;
};

const exportMax = 50_000;

export const trailRoutes = (use: Use) => [
  answer(trail.listTrail)(async (call, { query: { cursor, limit, ...filter } }) => {
    return page(await use.listTrail(call.ctx, { ...filter, limit: limit + 1, after: readCursor(cursor) }), limit);
  }),
  answer(trail.exportTrail)(async (call, { query: filter }) => {
    const entries: TrailEntry[] = [];
    for (let after: TrailFilter['after'] = null; entries.length < exportMax; ) {
      const some = await use.listTrail(call.ctx, { ...filter, limit: 5_000, after });
      entries.push(...some);
      const last = some.at(-1);
      if (some.length < 5_000 || !last) break;
      after = { at: last.at.toISOString(), id: last.id };
    }
    await use.exported(call.ctx);
    return new FileAnswer(await toCsv(columns, entries.map(cellsOf)), 'text/csv; charset=utf-8', 'trail.csv');
  }),
  answer(trail.verifyTrail)(async (call) => {
    const { sealed, unsealed, brokenAt, head } = await use.verifyTrail(call.ctx);
    return { sealed, unsealed, broken_at: brokenAt, head };
  }),
  answer(trail.businessTrail)(async (call, { query: { cursor, limit, ...filter } }) => {
    return page(await use.listBusinessTrail(call.onBusiness, { ...filter, limit: limit + 1, after: readCursor(cursor) }), limit);
  }),
  answer(trail.platformTrail)(async (_call, { query: { cursor, limit, ...filter } }) => {
    return page(await use.listPlatformTrail({ ...filter, limit: limit + 1, after: readCursor(cursor) }), limit);
  }),
];

function page(entries: TrailEntry[], limit: number) {
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  return { trail: shown.map(toView), next_cursor: entries.length > limit && last ? cursorOf(last.at, last.id) : null };
}

const toView = ({ actor_id, at, actorName, ...entry }: TrailEntry) => ({ ...entry, at: at.toISOString(), actor: actor_id, actor_name: actorName ?? null });

const columns = ['position', 'at', 'actor_type', 'actor', 'action', 'subject', 'before', 'after', 'origin', 'request_id'];
const cellsOf = (each: TrailEntry): unknown[] => [
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
