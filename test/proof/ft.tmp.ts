import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, makeTemplate } from '../world.ts';
import { runFaultTable, runsOf } from './fault-table.ts';
const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
await makeTemplate(postgres);
const f = process.argv[2] ?? '';
const codes = (process.argv[3] ?? '').split(',').filter(Boolean);
const runs = runsOf(codes).filter((r) => `${r.kind}/${r.point}/${r.fault}/${r.after}`.includes(f));
console.log(runs.length, 'runs');
const t0 = performance.now();
const vs = await runFaultTable(postgres, runs, { processes: Number(process.argv[4] ?? 1), atOnce: Number(process.argv[5] ?? 16) });
const by: Record<string, number> = {};
for (const v of vs) { by[v.verdict] = (by[v.verdict] ?? 0) + 1; if (!['once','not_signed'].includes(v.verdict) || process.argv[6]) console.log(JSON.stringify(v)); }
console.log(by, Math.round(performance.now() - t0), 'max ms', Math.max(...vs.map((v) => v.ms)));
process.exit(0);
