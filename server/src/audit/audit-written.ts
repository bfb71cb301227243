import { topic } from '../platform/signals.ts';

/** Something was written into the log of a business, and waits for its place in the chain. */
export const auditWritten = topic('audit written');
