import type { LanePorts, LaneWork } from '../lane/lane-ports.ts';
import type { LaneDevice } from '../lane/lane.model.ts';
import type { StoredAttempt } from '../receipt/attempt.store.ts';
import type { Receipt } from '../receipt/receipt-row.ts';
import type { DoubtFacts } from './check-evidence.model.ts';

/** A receipt that a person settles, with its sends, under the locks of its lane and its row. */
export type Case = LaneWork & { receipt: Receipt; device: LaneDevice; attempts: StoredAttempt[] };

/** The same where it is only looked at. */
export type Offer = Pick<Case, 'tx' | 'receipt' | 'attempts' | 'at'> & {
  ports: Pick<LanePorts, 'dialects'>;
  device: Pick<LaneDevice, 'sdcId' | 'environment'>;
};

/** Returns what evidence about the doubt is checked against. */
export const doubtOf = ({
  receipt: { problem, invoiceNumber, isDeviceRetired, isContested, filed },
  attempts,
}: Pick<Case, 'receipt' | 'attempts'>): DoubtFacts => ({
  code: problem?.code ?? '',
  invoiceNumber,
  isDeviceRetired,
  isContested,
  total: filed.sale.total,
  buyerTin: filed.sale.buyer.taxpayerId ?? '',
  attempts,
});
