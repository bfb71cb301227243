import { startRwVsdc } from '../authorities/rw-vsdc/simulator/index.ts';

/**
 * Devices in a process of their own that can be killed: what they have signed is written down
 * before it is answered.
 */
const { approved, journalFile, port } = JSON.parse(process.argv[2] as string);
const vsdc = await startRwVsdc({ approved, journalFile, port });
// As a device that thinks: whatever is killed, is killed in the middle of an exchange.
vsdc.set({ answer_ms: 60 });
console.log(`port ${vsdc.port}`);
