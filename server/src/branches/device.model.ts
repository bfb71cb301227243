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
  /**
   * `new`: nothing was ever signed there; beside one that works it is the one being prepared to
   * follow it. `retired`: nothing is ever sent to it again, and what it signed stays its own.
   */
  state: 'new' | 'active' | 'paused' | 'retired';
  problem: StoredProblem | null;
  sdcId: string | null;
  mrcNumber: string | null;
  nextInvoiceNumber: string | null;
  lastTotalReceiptNumber: string | null;
  /**
   * The last number of the run that the authority, or whoever adopted the device, named when it was
   * set up.
   */
  authorityLast: string | null;
  /** The device it took over from. */
  succeeds: string | null;
  /**
   * Since when its branch has a production device: what was created before may have been sealed by
   * another system.
   */
  productionSince: Date | null;
  activatedAt: Date | null;
  retiredAt: Date | null;
  lastContactAt: Date | null;
  /** What it has told of its taxpayer, and when; what of that differs from the business. */
  told: { name: string | null; isVatRegistered: boolean | null; at: Date } | null;
  difference: StoredProblem | null;
  /** What it has shown by refusing documents that it wants; see `device-demands.model.ts`. */
  demands: string[];
  /** The last answer that proves contact with the authority. */
  lastUpstreamAt: Date | null;
};
