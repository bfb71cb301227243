import { type BusinessSettings, getBusiness, updateBusinessRow } from '../businesses/index.ts';
import { findConnection } from '../connections/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { BooksAccess } from '../ports/books.ts';
import type { BooksSetup, Entity } from '../ports/books-setup.ts';
import { endEveryAddress } from './webhook-address.store.ts';
import { type WebhookAddressPorts, createWebhookAddress } from './webhook-addresses.ts';
import { dropPart, keepPart, listParts, type InstalledPart } from './installed-part.store.ts';

type Ports = WebhookAddressPorts & { setup: BooksSetup };

/** One thing that is or would be made in Zoho. */
export type PlannedPart = {
  kind: InstalledPart['kind'];
  name: string;
  entity: Entity;
  isThere: boolean;
};

type SealField = keyof BusinessSettings['seal_fields'];
const fields: { key: SealField; label: string; type: 'string' | 'url' }[] = [
  { key: 'receipt_number', label: 'Fiscal Receipt', type: 'string' },
  { key: 'sdc_id', label: 'Fiscal SDC ID', type: 'string' },
  { key: 'signature', label: 'Fiscal Signature', type: 'string' },
  { key: 'verification_url', label: 'Fiscal Verification', type: 'url' },
  { key: 'signed_at', label: 'Fiscal Signed At', type: 'string' },
];
const entities: { entity: Entity; module: 'invoices' | 'creditnotes'; name: string }[] = [
  { entity: 'invoice', module: 'invoices', name: 'Muhuri invoices' },
  { entity: 'creditnote', module: 'creditnotes', name: 'Muhuri credit notes' },
];

/**
 * Sets up in a private installation what a person would else click together in Zoho: the fields for
 * the seal, and for each kind of document a webhook with its rule. Shown before it is done; what is
 * there is not made twice; it goes again on disconnect. Fields stay, because the seals of sealed
 * documents stand in them.
 */
export const installation = (ports: Ports) => {
  const accessOf = async (ctx: Context): Promise<BooksAccess> => {
    const connection = await ctx.transaction(findConnection);
    if (!connection) throw new AppError('books_not_connected');
    return {
      businessId: ctx.businessId,
      organizationId: connection.organizationId,
      grantId: connection.grantId,
      purpose: 'sync',
    };
  };
  const keep = (ctx: Context, part: InstalledPart) =>
    ctx.transaction(async (tx) => {
      await keepPart(tx, ctx.businessId, part, ports.clock.now());
      await ports.record(tx, ctx, {
        action: 'zoho.installed',
        subject: part.name,
        after: { kind: part.kind, zoho_id: part.zohoId },
      });
    });
  const partsOf = async (ctx: Context, organizationId: string) =>
    (await ctx.transaction(listParts)).filter((each) => each.organizationId === organizationId);

  const installFields = async (ctx: Context, access: BooksAccess): Promise<void> => {
    const present = await ports.setup.listFields(access, 'invoice');
    const made: Partial<BusinessSettings['seal_fields']> = {};
    for (const { key, label, type } of fields) {
      // One of that label made before, by us or by a person, is used.
      const found =
        present.find((each) => each.label === label) ??
        (await ports.setup.createField(access, { entity: 'invoice', label, type }));
      made[key] = found.apiName;
      await keep(ctx, {
        kind: 'field',
        name: label,
        organizationId: access.organizationId,
        zohoId: found.id,
        apiName: found.apiName,
      });
    }
    await ctx.transaction(async (tx) => {
      const business = await getBusiness(tx, true);
      const seal_fields = { ...business.settings.seal_fields, ...made };
      // Whoever has the fields made wants the seal in them.
      await updateBusinessRow(
        tx,
        { ...business, settings: { ...business.settings, seal_fields, write_back: true } },
        ports.clock.now(),
      );
    });
  };

  const installHook = async (
    ctx: Context,
    access: BooksAccess,
    { entity, module, name }: (typeof entities)[number],
  ): Promise<void> => {
    const parts = await partsOf(ctx, access.organizationId);
    if (!parts.some((each) => each.kind === 'webhook' && each.name === name)) {
      // One left by an attempt whose answer was lost has a secret nobody knows: it goes, and a new
      // one is made.
      for (const stale of (await ports.setup.listWebhooks(access)).filter(
        (each) => each.name === name,
      ))
        await ports.setup.deleteWebhook(access, stale.id);
      const { url, secret } = await createWebhookAddress(ports)(ctx, module);
      const zohoId = await ports.setup.createWebhook(access, { name, entity, url, secret });
      await keep(ctx, {
        kind: 'webhook',
        name,
        organizationId: access.organizationId,
        zohoId,
        apiName: null,
      });
    }
    if (parts.some((each) => each.kind === 'workflow' && each.name === name)) return;
    const webhook = (await partsOf(ctx, access.organizationId)).find(
      (each) => each.kind === 'webhook' && each.name === name,
    );
    const zohoId = await ports.setup.createWorkflow(access, {
      name,
      entity,
      webhookId: webhook?.zohoId ?? '',
    });
    await keep(ctx, {
      kind: 'workflow',
      name,
      organizationId: access.organizationId,
      zohoId,
      apiName: null,
    });
  };

  return {
    async plan(ctx: Context): Promise<PlannedPart[]> {
      const { organizationId } = await accessOf(ctx);
      const parts = await partsOf(ctx, organizationId);
      const isThere = (kind: InstalledPart['kind'], name: string) =>
        parts.some((each) => each.kind === kind && each.name === name);
      return [
        ...fields.map(({ label }) => ({
          kind: 'field' as const,
          name: label,
          entity: 'invoice' as const,
          isThere: isThere('field', label),
        })),
        ...entities.flatMap(({ entity, name }) =>
          (['webhook', 'workflow'] as const).map((kind) => ({
            kind,
            name,
            entity,
            isThere: isThere(kind, name),
          })),
        ),
      ];
    },
    async install(ctx: Context): Promise<void> {
      const access = await accessOf(ctx);
      const parts = await partsOf(ctx, access.organizationId);
      if (
        fields.some(
          ({ label }) => !parts.some((each) => each.kind === 'field' && each.name === label),
        )
      )
        await installFields(ctx, access);
      for (const each of entities) await installHook(ctx, access, each);
    },
    /** Rules first: a webhook that a rule uses cannot go. */
    async uninstall(ctx: Context): Promise<void> {
      const access = await accessOf(ctx);
      const parts = await partsOf(ctx, access.organizationId);
      for (const kind of ['workflow', 'webhook'] as const)
        for (const part of parts.filter((each) => each.kind === kind)) {
          await (kind === 'workflow'
            ? ports.setup.deleteWorkflow(access, part.zohoId)
            : ports.setup.deleteWebhook(access, part.zohoId));
          await ctx.transaction(async (tx) => {
            await dropPart(tx, kind, part.name);
            await ports.record(tx, ctx, {
              action: 'zoho.uninstalled',
              subject: part.name,
              before: { kind, zoho_id: part.zohoId },
            });
          });
        }
      await ctx.transaction((tx) => endEveryAddress(tx, ports.clock.now()));
    },
  };
};
