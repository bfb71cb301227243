import { startApp } from '../app.ts';
import { lastResort } from '../platform/fatal-shutdown.ts';
import { logTo } from '../platform/log.ts';
import type { Settings } from './with-app.ts';

/** Starts the server, and ends it in order when it is told to. */
export async function serve({ config, secrets }: Settings): Promise<void> {
  const log = logTo(config.logLevel);
  const resort = lastResort(log);
  const app = await startApp(config, secrets, { log });
  resort.closing(app.close);
  const link = await app.firstOperatorLink();
  // On the console and not in the log: whoever holds it becomes the operator.
  if (link) console.info(`There is no operator yet. Within 24 hours, once:\n  ${link}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void resort.end(0));
}
