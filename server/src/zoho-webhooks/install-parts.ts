import { type BusinessSettings, getBusiness, updateBusinessRow } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import type { BooksAccess } from '../ports/books.ts';
import type { BooksSetup, Entity } from '../ports/books-setup.ts';
import { type InstalledPart, keepPart, listParts } from './installed-part.store.ts';
import { createWebhookAddress, type WebhookAddressPorts } from './webhook-addresses.ts';

export type InstallPorts = WebhookAddressPorts & { setup: BooksSetup };

type SealField = keyof BusinessSettings['seal_fields'];
/** The fields for the seal, by what stands in them. */
export const fields: { key: SealField; label: string; type: 'string' | 'url' }[] = [
  { key: 'receipt_number', label: 'Fiscal Receipt', type: 'string' },
  { key: 'sdc_id', label: 'Fiscal SDC ID', type: 'string' },
  { key: 'signature', label: 'Fiscal Signature', type: 'string' },
  { key: 'verification_url', label: 'Fiscal Verification', type: 'url' },
  { key: 'signed_at', label: 'Fiscal Signed At', type: 'string' },
];
/** The kinds of document that have a webhook with its rule. */
export const entities: { entity: Entity; module: 'invoices' | 'creditnotes'; name: string }[] = [
  { entity: 'invoice', module: 'invoices', name: 'Muhuri invoices' },
  { entity: 'creditnote', module: 'creditnotes', name: 'Muhuri credit notes' },
];

/** Returns what we have made in this organization. */
export const partsOf = async (ctx: Context, organizationId: string): Promise<InstalledPart[]> =>
  (await ctx.transaction(listParts)).filter((each) => each.organizationId === organizationId);

/** Remembers a part that was made, and records it. */
const keep = (ports: InstallPorts, ctx: Context, part: InstalledPart): Promise<void> =>
  ctx.transaction(async (tx) => {
    await keepPart(tx, ctx.businessId, part, ports.clock.now());
    await ports.record(tx, ctx, {
      action: 'zoho.installed',
      subject: part.name,
      after: { kind: part.kind, zoho_id: part.zohoId },
    });
  });

/** Makes the fields that are missing and has the seal written into them. */
export async function installFields(
  ports: InstallPorts,
  ctx: Context,
  access: BooksAccess,
): Promise<void> {
  const present = await ports.setup.listFields(access, 'invoice');
  const made: Partial<BusinessSettings['seal_fields']> = {};
  for (const { key, label, type } of fields) {
    // One of that label made before, by us or by a person, is used.
    const found =
      present.find((each) => each.label === label) ??
      (await ports.setup.createField(access, { entity: 'invoice', label, type }));
    made[key] = found.apiName;
    await keep(ports, ctx, {
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
}

/** Makes the webhook of a kind of document and its rule, unless they are there. */
export async function installHook(
  ports: InstallPorts,
  ctx: Context,
  access: BooksAccess,
  kind: (typeof entities)[number],
): Promise<void> {
  const { entity, name } = kind;
  const { organizationId } = access;
  const parts = await partsOf(ctx, organizationId);
  if (!parts.some((each) => each.kind === 'webhook' && each.name === name))
    await makeWebhook(ports, ctx, access, kind);
  if (parts.some((each) => each.kind === 'workflow' && each.name === name)) return;
  const webhook = (await partsOf(ctx, organizationId)).find(
    (each) => each.kind === 'webhook' && each.name === name,
  );
  const zohoId = await ports.setup.createWorkflow(access, {
    name,
    entity,
    webhookId: webhook?.zohoId ?? '',
  });
  await keep(ports, ctx, { kind: 'workflow', name, organizationId, zohoId, apiName: null });
}

async function makeWebhook(
  ports: InstallPorts,
  ctx: Context,
  access: BooksAccess,
  { entity, module, name }: (typeof entities)[number],
): Promise<void> {
  // One left by an attempt whose answer was lost has a secret nobody knows: it goes, and a new one
  // is made.
  for (const stale of (await ports.setup.listWebhooks(access)).filter((each) => each.name === name))
    await ports.setup.deleteWebhook(access, stale.id);
  const { url, secret } = await createWebhookAddress(ports)(ctx, module);
  const zohoId = await ports.setup.createWebhook(access, { name, entity, url, secret });
  const { organizationId } = access;
  await keep(ports, ctx, { kind: 'webhook', name, organizationId, zohoId, apiName: null });
}
