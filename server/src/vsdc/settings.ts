export type DirectSettings = {
  connectTimeoutMs: number;
  answerTimeoutMs: number;
  lateTimeoutMs: number;
  answerBytesMax: number;
  /** Connections of one business for what people and programs ask. */
  questionsMax: number;
  /**
   * Connections for sales and what a lane asks: of one device, and of one business. More than a
   * lane itself can have open, as each send waits for the time-out of the one before and a late
   * answer is waited for: a business that reaches this has made devices to reach it.
   */
  lanePerDeviceMax: number;
  lanesMax: number;
};

export const usualSettings: DirectSettings = {
  connectTimeoutMs: 5_000,
  answerTimeoutMs: 30_000,
  lateTimeoutMs: 600_000,
  answerBytesMax: 4 << 20,
  questionsMax: 8,
  lanePerDeviceMax: 24,
  lanesMax: 128,
};
