import { failuresOf, runCrashes } from './crashes.ts';
const t0 = performance.now();
const r = await runCrashes({ crashes: Number(process.argv[2]), seed: Number(process.argv[3] ?? 1), isBroken: process.argv[4] === 'broken', progress: (n) => { if (n % 10 === 0) console.log(n, Math.round(performance.now() - t0)); } });
const p = (q: number) => Math.round(r.recoveries[Math.floor(r.recoveries.length * q)] ?? -1);
console.log({ ...r, recoveries: r.recoveries.length, p50: p(0.5), p99: p(0.99), notes: r.notes.slice(0, 12), failures: failuresOf(r), ms: performance.now() - t0 });
process.exit(0);
