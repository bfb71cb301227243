import type { ReadKey } from '../api-keys.ts';
import type { Clock } from '../../platform/clock.ts';
import type { Database } from '../../platform/db/database.ts';
import type { DeriveSecret } from '../../platform/derived-secret.ts';
import type { Log } from '../../platform/log.ts';
import type { SessionLibrary } from './lucia-adapter.ts';

/** What the sessions need; `lucia` is the library over our tables. */
export type SessionPorts = {
  database: Database;
  clock: Clock;
  lucia: SessionLibrary;
  readKey: ReadKey;
  log: Log;
  derive: DeriveSecret;
};
