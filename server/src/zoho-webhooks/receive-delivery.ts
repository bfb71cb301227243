import type { Alerts } from '../alerts/index.ts';
import type { Context } from '../context.ts';
import type { Clock } from '../platform/clock.ts';
import { sha256 } from '../platform/digest.ts';
import type { PriorityGate } from '../platform/priority-gate.ts';
import type { Log } from '../platform/log.ts';
import type { NewId } from '../platform/new-id.ts';
import type { Vault } from '../platform/vault.ts';
import type { BooksWebhookBody, BooksWebhookReader } from '../ports/books-webhooks.ts';
import { deliveryBatches, type KeepDelivery } from './delivery-batches.ts';
import type { Delivery, Verdict } from './delivery.store.ts';
import { businessOf, type KnownAddress, knownAddresses } from './known-addresses.ts';
import { type RefuseDelivery, refusedDeliveries, type UnreadPart } from './refused-deliveries.ts';

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

/** What the steps share: where an address is known from, and what keeps or refuses a delivery. */
type Steps = {
  known: ReturnType<typeof knownAddresses>;
  keep: KeepDelivery;
  refuse: RefuseDelivery;
};

/**
 * Takes a webhook: proves the address, the organization and the signature, keeps it under its
 * dedupe key and answers at once. Nothing in the body is believed: it only says which document to
 * read again from Zoho.
 */
export function receiveDelivery(ports: Ports): {
  receive: ReceiveDelivery;
  expect: ExpectDelivery;
} {
  const steps: Steps = {
    known: knownAddresses(ports),
    keep: deliveryBatches(ports),
    refuse: refusedDeliveries(ports),
  };
  return {
    receive: (received) => ports.giveWay.ahead(() => receive(ports, steps, received)),
    async expect(key) {
      const owner = businessOf(key);
      await steps.known(ports.contextOf(owner), key);
      return { owner };
    },
  };
}

async function receive(ports: Ports, steps: Steps, received: Received): Promise<Verdict> {
  const businessId = businessOf(received.key);
  const ctx = ports.contextOf(businessId);
  const address = await steps.known(ctx, received.key);
  const { hook } = address;
  const base: Delivery = {
    id: ports.newId('delivery'),
    webhookId: hook.id,
    at: ports.clock.now(),
    verdict: 'accepted',
    module: hook.module,
    documentId: null,
    modifiedAt: null,
    dedupeKey: null,
    digest: sha256(received.raw),
    bytes: received.raw.length,
    origin: received.origin,
  };
  const judged = judge(ports.reader, address, received);
  if ('refused' in judged)
    return steps.refuse(ctx, hook, { ...base, verdict: judged.refused }, judged.unread);
  const delivery = deliveryOf(base, judged);
  await ports.limits.ofDelivery(businessId);
  const found = await steps.keep(ctx, hook, delivery);
  ports.touch(businessId);
  if (found === 'repeated')
    return steps.refuse(ctx, hook, { ...delivery, dedupeKey: null, verdict: 'repeated' });
  return found === 'stale' ? 'stale' : delivery.verdict;
}

type Document = Extract<BooksWebhookBody, { is: 'document' }>;
type Judged =
  | { refused: Verdict; unread?: UnreadPart }
  | { organizationId: string; document: Document; isSigned: boolean };

/** Decides what a delivery is worth. Its body is read only once its sender is believed. */
export function judge(
  reader: BooksWebhookReader,
  {
    hook,
    organizationId,
    secrets,
  }: Pick<KnownAddress, 'organizationId' | 'secrets'> & {
    hook: Pick<KnownAddress['hook'], 'module'>;
  },
  { query, raw, contentType, signature }: Omit<Received, 'key' | 'origin'>,
): Judged {
  const named = query.find(([name]) => name === 'org')?.[1] ?? '';
  if (!organizationId || named !== organizationId) return { refused: 'foreign' };
  const isSigned =
    secrets.length > 0 && reader.isSigned({ query, raw, contentType, signature, secrets });
  // Where a secret is set, nothing unsigned is heard; where none is, what comes is a hint that
  // never seals by itself.
  if (secrets.length > 0 && !isSigned) return { refused: 'forged' };
  const body = reader.read(raw, contentType, query);
  if (body.is === 'ping') return { refused: 'ping' };
  if (body.is === 'malformed') return { refused: 'malformed', unread: unreadOf(body, contentType) };
  if (body.module !== hook.module) return { refused: 'malformed' };
  return { organizationId, document: body, isSigned };
}

function unreadOf(
  { field, value }: Extract<BooksWebhookBody, { is: 'malformed' }>,
  contentType: string,
): UnreadPart {
  const sentAs = contentType.split(';')[0]?.trim().slice(0, 60) || null;
  return { field, sent_as: sentAs, ...(value === undefined ? {} : { value }) };
}

/** Returns the delivery as it is kept: two of one change of a document have the same key. */
function deliveryOf(
  base: Delivery,
  { organizationId, document, isSigned }: Extract<Judged, { document: Document }>,
): Delivery {
  const { module, id, modifiedAt } = document;
  const change = modifiedAt?.toISOString() ?? base.digest;
  return {
    ...base,
    verdict: isSigned ? 'accepted' : 'hint',
    documentId: id,
    modifiedAt,
    dedupeKey: sha256(`${organizationId}\n${module}\n${id}\n${change}`),
  };
}
