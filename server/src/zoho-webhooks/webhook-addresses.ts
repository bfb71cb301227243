import { randomBytes } from 'node:crypto';
import type { Recorder } from '../audit/index.ts';
import { holdDataKey, checkRoomForOneMore } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import { sha256 } from '../platform/digest.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import {
  endAddress,
  findAddress,
  type WebhookAddress,
  insertAddress,
  listAddresses,
} from './webhook-address.store.ts';

export type WebhookAddressPorts = {
  vault: Vault;
  clock: Clock;
  newId: NewId;
  record: Recorder;
  publicUrl: string;
};

/**
 * An address made just now: address and secret are shown this once and kept as a hash and sealed.
 */
export type NewWebhookAddress = { hook: WebhookAddress; url: string; secret: string };

/**
 * How long a replaced address and its secret go on beside the new ones, so that nothing on its way
 * is lost.
 */
const overlapMs = 7 * 86_400_000;

/**
 * Two are needed, and each that is renewed goes on beside the new one for a while. Every delivery
 * is compared with all of them.
 */
const hooksMost = 30;

const checkRoom = (tx: Tx, at: Date): Promise<void> =>
  checkRoomForOneMore(
    tx,
    hooksMost,
    async () => (await listAddresses(tx, at)).length,
    new AppError('malformed', {
      field: 'module',
      reason: `${hooksMost} addresses at most: remove one that is not used`,
    }),
  );

export const listWebhookAddresses = (ports: Pick<WebhookAddressPorts, 'clock'>) => (ctx: Context) =>
  ctx.transaction((tx) => listAddresses(tx, ports.clock.now()));

export const createWebhookAddress =
  (ports: WebhookAddressPorts) =>
  async (ctx: Context, module: WebhookAddress['module']): Promise<NewWebhookAddress> => {
    const key = `${ctx.businessId}.${alphanumeric(32)}`;
    const secret = alphanumeric(40);
    const id = ports.newId('zoho_webhook');
    const at = ports.clock.now();
    return ctx.transaction(async (tx) => {
      await checkRoom(tx, at);
      const dataKey = await holdDataKey(tx);
      const connection = await findConnection(tx);
      if (!connection) throw new AppError('books_not_connected');
      const hook = {
        id,
        module,
        keyPrefix: key.slice(37, 43),
        secret: ports.vault.encrypt(dataKey, ctx.businessId, `hook:${id}`, secret),
      };
      await insertAddress(tx, ctx.businessId, { ...hook, keyHash: sha256(key) }, at);
      await ports.record(tx, ctx, {
        action: 'webhook.made',
        subject: id,
        after: { module, prefix: hook.keyPrefix },
      });
      // Plain letters and digits only, so that no encoding of the query can come between two
      // signatures.
      const url = `${ports.publicUrl}/api/v1/webhooks/zoho/${key}?org=${connection.organizationId}`;
      return { hook: { ...hook, createdAt: at, endsAt: null, lastDeliveryAt: null }, url, secret };
    });
  };

/** A new address beside the old one, which ends a week later: time to paste the new one at Zoho. */
export const rotateWebhookAddress =
  (ports: WebhookAddressPorts) =>
  async (ctx: Context, id: string): Promise<NewWebhookAddress> => {
    const at = ports.clock.now();
    const old = await ctx.transaction(async (tx) => {
      // The business's row before the address's, as the rotation of the keys takes them.
      await checkRoom(tx, at);
      const found = await findAddress(tx, id, at);
      if (!found) throw new AppError('not_found');
      await endAddress(tx, id, new Date(at.getTime() + overlapMs));
      await ports.record(tx, ctx, { action: 'webhook.rotated', subject: id });
      return found;
    });
    return createWebhookAddress(ports)(ctx, old.module);
  };

export const removeWebhookAddress =
  (ports: Pick<WebhookAddressPorts, 'clock' | 'record'>) =>
  async (ctx: Context, id: string): Promise<void> =>
    ctx.transaction(async (tx) => {
      const at = ports.clock.now();
      if (!(await findAddress(tx, id, at))) throw new AppError('not_found');
      await endAddress(tx, id, at);
      await ports.record(tx, ctx, { action: 'webhook.removed', subject: id });
    });

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * Zoho takes letters and digits only. Bytes beyond the last whole multiple are thrown away, so that
 * every letter is as likely.
 */
function alphanumeric(length: number): string {
  let made = '';
  while (made.length < length)
    for (const byte of randomBytes(length))
      if (byte < 248 && made.length < length) made += letters[byte % 62];
  return made;
}
