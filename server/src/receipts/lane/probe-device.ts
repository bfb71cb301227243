import type { DialectDevice } from '../../ports/dialect/index.ts';
import type { LanePorts, LaneRun } from './lane-ports.ts';

/** Says whether the device answers as a VSDC does: only then a lane goes past an open doubt. */
export async function probeDevice(
  ports: LanePorts,
  { ctx, device, dialect }: LaneRun,
  named: DialectDevice,
): Promise<boolean> {
  const { probe } = dialect.setUp;
  const sent = await ports.vsdc.send(device, probe.toRequest(named), {
    businessId: ctx.businessId,
    as: 'lane',
  });
  const isServing = sent.is === 'answered' && probe.isServing(sent.answer);
  ports.log.info(
    { business_id: ctx.businessId, device_id: device.id, is_serving: isServing },
    'probed the device before going past a doubt',
  );
  return isServing;
}
