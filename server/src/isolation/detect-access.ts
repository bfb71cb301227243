import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import type { NewId } from '../platform/new-id.ts';
import {
  type CrossBusinessAccess,
  deleteDeniedLookup,
  insertCrossBusinessAccess,
  insertDeniedLookup,
  listDeniedLookups,
  existsElsewhere,
} from './denied-lookup.store.ts';

export type Isolation = {
  /**
   * Notes the ids of a refused request, after it was answered. Every lookup is noted alike: whether
   * an id exists somewhere is not known here, so that neither the answer nor its time can tell.
   */
  recordDeniedLookups(ctx: Context, route: string, ids: string[]): void;
  /** An API key used with another organization's name: an attempt by itself. */
  recordMismatch(ctx: Context, route: string, organizationId: string): Promise<void>;
  /**
   * Makes the lookups noted for a business into attempts where their id stands in another:
   * recorded, told to both the business and the operator.
   */
  inspect(ctx: Context): Promise<void>;
};

type Ports = {
  database: Database;
  clock: Clock;
  newId: NewId;
  log: Log;
  record: Recorder;
  alerts: Pick<Alerts, 'raise'>;
  contextOf(businessId: string): Context;
  /** Tells the operator's hook, where there is one. */
  tell(attempt: CrossBusinessAccess): Promise<void>;
  background(work: Promise<unknown>): void;
  /** Denied lookups of this business wait to be looked into. */
  touch(businessId: string): void;
};

const batch = 200;
const askedMax = 20;
/**
 * Of one actor so many are kept in a minute, far fewer than can be looked into; that there were
 * more is told by itself.
 */
const keptPerMinute = 120;
const actorsMost = 10_000;

export function detectAccess(ports: Ports): Isolation {
  // Written down by a job of ours: whoever fills their own share of the connections does not keep
  // their lookups out of it.
  const byJob = (ctx: Context): Context => ({
    ...ctx,
    transaction: ports.contextOf(ctx.businessId).transaction,
  });
  const kept = new Map<string, { minute: number; count: number }>();

  /**
   * How many of these are still kept of this actor in this minute; whoever goes beyond is told of,
   * once a minute.
   */
  const allowance = (ctx: Context, route: string, wanted: number): number => {
    const minute = Math.floor(ports.clock.now().getTime() / 60_000);
    const actor = `${ctx.businessId} ${ctx.actor.id}`;
    if (kept.size > actorsMost) kept.clear();
    const before = kept.get(actor);
    const count = before?.minute === minute ? before.count : 0;
    kept.set(actor, { minute, count: count + wanted });
    if (count <= keptPerMinute && count + wanted > keptPerMinute) {
      ports.log.warn(
        { business_id: ctx.businessId, actor: ctx.actor.id, route },
        'somebody asks for more that is not there than is looked into',
      );
      const told = byJob(ctx).transaction((tx) =>
        ports.alerts.raise(tx, ctx, ctx.actor.id, { code: 'ids_guessed', route }),
      );
      ports.background(
        told.catch((error: Error) =>
          ports.log.error(
            { business_id: ctx.businessId, error: error.stack },
            'an alert could not be raised',
          ),
        ),
      );
    }
    return Math.max(0, Math.min(wanted, keptPerMinute - count));
  };

  /**
   * `lookupId`: the noted lookup it comes from, which goes in the same transaction, so that of several
   * processes one alone records the attempt.
   */
  const attempt = async (
    ctx: Context,
    about: {
      actorType: string;
      actorId: string;
      route: string;
      asked: string;
      origin: string | null;
      at: Date;
    },
    lookupId?: string,
  ) => {
    const found: CrossBusinessAccess = {
      id: lookupId ?? ports.newId('cross_business_access'),
      businessId: ctx.businessId,
      ...about,
    };
    await ports.database.platform((tx) => insertCrossBusinessAccess(tx, found));
    const isOurs = await byJob(ctx).transaction(async (tx) => {
      if (lookupId !== undefined && !(await deleteDeniedLookup(tx, lookupId))) return false;
      await ports.record(tx, ctx, {
        action: 'wall.attempt',
        subject: about.actorId,
        after: {
          actor_type: about.actorType,
          route: about.route,
          asked: about.asked,
          origin: about.origin,
        },
      });
      await ports.alerts.raise(tx, ctx, about.actorId, {
        code: 'cross_business_access',
        route: about.route,
      });
      return true;
    });
    if (!isOurs) return;
    ports.log.warn(
      { business_id: ctx.businessId, actor: about.actorId, route: about.route },
      'somebody asked for another business’s data',
    );
    await ports
      .tell(found)
      .catch((error: Error) =>
        ports.log.error({ error: error.message }, 'the alert hook could not be told'),
      );
  };

  const inspect = async (ctx: Context): Promise<void> => {
    const lookups = await ctx.transaction((tx) => listDeniedLookups(tx, batch));
    if (lookups.length === batch) ports.touch(ctx.businessId);
    for (const { id, ...denied } of lookups) {
      if (await ports.database.platform((tx) => existsElsewhere(tx, denied.asked, ctx.businessId)))
        await attempt(ctx, denied, id);
      else await ctx.transaction((tx) => deleteDeniedLookup(tx, id));
    }
  };

  return {
    recordDeniedLookups(ctx, route, ids) {
      if (ids.length === 0) return;
      const at = ports.clock.now();
      const asked = [...new Set(ids)].slice(0, askedMax);
      const lookups = asked.slice(0, allowance(ctx, route, asked.length)).map((asked) => ({
        id: ports.newId('denied_lookup'),
        at,
        actorType: ctx.actor.type,
        actorId: ctx.actor.id,
        route,
        asked,
        origin: ctx.origin,
      }));
      if (lookups.length === 0) return;
      const work = byJob(ctx).transaction(async (tx) => {
        for (const denied of lookups) await insertDeniedLookup(tx, ctx.businessId, denied);
      });
      // Only once it is committed: a look before would find nothing and take it for done.
      const noted = work.then(() => ports.touch(ctx.businessId));
      ports.background(
        noted.catch((error: Error) =>
          ports.log.error(
            { business_id: ctx.businessId, error: error.stack },
            'a denied lookup could not be noted',
          ),
        ),
      );
    },
    async recordMismatch(ctx, route, organizationId) {
      if (allowance(ctx, route, 1) === 0) return;
      await attempt(ctx, {
        actorType: ctx.actor.type,
        actorId: ctx.actor.id,
        route,
        asked: organizationId,
        origin: ctx.origin,
        at: ports.clock.now(),
      });
    },
    inspect,
  };
}

/**
 * Ids of ours anywhere in a request: path, query, body, a cursor's inside. Bounded, so that a large
 * body costs little.
 */
export function idsInRequest(values: unknown[], ownBusinessId: string): string[] {
  const found = new Set<string>();
  let seen = 0;
  const walk = (value: unknown, depth: number): void => {
    if (++seen > 2_000 || depth > 8) return;
    if (typeof value === 'string') {
      for (const id of value.match(/\b[a-z]{3}_[0-9a-f]{32}\b/g) ?? [])
        if (id !== ownBusinessId) found.add(id);
    } else if (Array.isArray(value)) for (const each of value) walk(each, depth + 1);
    else if (value && typeof value === 'object')
      for (const each of Object.values(value)) walk(each, depth + 1);
  };
  for (const value of values) walk(value, 0);
  return [...found];
}
