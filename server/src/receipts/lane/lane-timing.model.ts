export type LaneTiming = {
  /**
   * How long a lane is held beyond the longest answer, before another worker may take it. What was
   * written down longer ago than half of it does not leave any more.
   */
  leaseMs: number;
  /** How long a socket may stay open for a late answer. */
  lateTimeoutMs: number;
  retryFirstMs: number;
  retryMaxMs: number;
  /** Silence after a doubt before the same bytes are sent again; grows to the maximum. */
  settleQuietMs: number;
  settleMaxMs: number;
  /** How long a lane waits for a doubt before it goes past it. */
  doubtWaitMs: number;
  /** A document read longer ago than this is read again before its number is given. */
  readAgainMs: number;
  /** How long somebody who switches devices waits for the send that is on its way. */
  switchPatienceMs: number;
  /** The longest wait between two tries to write down what a device has said. */
  recordMaxMs: number;
  /** How long a try to write it down may take once the process ends. */
  recordLastMs: number;
  /** How long writing it down may take before it is said in the log. */
  recordSayMs: number;
};

export const usualTiming: LaneTiming = {
  leaseMs: 45_000,
  lateTimeoutMs: 600_000,
  retryFirstMs: 2_000,
  retryMaxMs: 60_000,
  settleQuietMs: 15_000,
  settleMaxMs: 600_000,
  doubtWaitMs: 60_000,
  readAgainMs: 60_000,
  switchPatienceMs: 5_000,
  recordMaxMs: 5_000,
  recordLastMs: 3_000,
  recordSayMs: 3_000,
};

/** The times of a lane, for devices that may take so long to answer. */
export const laneTiming = (
  device: { answerTimeoutMs: number; lateTimeoutMs: number },
  changed: Partial<LaneTiming> | undefined,
): LaneTiming => ({
  ...usualTiming,
  leaseMs: device.answerTimeoutMs + 15_000,
  lateTimeoutMs: device.lateTimeoutMs,
  ...changed,
});
