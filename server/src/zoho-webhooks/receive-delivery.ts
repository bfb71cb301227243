import { hash } from 'node:crypto';
import type { Alerts } from '../alerts/index.ts';
import { holdDataKey } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { PriorityGate } from '../platform/priority-gate.ts';
import type { Log } from '../platform/log.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { BooksWebhookReader } from '../ports/books-webhooks.ts';
import {
  type Delivery,
  insertDelivery,
  setVerdict,
  type ClaimedDelivery,
  claimDeliveries,
  type Verdict,
} from './delivery.store.ts';
import {
  findAddressByKey,
  type WebhookAddress,
  listAddresses,
  markAddress,
} from './webhook-address.store.ts';

type Ports = {
  reader: BooksWebhookReader;
  vault: Vault;
  clock: Clock;
  newId: NewId;
  log: Log;
  alerts: Pick<Alerts, 'raise' | 'resolve'>;
  contextOf(businessId: string): Context;
  /** There is something to look at. */
  touch(businessId: string): void;
  giveWay: Pick<PriorityGate, 'ahead'>;
  limits: { ofDelivery(businessId: string): Promise<void> };
};

type Received = {
  key: string;
  query: [string, string][];
  raw: Buffer;
  contentType: string;
  signature: string;
  origin: string | null;
};
export type ReceiveDelivery = (received: Received) => Promise<Verdict>;
/** Whose address this is, before anything that is sent to it is read. Throws `not_found`. */
export type ExpectDelivery = (key: string) => Promise<{ owner: string }>;

type Known = {
  hook: WebhookAddress;
  organizationId: string | null;
  secrets: string[];
  until: number;
};

/**
 * A hook is known for a moment, so that a burst of deliveries asks for it once; a rotation or an
 * end holds within that time.
 */
const knownMs = 5_000;
const knownMax = 10_000;
/** Of what is refused, so many an hour are kept per hook; beyond them it is only counted. */
const keptPerHour = 60;
const clusterOf = 5;
const clusterMs = 10 * 60_000;
const batchMax = 200;
const commitsAtOnce = 2;

type Kept = {
  delivery: Delivery;
  hook: WebhookAddress;
  done(taken: ClaimedDelivery): void;
  failed(error: unknown): void;
};

const hashOf = (text: string | Buffer) => hash('sha256', text);

/**
 * A key names its business, so that it is looked for behind its own wall; what has not that form is
 * nobody's, and nobody is asked.
 */
function businessOf(key: string): string {
  const businessId = /^(biz_[0-9a-f]{32})\.[A-Za-z0-9]{32}$/.exec(key)?.[1];
  if (!businessId) throw new AppError('not_found');
  return businessId;
}

/**
 * Takes a webhook: proves the address, the organization and the signature, keeps it under its
 * dedupe key and answers at once. Nothing in the body is believed: it only says which document to
 * read again from Zoho.
 */
export function receiveDelivery(ports: Ports): {
  receive: ReceiveDelivery;
  expect: ExpectDelivery;
} {
  const known = new Map<string, Known>();
  const refused = new Map<
    string,
    { hour: number; kept: number; recent: { not_believed: number[]; not_read: number[] } }
  >();

  const hookOf = async (ctx: Context, key: string): Promise<Known> => {
    const keyHash = hashOf(key);
    const now = ports.clock.now();
    const have = known.get(keyHash);
    if (have && have.until > now.getTime()) return have;
    const found = await ctx.transaction(async (tx) => {
      const hook = await findAddressByKey(tx, keyHash, now);
      if (!hook) return null;
      const dataKey = await holdDataKey(tx);
      // A business that is closed has no key any more, and is not there for anybody.
      if (dataKey === '') return null;
      const hooks = (await listAddresses(tx, now)).filter(
        (each) => each.module === hook.module && each.secret !== null,
      );
      const secrets = hooks.map((each) =>
        ports.vault.decrypt(dataKey, ctx.businessId, `hook:${each.id}`, each.secret as string),
      );
      return {
        hook,
        organizationId: (await findConnection(tx))?.organizationId ?? null,
        secrets,
        until: now.getTime() + knownMs,
      };
    });
    if (!found) throw new AppError('not_found');
    if (known.size > knownMax) known.clear();
    known.set(keyHash, found);
    return found;
  };

  /** Kept as what it is, with a digest of what it said; told to the business where it clusters. */
  const refuse = async (
    ctx: Context,
    hook: WebhookAddress,
    delivery: Delivery,
    unread: { field: string; sent_as: string | null; value?: string } | null = null,
  ): Promise<Verdict> => {
    const at = delivery.at.getTime();
    const hour = Math.floor(at / 3_600_000);
    const count = refused.get(hook.id) ?? {
      hour,
      kept: 0,
      recent: { not_believed: [], not_read: [] },
    };
    if (count.hour !== hour) Object.assign(count, { hour, kept: 0 });
    if (refused.size > knownMax) refused.clear();
    refused.set(hook.id, count);
    const isAttack = delivery.verdict === 'forged' || delivery.verdict === 'foreign';
    // What nobody can read is told like what nobody believes: a rule with a body of its own making
    // would be silent for ever.
    const kind = isAttack ? 'not_believed' : delivery.verdict === 'malformed' ? 'not_read' : null;
    if (kind)
      count.recent[kind] = [
        ...count.recent[kind].filter((each) => at - each < clusterMs),
        at,
      ].slice(-clusterOf);
    const isCluster = kind !== null && count.recent[kind].length === clusterOf;
    if (isCluster) count.recent[kind] = [];
    if (count.kept >= keptPerHour && !isCluster) return delivery.verdict;
    count.kept += 1;
    await ctx.transaction(async (tx) => {
      if (count.kept <= keptPerHour) await insertDelivery(tx, ctx.businessId, delivery);
      if (isCluster)
        await ports.alerts.raise(tx, ctx, hook.id, {
          code: isAttack ? 'webhooks_forged' : 'webhooks_malformed',
          verdict: delivery.verdict,
          ...unread,
        });
    });
    if (isAttack)
      ports.log.warn(
        { business_id: ctx.businessId, hook: hook.id, verdict: delivery.verdict },
        'a webhook was not believed',
      );
    return delivery.verdict;
  };

  /**
   * While one transaction is being committed the deliveries that come meanwhile gather for the
   * next: a burst is a few transactions instead of hundreds, and each is answered only once it is
   * kept.
   */
  const gathering = new Map<string, { waiting: Kept[]; running: number }>();
  const keep = (ctx: Context, hook: WebhookAddress, delivery: Delivery): Promise<ClaimedDelivery> =>
    new Promise((done, failed) => {
      const state = gathering.get(ctx.businessId) ?? { waiting: [], running: 0 };
      gathering.set(ctx.businessId, state);
      state.waiting.push({ delivery, hook, done, failed });
      next(ctx, state);
    });
  const next = (ctx: Context, state: { waiting: Kept[]; running: number }): void => {
    if (state.running < commitsAtOnce && state.waiting.length > 0) {
      state.running += 1;
      void commit(ctx, state.waiting.splice(0, batchMax)).finally(() => {
        state.running -= 1;
        next(ctx, state);
      });
    } else if (state.running === 0) gathering.delete(ctx.businessId);
  };
  const commit = async (ctx: Context, batch: Kept[]): Promise<void> => {
    try {
      const taken = await ctx.transaction(async (tx) => {
        const found = await claimDeliveries(
          tx,
          ctx.businessId,
          batch.map((each) => each.delivery),
        );
        for (const { delivery } of batch)
          if (found.get(delivery.id) === 'stale') await setVerdict(tx, delivery.id, 'stale');
        for (const { hook, delivery } of batch) {
          if (
            hook.lastDeliveryAt &&
            delivery.at.getTime() - hook.lastDeliveryAt.getTime() <= 60_000
          )
            continue;
          hook.lastDeliveryAt = delivery.at;
          await markAddress(tx, hook.id, delivery.at);
          await ports.alerts.resolve(tx, ctx, hook.id, ['webhooks_malformed']);
        }
        return found;
      });
      for (const each of batch) each.done(taken.get(each.delivery.id) ?? 'repeated');
    } catch (error) {
      for (const each of batch) each.failed(error);
    }
  };

  const receive: ReceiveDelivery = async ({ key, query, raw, contentType, signature, origin }) => {
    const businessId = businessOf(key);
    const ctx = ports.contextOf(businessId);
    const { hook, organizationId, secrets } = await hookOf(ctx, key);
    const digest = hashOf(raw);
    const base: Delivery = {
      id: ports.newId('delivery'),
      webhookId: hook.id,
      at: ports.clock.now(),
      verdict: 'accepted',
      module: hook.module,
      documentId: null,
      modifiedAt: null,
      dedupeKey: null,
      digest,
      bytes: raw.length,
      origin,
    };
    const named = query.find(([name]) => name === 'org')?.[1] ?? '';
    if (!organizationId || named !== organizationId)
      return refuse(ctx, hook, { ...base, verdict: 'foreign' });
    const isSigned =
      secrets.length > 0 && ports.reader.isSigned({ query, raw, contentType, signature, secrets });
    // Where a secret is set, nothing unsigned is heard; where none is, what comes is a hint that
    // never seals by itself.
    if (secrets.length > 0 && !isSigned) return refuse(ctx, hook, { ...base, verdict: 'forged' });
    const body = ports.reader.read(raw, contentType, query);
    if (body.is === 'ping') return refuse(ctx, hook, { ...base, verdict: 'ping' });
    if (body.is === 'malformed') {
      const sentAs = contentType.split(';')[0]?.trim().slice(0, 60) || null;
      return refuse(
        ctx,
        hook,
        { ...base, verdict: 'malformed' },
        {
          field: body.field,
          sent_as: sentAs,
          ...(body.value === undefined ? {} : { value: body.value }),
        },
      );
    }
    if (body.module !== hook.module) return refuse(ctx, hook, { ...base, verdict: 'malformed' });
    const verdict: Verdict = isSigned ? 'accepted' : 'hint';
    const delivery: Delivery = {
      ...base,
      verdict,
      documentId: body.id,
      modifiedAt: body.modifiedAt,
      dedupeKey: hashOf(
        `${organizationId}\n${body.module}\n${body.id}\n${body.modifiedAt?.toISOString() ?? digest}`,
      ),
    };
    await ports.limits.ofDelivery(businessId);
    const found = await keep(ctx, hook, delivery);
    ports.touch(businessId);
    if (found === 'repeated')
      return refuse(ctx, hook, { ...delivery, dedupeKey: null, verdict: 'repeated' });
    return found === 'stale' ? 'stale' : verdict;
  };
  return {
    receive: (received) => ports.giveWay.ahead(() => receive(received)),
    async expect(key) {
      const owner = businessOf(key);
      await hookOf(ports.contextOf(owner), key);
      return { owner };
    },
  };
}
