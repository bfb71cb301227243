import { type Device, findDevice, findDeviceOfBranch } from '../../branches/index.ts';
import { knownItemClasses, placeSince, readLists } from '../../catalogue/index.ts';
import type { Context } from '../../context.ts';
import type { Tx } from '../../platform/db/database.ts';
import { keepBooksOf } from '../receipt/document-organization.store.ts';
import { findElsewhere, findLeft } from '../receipt/sealed-elsewhere.store.ts';
import { latestSealedRate, listOfNumber } from '../receipt/find-sales.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import { isRehearsed } from '../receipt/receipt.store.ts';
import { numbersMost } from './check-duplicate-number.ts';
import type { ReadDocument } from './read-document.ts';

/** What we know of a document beside what the books say of it, and where it would be signed. */
export type DocumentContext = Awaited<ReturnType<typeof readAround>>;

/** Reads what stands around a document; writes whose books it is of. */
export const readAround = (
  ctx: Context,
  { document, mappings, source }: ReadDocument,
  saleReceipt: Receipt | null,
  branchId: string | null,
) =>
  ctx.transaction(async (tx) => {
    const device = await findSigningDevice(tx, saleReceipt, branchId);
    const key = { module: document.module, documentId: document.id };
    await keepBooksOf(tx, key, source.organizationId);
    const mapped = [...Object.values(mappings.item), ...Object.values(mappings.charge)].flatMap(
      (value) => value.item_class ?? [],
    );
    return {
      device,
      wasRehearsed: await isRehearsed(tx, key.module, key.documentId),
      elsewhere: await findElsewhere(tx, key),
      /** Other documents of its number that are sealed, or may be. */
      others: device
        ? await listOfNumber(tx, {
            ...key,
            number: document.number,
            environment: device.environment,
            most: numbersMost + 1,
          })
        : [],
      left: await findLeft(tx, key),
      mappedSince: await placeSince(tx, document.locationId ?? 'none'),
      lists: device ? await readLists(tx, device.id) : {},
      itemClasses: device ? await knownItemClasses(tx, device.id, mapped) : null,
      sealedRate:
        document.currency === document.baseCurrency
          ? null
          : await latestSealedRate(tx, document.currency, device?.environment ?? null),
    };
  });

/**
 * A refund goes to the device of its sale, and if that is retired, to the one that took its place.
 */
async function findSigningDevice(
  tx: Tx,
  saleReceipt: Receipt | null,
  branchId: string | null,
): Promise<Device | null> {
  const ofSale =
    saleReceipt && !saleReceipt.isDeviceRetired ? await findDevice(tx, saleReceipt.deviceId) : null;
  return ofSale ?? (branchId ? findDeviceOfBranch(tx, branchId) : null);
}
