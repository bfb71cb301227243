import type { ProblemCode, StoredProblem } from '@muhuri/shared/problems';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { getBusiness } from '../businesses/index.ts';
import type { Context } from '../context.ts';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import type { Tx } from '../platform/db/database.ts';
import type { Log } from '../platform/log.ts';
import { retry } from '../platform/retry.ts';
import type { Vault } from '../platform/vault.ts';
import type { DeviceRequest, Dialects } from '../ports/dialect/index.ts';
import type { Vsdc } from '../ports/vsdc.ts';
import type { Device } from '../branches/device.model.ts';
import {
  findBranch,
  lockDevice,
  lockDeviceOfBranch,
  lockNewDevice,
  setDeviceState,
  keepDeviceKeys,
} from '../branches/index.ts';

export type Ports = {
  vsdc: Vsdc;
  dialects: Dialects;
  vault: Vault;
  record: Recorder;
  alerts: Pick<Alerts, 'raise'>;
  clock: Clock;
  wait(ms: number): Promise<void>;
  log: Log;
  afterActive: (ctx: Context, deviceId: string) => Promise<void>;
  /** The longest wait between two tries to store what the device has said. */
  recordMaxMs: number;
  /** Aborted when this process ends. */
  ending: AbortSignal;
  /** The devices that this process has asked for their keys and whose keys are not stored yet. */
  asking: Set<string>;
};

export type InitialiseDevice = (ctx: Context, branchId: string) => Promise<void>;

/**
 * Initialises a device with the authority. That is possible once: it gives its keys in this one
 * answer and never again. So the question is stored before it is asked. A lost answer leaves a doubt
 * on the device and in the audit log, and keys that came are stored, encrypted, before anything else
 * is done with them. Errors: `device_unreachable` (nothing left), `initialisation_in_doubt`,
 * `initialised_before`, `device_invalid`, `keys_set_aside`.
 */
export const initialiseDevice =
  (ports: Ports): InitialiseDevice =>
  async (ctx, branchId) => {
    const asked = await ctx.transaction(async (tx) => {
      const business = await getBusiness(tx);
      const at = ports.clock.now();
      const device = await lockUnset(ports, tx, branchId, at);
      const request = ports.dialects.of(device.dialect).setUp.initialise.toRequest({
        taxpayerId: business.taxpayerId,
        branchCode: device.branchCode,
        serial: device.serial,
      });
      await setDeviceState(tx, device.id, 'new', {
        code: 'initialisation_in_doubt',
        asked_at: at.toISOString(),
      });
      await ports.record(tx, ctx, {
        action: 'device.initialising',
        subject: device.id,
        before: device.problem,
        after: { request: request.body },
      });
      return { device, request, at };
    });
    ports.asking.add(asked.device.id);
    try {
      await askForKeys(ports, ctx, branchId, asked);
    } finally {
      ports.asking.delete(asked.device.id);
    }
    await ports.afterActive(ctx, asked.device.id);
  };

/** Asks the device, and stores what it says however long that takes. */
async function askForKeys(
  ports: Ports,
  ctx: Context,
  branchId: string,
  { device, request, at }: { device: Device; request: DeviceRequest; at: Date },
) {
  const { initialise } = ports.dialects.of(device.dialect).setUp;
  const about = { business_id: ctx.businessId, device_id: device.id };
  const sent = await ports.vsdc.send(device, request, {
    businessId: ctx.businessId,
    as: 'question',
  });
  // Nothing was sent: what was in doubt before still is, and nothing else.
  if (sent.is === 'address_refused' || sent.is === 'unreachable')
    return stay(
      device.problem,
      sent.is === 'unreachable' ? 'device_unreachable' : 'device_address_refused',
      { reason: sent.reason },
    );
  if (sent.is === 'in_doubt')
    return stay({ code: 'initialisation_in_doubt' }, 'initialisation_in_doubt', {
      reason: sent.reason,
    });
  const reply = initialise.read(sent.answer);
  if (reply.is !== 'done') {
    const said = { device_code: reply.deviceCode, device_text: reply.deviceText };
    if (reply.is === 'failed')
      return stay({ code: 'initialisation_in_doubt', ...said }, 'initialisation_in_doubt', said);
    return stay({ code: reply.problem, ...said }, reply.problem, said);
  }
  const patient = {
    wait: ports.wait,
    log: ports.log,
    maxMs: ports.recordMaxMs,
    ending: ports.ending,
    look: async () => {
      await ctx.transaction((tx) => lockDevice(tx, device.id));
      // Other processes see that the keys are still waited for; if storing this is refused as
      // well, that says nothing new.
      await ctx.transaction((tx) => holdFurther(tx, device, ports.clock.now())).catch(() => {});
    },
  };
  const refusal = await retry(patient, about, () =>
    ctx.transaction((tx) => keepDeviceKeys(ports, tx, ctx, { device, at }, reply.value)),
  ).catch((error: unknown) => {
    // Never log the keys themselves: if they are lost, the authority has to give new ones.
    ports.log.error(
      { ...about, sdc_id: reply.value.sdcId, error: (error as Error).stack },
      'what a device was given at its initialisation is recorded nowhere',
    );
    throw error;
  });
  if (refusal) throw refusal;

  /** Leaves the device inactive, and keeps with it what is known. */
  async function stay(
    problem: StoredProblem | null,
    code: ProblemCode,
    extra: Omit<StoredProblem, 'code'>,
  ): Promise<never> {
    await retry({ wait: ports.wait, log: ports.log }, about, () =>
      ctx.transaction(async (tx) => {
        const locked = await lockNewDevice(tx, branchId);
        if (locked?.id === device.id && locked.sdcId === null)
          await setDeviceState(tx, device.id, 'new', problem);
        await ports.record(tx, ctx, {
          action: 'device.not_initialised',
          subject: device.id,
          after: { code, ...extra },
        });
      }),
    );
    throw new AppError(code, extra);
  }
}

/** Longer than any answer is waited for after the question. */
const askedMs = 2 * 60_000;
/** How soon to ask again while keys wait in this process to be stored. */
const soonMs = 5_000;

/** Holds a device whose keys are here and not stored yet: nobody else may ask for or adopt it. */
async function holdFurther(tx: Tx, device: Device, at: Date): Promise<void> {
  const known = await lockDevice(tx, device.id);
  if (
    known?.state !== 'new' ||
    known.sdcId !== null ||
    known.serial !== device.serial ||
    known.environment !== device.environment
  )
    return;
  await setDeviceState(tx, device.id, 'new', {
    code: 'initialisation_in_doubt',
    asked_at: at.toISOString(),
  });
}

/**
 * Locks the device of a branch that was not set up yet: its first one, or the one to follow the one
 * at work. While it is being asked for its keys it is nobody else's. Some devices are unusable if
 * they are asked twice, and if it was adopted meanwhile its keys would come in vain.
 */
export async function lockUnset(
  { asking }: Pick<Ports, 'asking'>,
  tx: Tx,
  branchId: string,
  at: Date,
): Promise<Device> {
  if (!(await findBranch(tx, branchId))) throw new AppError('not_found');
  const unset = await lockNewDevice(tx, branchId);
  if (unset && unset.sdcId === null) {
    const askedAt = Date.parse(String(unset.problem?.asked_at ?? ''));
    const leftMs = askedAt + askedMs - at.getTime();
    if (leftMs > 0 || asking.has(unset.id))
      throw new AppError('initialisation_under_way', {
        retry_after_s: Math.ceil((leftMs > 0 ? leftMs : soonMs) / 1000),
      });
    return unset;
  }
  const present = unset ?? (await lockDeviceOfBranch(tx, branchId));
  if (!present) throw new AppError('not_found');
  throw new AppError('wrong_state', { state: unset ? 'ready' : present.state });
}
