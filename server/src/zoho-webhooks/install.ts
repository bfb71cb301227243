import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { BooksAccess } from '../ports/books.ts';
import type { Entity } from '../ports/books-setup.ts';
import {
  entities,
  fields,
  installFields,
  installHook,
  type InstallPorts,
  partsOf,
} from './install-parts.ts';
import { dropPart, type InstalledPart } from './installed-part.store.ts';
import { endEveryAddress } from './webhook-address.store.ts';

/** One thing that is or would be made in Zoho. */
export type PlannedPart = {
  kind: InstalledPart['kind'];
  name: string;
  entity: Entity;
  isThere: boolean;
};

/**
 * Sets up in a private installation what a person would else click together in Zoho: the fields for
 * the seal, and for each kind of document a webhook with its rule. Shown before it is done; what is
 * there is not made twice; it goes again on disconnect. Fields stay, because the seals of sealed
 * documents stand in them.
 */
export const installation = (ports: InstallPorts) => ({
  plan,
  async install(ctx: Context): Promise<void> {
    const access = await accessOf(ctx);
    const parts = await partsOf(ctx, access.organizationId);
    if (fields.some(({ label }) => !isAmong(parts, 'field', label)))
      await installFields(ports, ctx, access);
    for (const each of entities) await installHook(ports, ctx, access, each);
  },
  /** Rules first: a webhook that a rule uses cannot go. */
  async uninstall(ctx: Context): Promise<void> {
    const access = await accessOf(ctx);
    const parts = await partsOf(ctx, access.organizationId);
    for (const kind of ['workflow', 'webhook'] as const)
      for (const part of parts.filter((each) => each.kind === kind))
        await removePart(ports, ctx, access, { ...part, kind });
    await ctx.transaction((tx) => endEveryAddress(tx, ports.clock.now()));
  },
});

/** Lists what is or would be made. */
async function plan(ctx: Context): Promise<PlannedPart[]> {
  const { organizationId } = await accessOf(ctx);
  const parts = await partsOf(ctx, organizationId);
  const planned = (kind: InstalledPart['kind'], name: string, entity: Entity): PlannedPart => ({
    kind,
    name,
    entity,
    isThere: isAmong(parts, kind, name),
  });
  return [
    ...fields.map(({ label }) => planned('field', label, 'invoice')),
    ...entities.flatMap(({ entity, name }) =>
      (['webhook', 'workflow'] as const).map((kind) => planned(kind, name, entity)),
    ),
  ];
}

const isAmong = (parts: InstalledPart[], kind: InstalledPart['kind'], name: string): boolean =>
  parts.some((each) => each.kind === kind && each.name === name);

/** Removes a webhook or its rule from Zoho, then here, and records it. */
async function removePart(
  ports: InstallPorts,
  ctx: Context,
  access: BooksAccess,
  { kind, name, zohoId }: InstalledPart & { kind: 'workflow' | 'webhook' },
): Promise<void> {
  await (kind === 'workflow'
    ? ports.setup.deleteWorkflow(access, zohoId)
    : ports.setup.deleteWebhook(access, zohoId));
  await ctx.transaction(async (tx) => {
    await dropPart(tx, kind, name);
    await ports.record(tx, ctx, {
      action: 'zoho.uninstalled',
      subject: name,
      before: { kind, zoho_id: zohoId },
    });
  });
}

async function accessOf(ctx: Context): Promise<BooksAccess> {
  const connection = await ctx.transaction(findConnection);
  if (!connection) throw new AppError('books_not_connected');
  return {
    businessId: ctx.businessId,
    organizationId: connection.organizationId,
    grantId: connection.grantId,
    purpose: 'sync',
  };
}
