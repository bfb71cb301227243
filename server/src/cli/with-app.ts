import { type App, type Overrides, startApp } from '../app.ts';
import type { Config, Secrets } from '../config.ts';

export type Settings = { config: Config; secrets: Secrets };

/** Does a command with a server of its own on any port, and closes it whatever becomes of that. */
export async function withApp<T>(
  { config, secrets }: Settings,
  work: (app: App) => Promise<T>,
  overrides: Overrides = {},
): Promise<T> {
  await using app = await startApp({ ...config, port: 0, logLevel: 'warn' }, secrets, overrides);
  return await work(app);
}
