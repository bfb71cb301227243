import type { LaneWork } from './lane-ports.ts';
import { listOpenDoubts } from '../receipt/doubt.store.ts';
import type { LaneDevice } from './lane.model.ts';
import { listAttempts, wasSentBefore } from '../receipt/attempt.store.ts';
import { lockReceipt } from '../receipt/receipt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { Signature } from '../../model/sale.model.ts';
import { doubtExcluded, lastRefusal } from './counter-evidence.model.ts';
import { settleNotSigned } from './end-doubt.ts';

/**
 * Ends a doubt as *not signed* if the counters of a new receipt show it, and the last resend of the
 * doubt was definitely refused before that receipt was sent.
 */
export async function weighEvidence(
  work: LaneWork,
  device: Pick<LaneDevice, 'id' | 'lastTotal'>,
  signature: Signature,
  nextSent: string,
): Promise<void> {
  const { ports, tx, at } = work;
  const doubt = doubtExcluded(await listOpenDoubts(tx, device.id), device, signature);
  if (!doubt) return;
  const attempts = await listAttempts(tx, doubt.id, at, ports.underWay);
  const last = lastRefusal(attempts, doubt.invoiceNumber);
  if (!last || !(await wasSentBefore(tx, last.id, nextSent))) return;
  await settleNotSigned(
    work,
    (await lockReceipt(tx, doubt.id)) as Receipt,
    {
      code: 'device_refused',
      device_code: last.deviceCode ?? '',
      device_text: last.deviceText ?? '',
    },
    'counters',
  );
}
