import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { getBusiness, holdDataKey } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Vault } from '../platform/vault.ts';
import type { Initialised } from '../ports/dialect/index.ts';
import type { Device } from './device.model.ts';
import {
  activateDevice,
  correctSetUp,
  findKeys,
  hasSignedAs,
  keepKeys,
  keepSetUp,
  listAside,
  lockDevice,
} from './device.store.ts';
import { compareTaxpayer, keepDeviceTaxpayer } from './taxpayer.store.ts';

type Ports = { vault: Vault; record: Recorder; clock: Clock; alerts: Pick<Alerts, 'raise'> };

type Aside = { serial: string; sdc_id: string | null; asked_at: string | null; keys: unknown };
/** What is shown of keys that are set aside: which they are, never the keys. */
export type ShownAside = Omit<Aside, 'keys'>;

/** What is set aside of each device that has any. */
export async function readAside(
  { vault }: { vault: Vault },
  tx: Tx,
  ctx: Context,
): Promise<Map<string, ShownAside[]>> {
  if ((await listAside(tx)).length === 0) return new Map();
  // Key and keys of one moment: a rotation renews both.
  const dataKey = await holdDataKey(tx);
  const shown = (deviceId: string, sealed: string) =>
    (
      JSON.parse(vault.decrypt(dataKey, ctx.businessId, asideField(deviceId), sealed)) as Aside[]
    ).map(({ serial, sdc_id, asked_at }) => ({
      serial,
      sdc_id,
      asked_at,
    }));
  return new Map(
    (await listAside(tx)).map(({ deviceId, aside }) => [deviceId, shown(deviceId, aside)]),
  );
}

const asideField = (deviceId: string) => `device:${deviceId}:aside`;

/**
 * Keeps what a device said when it was initialised, sealed. Its keys come once, and much may have
 * happened while they were on their way: taken over by hand, it keeps what was typed only where
 * something was signed so; asked twice, the keys of the later question hold. Keys that cannot take
 * their place are set aside and never dropped. Answers what a person has to be told. Done again
 * after a commit whose answer was lost, it changes nothing.
 */
export async function keepDeviceKeys(
  ports: Ports,
  tx: Tx,
  ctx: Context,
  asked: { device: Device; at: Date },
  { sdcId, mrcNumber, lastInvoiceNumber, secrets, taxpayerName, isVatRegistered }: Initialised,
): Promise<AppError | null> {
  const { device } = asked;
  // The key as it is now: it may have been renewed while the device was asked.
  const dataKey = await holdDataKey(tx);
  const known = await lockDevice(tx, device.id);
  if (!known || dataKey === '') throw new AppError('wrong_state', { state: known?.state });
  const field = `device:${device.id}`;
  const seal = (what: unknown, name = field) =>
    ports.vault.encrypt(dataKey, ctx.businessId, name, JSON.stringify(what));
  const open = (sealed: string, name = field): unknown =>
    JSON.parse(ports.vault.decrypt(dataKey, ctx.businessId, name, sealed));
  const kept = await findKeys(tx, device.id);
  const keptKeys = kept.secrets === null ? null : open(kept.secrets);
  if (keptKeys !== null && isSame(keptKeys, secrets)) return null;
  const withAside = (more: Aside): string => {
    const all = kept.aside === null ? [] : (open(kept.aside, asideField(device.id)) as Aside[]);
    return seal([...all.filter((each) => !isSame(each, more)), more], asideField(device.id));
  };

  const isAnother =
    known.serial !== device.serial ||
    known.environment !== device.environment ||
    known.dialect !== device.dialect ||
    (known.sdcId !== null &&
      known.sdcId !== sdcId &&
      (await hasSignedAs(tx, device.id, known.sdcId)));
  if (isAnother || (keptKeys !== null && kept.askedAt !== null && kept.askedAt > asked.at)) {
    const own = {
      serial: device.serial,
      sdc_id: sdcId,
      asked_at: asked.at.toISOString(),
      keys: secrets,
    };
    await keepKeys(tx, device.id, { ...kept, aside: withAside(own) });
    const said = { serial: device.serial, said: sdcId, sdc_id: known.sdcId };
    await ports.record(tx, ctx, {
      action: 'device.keys_set_aside',
      subject: device.id,
      after: said,
    });
    if (!isAnother) return null;
    // Whoever asked may be gone by now, and the device works without them: they are told of until a
    // person has seen to it.
    await ports.alerts.raise(tx, ctx, device.id, {
      code: 'keys_set_aside',
      branch: known.branchName,
      ...said,
    });
    return new AppError('keys_set_aside', said);
  }

  if (known.sdcId === null) await keepSetUp(tx, device.id, { sdcId, mrcNumber, lastInvoiceNumber });
  else await correctSetUp(tx, known, { sdcId, mrcNumber, lastInvoiceNumber });
  const superseded = keptKeys !== null && {
    serial: known.serial,
    sdc_id: known.sdcId,
    asked_at: kept.askedAt?.toISOString() ?? null,
    keys: keptKeys,
  };
  await keepKeys(tx, device.id, {
    secrets: seal(secrets),
    askedAt: asked.at,
    aside: superseded ? withAside(superseded) : kept.aside,
  });
  await keepDeviceTaxpayer(
    tx,
    device.id,
    { name: taxpayerName, isVatRegistered },
    ports.clock.now(),
  );
  if (known.state === 'new' && known.succeeds === null)
    await activateDevice(tx, device.id, ports.clock.now());
  await compareTaxpayer(tx, await getBusiness(tx));
  await ports.record(tx, ctx, {
    action: 'device.initialised',
    subject: device.id,
    ...(known.sdcId === null
      ? {}
      : {
          before: {
            sdc_id: known.sdcId,
            mrc_number: known.mrcNumber,
            last_invoice_number: known.authorityLast,
          },
        }),
    after: {
      sdc_id: sdcId,
      mrc_number: mrcNumber,
      last_invoice_number: lastInvoiceNumber,
      taxpayer_name: taxpayerName,
      vat_registered: isVatRegistered,
    },
  });
  return null;
}

const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);
