import { LRUCache } from 'lru-cache';
import { holdDataKey } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import { sha256 } from '../platform/digest.ts';
import type { Vault } from '../platform/vault.ts';
import { findAddressByKey, listAddresses, type WebhookAddress } from './webhook-address.store.ts';

type Ports = { vault: Vault; clock: Clock };

/** An address that deliveries come to, with what they are proved by. */
export type KnownAddress = {
  hook: WebhookAddress;
  organizationId: string | null;
  secrets: string[];
};

/**
 * How long an address is known without a question, so that a burst of deliveries asks for it once.
 * A rotation or an end takes effect within that time.
 */
const knownMs = 5_000;
export const knownMax = 10_000;

/**
 * Returns the business that a key names, so that the key is looked for among that business's own. A
 * key of another form is nobody's: this throws `not_found` and asks no database.
 */
export function businessOf(key: string): string {
  const businessId = /^(biz_[0-9a-f]{32})\.[A-Za-z0-9]{32}$/.exec(key)?.[1];
  if (!businessId) throw new AppError('not_found');
  return businessId;
}

/** Returns what finds an address by its key, and remembers it for a moment. */
export function knownAddresses(ports: Ports): (ctx: Context, key: string) => Promise<KnownAddress> {
  const known = new LRUCache<string, KnownAddress & { until: number }>({ max: knownMax });
  return async (ctx, key) => {
    const keyHash = sha256(key);
    const now = ports.clock.now();
    const have = known.get(keyHash);
    if (have && have.until > now.getTime()) return have;
    const found = await ctx.transaction((tx) => readAddress(ports.vault, tx, ctx, keyHash, now));
    if (!found) throw new AppError('not_found');
    known.set(keyHash, { ...found, until: now.getTime() + knownMs });
    return found;
  };
}

async function readAddress(
  vault: Vault,
  tx: Tx,
  ctx: Context,
  keyHash: string,
  now: Date,
): Promise<KnownAddress | null> {
  const hook = await findAddressByKey(tx, keyHash, now);
  if (!hook) return null;
  const dataKey = await holdDataKey(tx);
  // A business that is closed has no key any more, and is not there for anybody.
  if (dataKey === '') return null;
  const hooks = (await listAddresses(tx, now)).filter(
    (each) => each.module === hook.module && each.secret !== null,
  );
  const secrets = hooks.map((each) =>
    vault.decrypt(dataKey, ctx.businessId, `hook:${each.id}`, each.secret as string),
  );
  return { hook, organizationId: (await findConnection(tx))?.organizationId ?? null, secrets };
}
