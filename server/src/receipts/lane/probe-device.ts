import type { Device } from '../../branches/index.ts';
import type { Context } from '../../context.ts';
import type { Dialect, DialectDevice } from '../../ports/dialect/index.ts';
import type { LanePorts } from './lane-ports.ts';

/** Only after the device has answered as a VSDC does, a lane goes past an open doubt. */
export async function probe(
  ports: LanePorts,
  ctx: Context,
  device: Device,
  dialect: Dialect,
  named: DialectDevice,
): Promise<boolean> {
  const sent = await ports.vsdc.send(device, dialect.setUp.probe.toRequest(named), {
    businessId: ctx.businessId,
    as: 'lane',
  });
  const isServing = sent.is === 'answered' && dialect.setUp.probe.isServing(sent.answer);
  ports.log.info(
    { business_id: ctx.businessId, device_id: device.id, is_serving: isServing },
    'probed the device before going past a doubt',
  );
  return isServing;
}
