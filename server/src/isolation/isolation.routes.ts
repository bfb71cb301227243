import { businesses } from '@muhuri/shared/contract/index';
import { route } from '../platform/http/route.ts';
import { cursorOf, readCursor } from '../platform/http/cursor.ts';

type Page = { limit: number; after: { at: string; id: string } | null };
type Attempt = {
  id: string;
  at: Date;
  businessId: string;
  actorId: string;
  route: string;
  asked: string;
  origin: string | null;
};

/** What the operator sees of those who asked for another business's data. */
export const isolationRoutes = (use: { listAttempts(page: Page): Promise<Attempt[]> }) => [
  route(businesses.listAttempts)(async (_call, { query: { limit, cursor } }) => {
    const found = await use.listAttempts({ limit: limit + 1, after: readCursor(cursor) });
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    return {
      attempts: shown.map(({ at, businessId, actorId, id, route, asked, origin }) => ({
        id,
        at: at.toISOString(),
        business_id: businessId,
        actor: actorId,
        route,
        asked,
        origin,
      })),
      next_cursor: found.length > limit && last ? cursorOf(last.at, last.id) : null,
    };
  }),
];
