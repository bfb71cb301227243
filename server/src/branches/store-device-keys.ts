import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { getBusiness, holdDataKey } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Vault } from '../platform/vault.ts';
import type { Initialised } from '../ports/dialect/index.ts';
import { type DeviceKeys, findKeys, keepKeys } from './device-keys.store.ts';
import { correctSetUp, hasSignedAs, keepSetUp } from './device-counter.store.ts';
import type { Device } from './device.model.ts';
import { activateDevice, lockDevice } from './device.store.ts';
import { isRenamed, isSame, placeOfKeys } from './device-keys.model.ts';
import { type Aside, asideField } from './superseded-device-keys.ts';
import { compareTaxpayer, keepDeviceTaxpayer } from './device-taxpayer.store.ts';

type Ports = { vault: Vault; record: Recorder; clock: Clock; alerts: Pick<Alerts, 'raise'> };

/** The device as it was when it was asked for its keys, and when that was. */
type Asked = { device: Device; at: Date };

/** Keys being kept: what was asked and given, and what its row holds now. */
type Keeping = {
  asked: Asked;
  given: Initialised;
  known: Device;
  kept: DeviceKeys;
  keptKeys: unknown;
  box: KeyBox;
};

/**
 * Keeps what a device gave when it was initialised, encrypted. Its keys come once, and much may
 * have happened while they were on their way. If the device was taken over by hand, what was typed
 * is kept only if something was signed by it. Keys that cannot take their place are set aside and
 * never dropped. Returns what a person has to be told. Done again after a commit whose answer was
 * lost, it changes nothing.
 */
export async function keepDeviceKeys(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  asked: Asked,
  given: Initialised,
): Promise<AppError | null> {
  const { device } = asked;
  // The key as it is now: it may have been renewed while the device was asked.
  const dataKey = await holdDataKey(tx);
  const known = await lockDevice(tx, device.id);
  if (!known || dataKey === '') throw new AppError('wrong_state', { state: known?.state });
  const box = keyBox(ports, dataKey, ctx, device.id);
  const kept = await findKeys(tx, device.id);
  const keptKeys = kept.secrets === null ? null : box.decrypt(kept.secrets);
  const keeping: Keeping = { asked, given, known, kept, keptKeys, box };
  if (keptKeys !== null && isSame(keptKeys, given.secrets)) return null;
  const isAnother = await isAnotherDevice(tx, keeping);
  const place = placeOfKeys(
    { keys: keptKeys, askedAt: kept.askedAt },
    { askedAt: asked.at, isAnother },
  );
  if (place === 'aside') return setAside(ports, tx, ctx, keeping, isAnother);
  await keepInPlace(ports, tx, ctx, keeping);
  return null;
}

/** Encrypts and decrypts the keys of one device, and those set aside of it. */
type KeyBox = {
  encrypt(keys: unknown): string;
  decrypt(encrypted: string): unknown;
  /** Adds keys to those that are set aside already, each once. */
  addAside(aside: string | null, more: Aside): string;
};

function keyBox(
  { vault }: Pick<Ports, 'vault'>,
  dataKey: string,
  { businessId }: Context,
  deviceId: string,
): KeyBox {
  const encrypt = (keys: unknown, field: string) =>
    vault.encrypt(dataKey, businessId, field, JSON.stringify(keys));
  const decrypt = (encrypted: string, field: string): unknown =>
    JSON.parse(vault.decrypt(dataKey, businessId, field, encrypted));
  const own = `device:${deviceId}`;
  const aside = asideField(deviceId);
  return {
    encrypt: (keys) => encrypt(keys, own),
    decrypt: (encrypted) => decrypt(encrypted, own),
    addAside(present, more) {
      const all = present === null ? [] : (decrypt(present, aside) as Aside[]);
      return encrypt([...all.filter((each) => !isSame(each, more)), more], aside);
    },
  };
}

/** Says whether the row is another device by now, or has signed as another one. */
async function isAnotherDevice(tx: Tx, { asked, given, known }: Keeping): Promise<boolean> {
  if (isRenamed(known, asked.device)) return true;
  return (
    known.sdcId !== null &&
    known.sdcId !== given.sdcId &&
    hasSignedAs(tx, asked.device.id, known.sdcId)
  );
}

/**
 * Sets keys aside. If they are another device's, an alert stands until a person has seen to it:
 * whoever asked may be gone by now, and the device works without them.
 */
async function setAside(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  { asked, given, known, kept, box }: Keeping,
  isAnother: boolean,
): Promise<AppError | null> {
  const { device } = asked;
  const aside = box.addAside(kept.aside, {
    serial: device.serial,
    sdc_id: given.sdcId,
    asked_at: asked.at.toISOString(),
    keys: given.secrets,
  });
  await keepKeys(tx, device.id, { ...kept, aside });
  const said = { serial: device.serial, said: given.sdcId, sdc_id: known.sdcId };
  await ports.record(tx, ctx, {
    action: 'device.keys_set_aside',
    subject: device.id,
    after: said,
  });
  if (!isAnother) return null;
  await ports.alerts.raise(tx, ctx, device.id, {
    code: 'keys_set_aside',
    branch: known.branchName,
    ...said,
  });
  return new AppError('keys_set_aside', said);
}

/** Keeps the keys and what else the device has said; the keys they replace are set aside. */
async function keepInPlace(ports: Ports, tx: Tx, ctx: Context, keeping: Keeping): Promise<void> {
  const { asked, given, known, kept, keptKeys, box } = keeping;
  const { id } = asked.device;
  if (known.sdcId === null) await keepSetUp(tx, id, given);
  else await correctSetUp(tx, known, given);
  const superseded = keptKeys !== null && {
    serial: known.serial,
    sdc_id: known.sdcId,
    asked_at: kept.askedAt?.toISOString() ?? null,
    keys: keptKeys,
  };
  await keepKeys(tx, id, {
    secrets: box.encrypt(given.secrets),
    askedAt: asked.at,
    aside: superseded ? box.addAside(kept.aside, superseded) : kept.aside,
  });
  const { taxpayerName: name, isVatRegistered } = given;
  await keepDeviceTaxpayer(tx, id, { name, isVatRegistered }, ports.clock.now());
  if (known.state === 'new' && known.succeeds === null)
    await activateDevice(tx, id, ports.clock.now());
  await compareTaxpayer(tx, await getBusiness(tx));
  await recordInitialised(ports, tx, ctx, keeping);
}

async function recordInitialised(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  { asked, given, known }: Keeping,
): Promise<void> {
  const before = {
    sdc_id: known.sdcId,
    mrc_number: known.mrcNumber,
    last_invoice_number: known.authorityLast,
  };
  await ports.record(tx, ctx, {
    action: 'device.initialised',
    subject: asked.device.id,
    ...(known.sdcId === null ? {} : { before }),
    after: {
      sdc_id: given.sdcId,
      mrc_number: given.mrcNumber,
      last_invoice_number: given.lastInvoiceNumber,
      taxpayer_name: given.taxpayerName,
      vat_registered: given.isVatRegistered,
    },
  });
}
