import { LRUCache } from 'lru-cache';
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
  existsElsewhere,
  insertDeniedLookup,
  listDeniedLookups,
} from './denied-lookup.store.ts';
import { asJob, recordAttempt } from './record-attempt.ts';
import { countLookups, type LookupCount } from './lookup-allowance.model.ts';

export type Isolation = {
  /**
   * Notes the ids of a refused request, after it was answered. Every lookup is noted alike: whether
   * an id exists somewhere is not known here, so that neither the answer nor its time can tell.
   */
  recordDeniedLookups(ctx: Context, route: string, ids: string[]): void;
  /** Records an API key used with another organization's name, which is an attempt already. */
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
const actorsMost = 10_000;

export function detectAccess(ports: Ports): Isolation {
  const allowance = lookupAllowance(ports);
  return {
    recordDeniedLookups(ctx, route, ids) {
      if (ids.length === 0) return;
      const at = ports.clock.now();
      const asked = [...new Set(ids)].slice(0, askedMax);
      const lookups = asked.slice(0, allowance(ctx, route, asked.length)).map((asked) => ({
        id: ports.newId('denied_lookup'),
        ...asker(ctx, route),
        at,
        asked,
      }));
      if (lookups.length === 0) return;
      const work = asJob(ports, ctx).transaction(async (tx) => {
        for (const denied of lookups) await insertDeniedLookup(tx, ctx.businessId, denied);
      });
      // Only once it is committed: a look before would find nothing and take it for done.
      const noted = work.then(() => ports.touch(ctx.businessId));
      inBackground(ports, ctx, noted, 'a denied lookup could not be noted');
    },
    async recordMismatch(ctx, route, organizationId) {
      if (allowance(ctx, route, 1) === 0) return;
      const attempt = { ...asker(ctx, route), asked: organizationId, at: ports.clock.now() };
      await recordAttempt(ports, ctx, attempt);
    },
    inspect: (ctx) => inspect(ports, ctx),
  };
}

/** Makes the lookups noted for a business into attempts if their id stands in another one. */
async function inspect(ports: Ports, ctx: Context): Promise<void> {
  const lookups = await ctx.transaction((tx) => listDeniedLookups(tx, batch));
  if (lookups.length === batch) ports.touch(ctx.businessId);
  for (const { id, ...denied } of lookups) {
    if (await ports.database.platform((tx) => existsElsewhere(tx, denied.asked, ctx.businessId)))
      await recordAttempt(ports, ctx, denied, id);
    else await ctx.transaction((tx) => deleteDeniedLookup(tx, id));
  }
}

/**
 * Returns what says how many lookups are still kept of an actor in this minute. Whoever goes beyond
 * is told of, once a minute.
 */
function lookupAllowance(ports: Ports): (ctx: Context, route: string, wanted: number) => number {
  const counts = new LRUCache<string, LookupCount>({ max: actorsMost });
  return (ctx, route, wanted) => {
    const minute = Math.floor(ports.clock.now().getTime() / 60_000);
    const actor = `${ctx.businessId} ${ctx.actor.id}`;
    const { count, allowed, isFirstBeyond } = countLookups(counts.get(actor), minute, wanted);
    counts.set(actor, count);
    if (isFirstBeyond) tellOfGuessing(ports, ctx, route);
    return allowed;
  };
}

function tellOfGuessing(ports: Ports, ctx: Context, route: string): void {
  ports.log.warn(
    { business_id: ctx.businessId, actor: ctx.actor.id, route },
    'somebody asks for more that is not there than is looked into',
  );
  const told = asJob(ports, ctx).transaction((tx) =>
    ports.alerts.raise(tx, ctx, ctx.actor.id, { code: 'ids_guessed', route }),
  );
  inBackground(ports, ctx, told, 'an alert could not be raised');
}

/** Goes on with work that no answer waits for; a failure stands in the log, in these words. */
function inBackground(ports: Ports, ctx: Context, work: Promise<unknown>, failure: string): void {
  ports.background(
    work.catch((error: Error) =>
      ports.log.error({ business_id: ctx.businessId, error: error.stack }, failure),
    ),
  );
}

/** Returns who asked, as a lookup and an attempt say it. */
const asker = (ctx: Context, route: string) => ({
  actorType: ctx.actor.type,
  actorId: ctx.actor.id,
  route,
  origin: ctx.origin,
});
