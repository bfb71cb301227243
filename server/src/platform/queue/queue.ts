import { PgBoss } from 'pg-boss';
import { parseConnectionUrl, keptAlive } from '../db/parse-connection-url.ts';
import {
  type Database,
  type StatementLimits,
  type Tx,
  defaultStatementLimits,
} from '../db/database.ts';
import type { Log } from '../log.ts';

type LaneCall = { business_id: string; device_id: string };

/**
 * Wakes lanes. A job only says *look at this device*; what is to be done stands in our own tables,
 * so a job too many is harmless.
 */
export type Queue = {
  /**
   * Enqueues in the given open transaction; refuses one that is not open here. `at`: not before
   * that moment.
   */
  wakeLane(tx: Tx, call: LaneCall, at?: Date): Promise<void>;
  work(handler: (call: LaneCall) => void): Promise<void>;
  close(): Promise<void>;
};

const lane = 'lane';

export async function openQueue(
  url: string,
  database: Database,
  log: Log,
  { jobMs, graceMs }: Pick<StatementLimits, 'jobMs' | 'graceMs'> = defaultStatementLimits,
): Promise<Queue> {
  const boss = new PgBoss(settingsOf(url, jobMs, graceMs));
  boss.on('error', (error) => log.error({ error: String(error) }, 'the queue reports an error'));
  await boss.start();
  // pg-boss looks a queue up on its own connection at the first send; done now, it never happens
  // inside a transaction of ours.
  await boss.findJobs(lane, { key: '-' } as never).catch(() => {});
  return {
    async wakeLane(tx, call, at) {
      if (!database.isOpenHere(tx))
        throw new Error(
          'a job is enqueued in the open transaction of the same call, or not at all',
        );
      // One waiting job per key: a device needs to be called once, however many documents wait.
      // Calls for later have keys of their own, so that they never hold back a call for now.
      const singletonKey = at
        ? `${call.device_id}@${Math.ceil(at.getTime() / 1000)}`
        : call.device_id;
      await boss.send(lane, call, {
        db: inTransaction(tx) as never,
        singletonKey,
        ...(at ? { startAfter: at } : {}),
      });
    },
    async work(handler) {
      let id = '';
      id = await boss.work<LaneCall>(
        lane,
        { batchSize: 50, pollingIntervalSeconds: 2 },
        async (jobs) => {
          for (const job of jobs) handler(job.data);
          // A worker takes one batch per polling interval unless told that there is more.
          if (jobs.length === 50) boss.notifyWorker(id);
        },
      );
    },
    close: () => boss.stop({ graceful: true, timeout: 5_000, close: true }),
  };
}

function settingsOf(
  url: string,
  jobMs: number,
  graceMs: number,
): Exclude<ConstructorParameters<typeof PgBoss>[0], string> {
  const { ssl, ...connection } = parseConnectionUrl(url);
  return {
    ...connection,
    ...(ssl ? { ssl: true } : {}),
    ...keptAlive,
    // A connection on which a call is not answered for so long leaves its pool. Its listener looks
    // after its own connection. PostgreSQL ends it a little sooner: a deletion that nobody waits
    // for any more would go on there, and every later one wait behind it. Said once connected and
    // not while connecting, where poolers take only settings that they know.
    ...({
      query_timeout: jobMs + graceMs,
      onConnect: (client: { query(text: string): Promise<unknown> }) =>
        client.query(`set statement_timeout = ${jobMs}`),
    } as object),
    schema: 'pgboss',
    migrate: false,
    createSchema: false,
    schedule: false,
    max: 3,
    useListenNotify: true,
    superviseIntervalSeconds: 60,
    // Served calls are deleted then; by itself the library does it once a day, and an hour of load
    // would leave a row for every receipt.
    maintenanceIntervalSeconds: 60,
  };
}

/** Gives the queue's library the open transaction in place of a connection of its own. */
function inTransaction(tx: Tx) {
  const kysely = tx.getKysely() as unknown as {
    executeQuery(q: object): Promise<{ rows: unknown[] }>;
  };
  return {
    async executeSql(sql: string, parameters: unknown[] = []) {
      const { rows } = await kysely.executeQuery({
        sql,
        parameters,
        query: { kind: 'RawNode' },
        queryId: { queryId: 'queue' },
      });
      return { rows };
    },
  };
}
