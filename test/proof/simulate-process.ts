import { join } from 'node:path';
import { startEmbeddedPostgres } from '@muhuri/server/platform/db/embedded-postgres';
import { checkout } from '../world.ts';
import { openSetting } from './simulation/setting.ts';
import { lifeOf, simulate } from './simulation/simulate.ts';

/**
 * Runs seeds and says a line of JSON for each; several of these share the work. A fresh database
 * now and then keeps its tables short.
 */
const [first, last, every] = process.argv.slice(2).map(Number) as [number, number, number];
const postgres = await startEmbeddedPostgres(checkout, join(checkout, '.data'));
let setting = await openSetting(postgres);
let done = 0;
for (let seed = first; seed <= last; seed += every) {
  const { problem, counts, steps, trace } = await simulate(setting, seed, lifeOf(seed));
  console.log(
    JSON.stringify({
      seed,
      steps,
      counts,
      problem: problem && `${problem}\n${trace.slice(-20).join('\n')}`,
    }),
  );
  done += 1;
  if (done % 250 === 0) {
    await setting.close();
    setting = await openSetting(postgres);
  }
}
await setting.close();
await postgres.stop();
process.exit(0);
