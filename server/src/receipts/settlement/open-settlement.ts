import type { LanePorts } from '../lane/lane-ports.ts';
import { withdrawReceipt } from '../lane/withdraw-receipt.ts';
import { describeDoubt } from './describe-doubt.ts';
import { confirmReversal, dropReversal, proposeReversal } from './reverse-lost-sale.ts';
import { confirmSettlement, dropSettlement, settleWithEvidence } from './settle-with-evidence.ts';

/** Opens what people say of receipts whose end nobody heard. */
export function openSettlement(ports: LanePorts) {
  const { clock, dialects, underWay } = ports;
  return {
    withdrawReceipt: withdrawReceipt(ports),
    settleByPerson: settleWithEvidence(ports),
    confirmSettlement: confirmSettlement(ports),
    dropSettlement: dropSettlement(ports),
    lookAtDoubt: describeDoubt({ clock, dialects, underWay }),
    proposeReversal: proposeReversal(ports),
    confirmReversal: confirmReversal(ports),
    dropReversal: dropReversal(ports),
  };
}
