import { type MappingKind, mappingKinds } from '@muhuri/shared/contract/mappings.contract';
import type { Recorder } from '../audit/index.ts';
import { listBranches } from '../branches/index.ts';
import { holdBusiness, checkRoomForOneMore } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { knownItemClasses, listItemClasses, readLists } from './code-list.store.ts';
import { countMappings, type Mapping, putMapping, readMappings } from './mapping.store.ts';

type Mappings = {
  mappings: Mapping[];
  choices: Record<string, { code: string; name: string }[]>;
  next_cursor: null;
};
export type GetMappings = (ctx: Context, kind: string) => Promise<Mappings>;

const itemClassesShown = 500;

/** The mappings of one kind with what they may choose from. */
export const getMappings: GetMappings = async (ctx, kind) => {
  const known = kindOf(kind);
  return ctx.transaction(async (tx) => {
    const mappings = Object.entries((await readMappings(tx))[known]).map(([key, value]) => ({
      key,
      value,
    }));
    const branches = await listBranches(tx);
    const device = branches.find((branch) => branch.device)?.device;
    const lists = device ? await readLists(tx, device.id) : {};
    const classes =
      device && (known === 'item' || known === 'charge')
        ? await listItemClasses(tx, device.id, itemClassesShown)
        : [];
    const named = (list: string) => (lists[list] ?? []).map(({ code, name }) => ({ code, name }));
    const item = {
      item_class: classes,
      item_type: named('item_type'),
      package_unit: named('package_unit'),
      quantity_unit: named('quantity_unit'),
      origin: named('origin'),
      tax_class: named('tax_class'),
    };
    const choices = {
      tax: { tax_class: named('tax_class') },
      item,
      charge: item,
      location: {
        branch_id: branches.map((branch) => ({
          code: branch.id,
          name: `${branch.code} ${branch.name}`,
        })),
      },
      payment_mode: { payment_method: named('payment_method') },
    }[known];
    return { mappings, choices, next_cursor: null };
  });
};

/** All of them are read with every document that is sealed, and answered whole. */
const mappingsMost = 20_000;

export type PutMappings = (
  ctx: Context,
  kind: string,
  mappings: { key: string; value: Record<string, unknown> }[],
) => Promise<Mappings>;

/**
 * Sets mappings; each value is checked against the shape of its kind and the authority's lists
 * before any is stored.
 */
export const putMappings =
  (ports: { record: Recorder; clock: Clock }): PutMappings =>
  async (ctx, kind, mappings) => {
    const known = kindOf(kind);
    const checked = mappings.map((mapping, index): Mapping => {
      const parsed = mappingKinds[known].safeParse(mapping.value);
      if (!parsed.success)
        throw new AppError('malformed', {
          field: `mappings.${index}.value.${parsed.error.issues[0]?.path.join('.') ?? ''}`,
          reason: parsed.error.issues[0]?.message,
        });
      return { key: mapping.key, value: parsed.data as Record<string, string> };
    });
    const choices = (await getMappings(ctx, known)).choices;
    await ctx.transaction(async (tx) => {
      await holdBusiness(tx);
      const device = (await listBranches(tx)).find((branch) => branch.device)?.device;
      const classes = device
        ? await knownItemClasses(
            tx,
            device.id,
            checked.flatMap((each) => each.value.item_class ?? []),
          )
        : null;
      const before = (await readMappings(tx))[known];
      const fresh = new Set(checked.filter(({ key }) => !before[key]).map(({ key }) => key)).size;
      const full = new AppError('malformed', {
        field: 'mappings',
        reason: `${mappingsMost} at most: map by \`default\` what has none of its own`,
      });
      if (fresh > 0)
        await checkRoomForOneMore(tx, mappingsMost - fresh + 1, () => countMappings(tx), full);
      for (const [index, { key, value }] of checked.entries()) {
        for (const [field, code] of Object.entries(value)) {
          const list = choices[field];
          const isKnown =
            field === 'item_class'
              ? (classes?.has(code) ?? true)
              : !list || list.length === 0 || list.some((each) => each.code === code);
          if (!isKnown)
            throw new AppError('code_unknown', {
              field: `mappings.${index}.value.${field}`,
              unknown: code,
              list: field,
            });
        }
        await putMapping(tx, ctx.businessId, known, { key, value }, ports.clock.now());
        await ports.record(tx, ctx, {
          action: 'mapping.set',
          subject: `${known}:${key}`,
          before: before[key] ?? null,
          after: value,
        });
      }
    });
    return getMappings(ctx, known);
  };

function kindOf(kind: string): MappingKind {
  if (!Object.hasOwn(mappingKinds, kind)) throw new AppError('not_found');
  return kind as MappingKind;
}
