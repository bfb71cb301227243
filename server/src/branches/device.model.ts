import type { StoredProblem } from '@muhuri/shared/problems';

/** One VSDC of one branch. Numbers are text: counters may pass what a float holds. */
export type Device = {
  id: string;
  branchId: string;
  branchCode: string;
  branchName: string;
  branchAddress: string;
  dialect: string;
  serial: string;
  environment: 'sandbox' | 'production';
  address: string;
  transport: 'direct' | 'agent';
  state: 'new' | 'active' | 'paused';
  problem: StoredProblem | null;
  sdcId: string | null;
  mrcNumber: string | null;
  nextInvoiceNumber: string | null;
  lastTotalReceiptNumber: string | null;
  lastContactAt: Date | null;
  /** The last answer that proves contact with the authority. */
  lastUpstreamAt: Date | null;
};
