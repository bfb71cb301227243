import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout, makeTemplate } from '../world.ts';
import { openSetting } from './simulation/setting.ts';
import { simulate } from './simulation/simulate.ts';
const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
await makeTemplate(postgres);
const setting = await openSetting(postgres);
const [from, to] = [Number(process.argv[2]), Number(process.argv[3])];
const t0 = performance.now();
let steps = 0;
const sums: Record<string, number> = {};
let bad = 0;
for (let seed = from; seed < to; seed++) {
  if (process.env.V) console.log('seed', seed, Math.round(performance.now() - t0));
  const o = await simulate(setting, seed);
  steps += o.steps;
  for (const [k, v] of Object.entries(o.counts)) sums[k] = (sums[k] ?? 0) + v;
  if (process.env.FREQ) {
    const f: Record<string, number> = {};
    for (const l of o.trace) {
      const k = l.replace(/^\d+ /, '').replace(/\d+/g, 'N');
      f[k] = (f[k] ?? 0) + 1;
    }
    console.log(
      Object.entries(f)
        .sort((a, b) => b[1] - a[1])
        .slice(0, 20),
    );
  }
  if (process.argv[5]) console.log(o.trace.slice(0, Number(process.argv[5])).join('\n'));
  if (o.problem) {
    bad++;
    console.log('seed', seed, o.steps, o.problem.slice(0, 600));
    if (process.argv[4]) console.log(o.trace.slice(-Number(process.argv[4])).join('\n'));
    if (bad >= 8) break;
  }
}
console.log({ ms: performance.now() - t0, steps, bad, sums });
await setting.close();
process.exit(0);
