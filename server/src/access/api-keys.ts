import { type Permission, scopes as known } from '@muhuri/shared/permissions';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { checkRoomForOneMore } from '../businesses/index.ts';
import type { Context, Session } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Database } from '../platform/db/database.ts';
import type { NewId } from '../platform/new-id.ts';
import { ApiKeyEntity } from './api-key.entity.ts';
import { mustLead } from './membership.store.ts';
import { whilePersonIsActive } from './person.store.ts';
import { hashOf, newSecret, readCredential } from './credential.ts';

export type BusinessEntry =
  NonNullable<Session['business']> extends infer B ? Omit<B & object, 'membership'> : never;
export type ReadKey = (token: string) => Promise<Session>;

const usedEveryMs = 60_000;

/**
 * Returns whom an API key speaks for. Its text names its business, so that it opens that door and no
 * other.
 */
export const readKey =
  (ports: {
    database: Database;
    clock: Clock;
    /** Returns the key's business, and whether the operator has blocked the person who made it. */
    standingOf(
      businessId: string,
      makerId: string,
    ): Promise<{ business: BusinessEntry | null; isMakerBlocked: boolean }>;
  }): ReadKey =>
  async (token) => {
    const credential = readCredential(token, 'key');
    if (!credential) throw new AppError('not_signed_in');
    const { businessId, hash } = credential;
    const now = ports.clock.now();
    const key = await ports.database.transaction(businessId, async (tx) => {
      const found = await tx.findOne(ApiKeyEntity, { secretHash: hash });
      if (!found || found.revokedAt || (found.expiresAt && found.expiresAt <= now)) return null;
      // Once a minute is enough for *last used*, and spares a write per call.
      if (!found.lastUsedAt || now.getTime() - found.lastUsedAt.getTime() > usedEveryMs)
        found.lastUsedAt = now;
      return found;
    });
    if (!key) throw new AppError('not_signed_in');
    const { business, isMakerBlocked } = await ports.standingOf(businessId, key.createdBy);
    if (!business || business.status === 'closed') throw new AppError('not_signed_in');
    // Checked at every call and not stored with the key, so that a key made a moment before the
    // person was blocked is suspended too.
    if (isMakerBlocked) throw new AppError('key_suspended', { name: key.name });
    const scopes = key.scopes.filter((each): each is Permission =>
      (known as readonly string[]).includes(each),
    );
    return {
      id: key.id,
      person: { id: key.id, username: key.prefix, name: key.name, email: '' },
      isOperator: false,
      expiresAt: key.expiresAt ?? new Date(now.getTime() + 86_400_000),
      verifiedAt: null,
      hasSecondFactor: false,
      awaitsSecondFactor: false,
      lineage: key.id,
      business: {
        ...business,
        membership: { id: key.id, businessId, role: 'business_user', permissions: [] },
      },
      zohoUserId: null,
      apiKey: { id: key.id, name: key.name, scopes },
    };
  };

type Ports = { clock: Clock; newId: NewId; record: Recorder; alerts: Pick<Alerts, 'resolve'> };

/** How many may be in force at once, and how many of the others, the newest, are shown. */
const keysMost = 100;
const endedShown = 100;
export const isInForce = (now: Date) => ({
  revokedAt: null,
  $or: [{ expiresAt: null }, { expiresAt: { $gt: now } }],
});

/**
 * Lists every key in force and the newest of the others. A key that no list shows could be used by
 * its maker and revoked by nobody.
 */
export const listKeys =
  (ports: Pick<Ports, 'clock'>) =>
  (ctx: Context): Promise<ApiKeyEntity[]> =>
    ctx.transaction(async (tx) => {
      const now = ports.clock.now();
      const newest = { orderBy: { createdAt: 'desc', id: 'desc' } } as const;
      const alive = await tx.find(ApiKeyEntity, isInForce(now), newest);
      const ended = await tx.find(
        ApiKeyEntity,
        { $or: [{ revokedAt: { $ne: null } }, { expiresAt: { $lte: now } }] },
        { ...newest, limit: endedShown },
      );
      return [...alive, ...ended];
    });

/** Makes a key. The key itself leaves the server once, here. */
export const createKey =
  (ports: Omit<Ports, 'alerts'>) =>
  (
    ctx: Context,
    ask: { name: string; scopes: string[]; expires_at?: string | undefined },
  ): Promise<{ key: string; entry: ApiKeyEntity }> =>
    whilePersonIsActive(ctx, async (tx) => {
      const at = ports.clock.now();
      const expiresAt = ask.expires_at ? new Date(ask.expires_at) : null;
      if (expiresAt && expiresAt <= at)
        throw new AppError('malformed', { field: 'expires_at', reason: 'must lie in the future' });
      const full = new AppError('malformed', {
        field: 'name',
        reason: `${keysMost} keys in force at most: revoke one that is not used`,
      });
      await checkRoomForOneMore(tx, keysMost, () => tx.count(ApiKeyEntity, isInForce(at)), full);
      await mustLead(tx, ctx);
      const secret = newSecret();
      const entry = tx.create(ApiKeyEntity, {
        businessId: ctx.businessId,
        id: ports.newId('api_key'),
        name: ask.name,
        prefix: `key.${secret.slice(0, 6)}`,
        secretHash: hashOf(secret),
        scopes: [...new Set(ask.scopes)],
        createdBy: ctx.actor.id,
        createdAt: at,
        expiresAt,
        lastUsedAt: null,
        revokedAt: null,
      });
      await tx.flush();
      await ports.record(tx, ctx, {
        action: 'api_key.created',
        subject: entry.id,
        after: { name: entry.name, prefix: entry.prefix, scopes: entry.scopes },
      });
      return { key: `key.${ctx.businessId}.${secret}`, entry };
    });

export const revokeKey =
  (ports: Pick<Ports, 'clock' | 'record' | 'alerts'>) =>
  (ctx: Context, id: string): Promise<ApiKeyEntity> =>
    ctx.transaction(async (tx) => {
      const key = await tx.findOne(ApiKeyEntity, { id });
      if (!key) throw new AppError('not_found');
      if (key.revokedAt) throw new AppError('wrong_state', { state: 'revoked' });
      key.revokedAt = ports.clock.now();
      await tx.flush();
      await ports.record(tx, ctx, {
        action: 'api_key.revoked',
        subject: id,
        before: { name: key.name, prefix: key.prefix },
      });
      await ports.alerts.resolve(tx, ctx, id, ['key_of_departed', 'key_suspended']);
      return key;
    });
