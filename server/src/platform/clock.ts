/** Where time comes from. Inside everything is UTC; only dialects speak in a country's zone. */
export type Clock = { now(): Date };

export const systemClock: Clock = { now: () => new Date() };
