import type { ProblemCode } from '@muhuri/shared/problems';

/** A question to a device: a path under its address and the exact bytes of the body. */
export type DeviceRequest = { path: string; body: string };

/**
 * An answer as it came back, whole. Reading it is the dialect's work. `body` is the text that its
 * bytes mean. `bytes` are what came over the wire, where they came over one: they are what is kept.
 */
export type DeviceAnswer = { status: number; body: string; bytes?: Buffer };

/** A device as a dialect needs to know it. */
export type DialectDevice = { taxpayerId: string; branchCode: string; serial: string };

/** What a device said in its own words. */
export type Said = { deviceCode: string; deviceText: string };

/** A reply to a question that signs nothing. */
export type SetUpReply<T> =
  | { is: 'done'; value: T }
  | ({ is: 'refused'; problem: ProblemCode } & Said)
  | ({ is: 'failed' } & Said);
