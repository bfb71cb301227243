import { AsyncLocalStorage } from 'node:async_hooks';
import { type EntityManager, MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from '@mikro-orm/migrations';
import { AppError } from '../app-error.ts';
import { parseConnectionUrl, keptAlive } from './parse-connection-url.ts';
import { type Waits, withPipelining } from './pipelining.ts';
import { privilegeProblems } from './privileges.ts';

/** An open transaction. Stores take it as their first argument; nothing else may hold it. */
export type Tx = EntityManager;

export type Database = {
  /**
   * The only door to a business's tables: role and business hold for this one transaction. Without
   * a business there are no rows.
   */
  transaction<T>(businessId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * The door to the reference schema (people, directory, grants), under a role that reaches nothing
   * else.
   */
  platform<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * Registering a business and accepting an invitation span both: begun at the platform's door,
   * `enter` and `leave` change it.
   */
  registration<T>(
    work: (
      tx: Tx,
      enter: (businessId: string) => Promise<void>,
      leave: () => Promise<void>,
    ) => Promise<T>,
  ): Promise<T>;
  /** Whether this transaction is open, in this async context. */
  isOpenHere(tx: Tx): boolean;
  /** What is wrong with the signed-in role, if anything: privileges it must not have. */
  privilegeProblems(): Promise<string[]>;
  close(): Promise<void>;
};

type Mark = { open: boolean; tx: Tx | null };

const endings = new AsyncLocalStorage<{ works: (() => void)[] | null }>();

/**
 * Runs `work` after the transaction open here has ended, committed or not, or at once if there is
 * none. Other connections cannot see the transaction's rows before that.
 */
export function afterTransaction(work: () => void): void {
  const works = endings.getStore()?.works;
  if (works) works.push(work);
  else work();
}

/**
 * A server that falls asleep within a transaction holds its locks, and a device waits for it with
 * everything behind it. PostgreSQL ends such a session; nothing here computes for a minute between
 * two statements.
 */
const patience = { idle_in_transaction_session_timeout: '60s' };

/** In milliseconds. */
export type StatementLimits = {
  /**
   * How long one statement may take, waiting for a lock included: where somebody waits for it, and
   * where nobody does.
   */
  askedMs: number;
  jobMs: number;
  /** How long PostgreSQL may take to let somebody in. */
  connectMs: number;
  /**
   * How much longer than a statement may take it is waited for. A network that swallows everything
   * tells nobody that a statement was ended.
   */
  graceMs: number;
};
export const defaultStatementLimits: StatementLimits = {
  askedMs: 5_000,
  jobMs: 60_000,
  connectMs: 5_000,
  graceMs: 5_000,
};

/** How long a statement may take, and whether somebody waits for it. */
type Limit = { ms: number; isAsked: boolean };
const statementLimit = new AsyncLocalStorage<Limit>();

/**
 * Somebody waits for this work: a statement in it that takes longer is ended by PostgreSQL, and
 * they are told `took_too_long`.
 */
export const withRequestTimeout = <T>(ms: number, work: () => T): T =>
  statementLimit.run({ ms, isAsked: true }, work);
/** Nobody waits for this work, though it may have been begun by what somebody asked for. */
export const withJobTimeout = <T>(ms: number, work: () => T): T =>
  statementLimit.run({ ms, isAsked: false }, work);

/**
 * A statement that PostgreSQL ended because it took too long (`query_canceled`), or because two
 * transactions waited for each other (`deadlock_detected`): nothing of this one was done, and asked
 * once more it goes through.
 */
const toldWhyEnded = (error: unknown): never => {
  const { code } = error as { code?: string };
  if (code === '57014') throw new AppError('took_too_long', { retry_after_s: 5 }, error);
  if (code === '40P01') throw new AppError('crossed', { retry_after_s: 1 }, error);
  throw error;
};

/** `entities`: those of the features; what is not an entity is reached by plain statements. */
export async function openDatabase(
  url: string,
  poolMax = 10,
  entities: unknown[] = [],
  prepares = true,
  limits = defaultStatementLimits,
): Promise<Database> {
  const limitHere = () => statementLimit.getStore() ?? { ms: limits.jobMs, isAsked: false };
  const orm = await MikroORM.init({
    ...target(url, {
      prepares,
      connectMs: limits.connectMs,
      graceMs: limits.graceMs,
      statementMs: () => limitHere().ms,
    }),
    entities: entities as [],
    pool: { min: 0, max: poolMax, idleTimeoutMillis: 30_000 },
    discovery: { warnWhenNoEntities: false },
    ignoreUndefinedInQuery: true,
    debug: false,
  });
  const open = new AsyncLocalStorage<Mark>();
  const within = transactions(orm, open, limitHere);
  return {
    transaction: (businessId, work) => {
      if (!businessId) throw new Error('a transaction needs its business');
      // The role as a variable among the others: one round trip instead of two.
      return within({ 'app.business_id': businessId, role: 'muhuri_worker' }, work);
    },
    platform: (work) => within({ role: 'muhuri_platform' }, work),
    registration: (work) =>
      within({ role: 'muhuri_platform' }, (tx) =>
        work(
          tx,
          (businessId) => enterBusiness(tx, businessId),
          () => leaveBusiness(tx),
        ),
      ),
    isOpenHere: (tx) => {
      const mark = open.getStore();
      return mark?.open === true && mark.tx === tx;
    },
    privilegeProblems: () => privilegeProblems(orm.em.fork() as Tx),
    close: () => orm.close(true),
  };
}

const enterBusiness = async (tx: Tx, businessId: string): Promise<void> => {
  await tx.execute(
    "select set_config('role', 'muhuri_worker', true), set_config('app.business_id', ?, true)",
    [businessId],
  );
};

const leaveBusiness = async (tx: Tx): Promise<void> => {
  await tx.execute("select set_config('role', 'muhuri_platform', true)");
};

/** Does work in a transaction whose session has these variables. */
type Within = <T>(variables: Record<string, string>, work: (tx: Tx) => Promise<T>) => Promise<T>;

/**
 * A second transaction begun inside an open one takes another connection and dead-locks once the
 * pool is full, i.e. in production under load. So it throws at once. The mark is mutable: work begun
 * inside but continued after the commit is free.
 */
const transactions =
  (orm: MikroORM, open: AsyncLocalStorage<Mark>, limitHere: () => Limit): Within =>
  async (variables, work) => {
    const limit = limitHere();
    if (open.getStore()?.open) throw new Error('a transaction is already open here');
    const ending: { works: (() => void)[] | null } = { works: [] };
    const transact = () =>
      orm.em
        .fork({
          session: {
            variables: { ...patience, statement_timeout: `${limit.ms}ms`, ...variables },
          },
        } as never)
        .transactional((tx) => {
          const mark: Mark = { open: true, tx: tx as Tx };
          return open
            .run(mark, () => work(tx as Tx))
            .finally(() => {
              mark.open = false;
            });
        });
    return endings
      .run(ending, limit.isAsked ? () => transact().catch(toldWhyEnded) : transact)
      .finally(() => {
        const works = ending.works ?? [];
        ending.works = null;
        for (const each of works) each();
      });
  };

/** Runs the numbered migrations up, or down, as the owner: all that are due, or `only` this one. */
export async function migrate(
  url: string,
  directory: string,
  range: { down?: true; only?: string } = {},
): Promise<string[]> {
  const orm = await MikroORM.init({
    ...target(url),
    entities: [],
    discovery: { warnWhenNoEntities: false },
    extensions: [Migrator],
    logger: () => {},
    pool: { min: 0, max: 1 },
    migrations: {
      path: directory,
      pathTs: directory,
      glob: '[0-9]*.ts',
      snapshot: false,
      tableName: 'migration',
      allOrNothing: true,
    },
  });
  try {
    const only = range.only && { migrations: [range.only] };
    const done = range.down
      ? await orm.migrator.down(only || { to: 0 })
      : await orm.migrator.up(only || {});
    return done.map((migration) => migration.name);
  } finally {
    await orm.close(true);
  }
}

const { connectMs, graceMs } = defaultStatementLimits;

/** A migration may take what it takes: its statements have no limit. */
const target = (
  address: string,
  waits: Waits = {
    prepares: true,
    connectMs,
    graceMs,
    statementMs: () => Number.POSITIVE_INFINITY,
  },
) => {
  const { host, port, user, password, database, ssl } = parseConnectionUrl(address);
  return {
    host,
    port,
    user,
    password,
    dbName: database,
    driverOptions: {
      pipeline: true,
      ...keptAlive,
      ...(ssl ? { ssl: true } : {}),
      onPoolCreated: withPipelining(waits),
    },
  };
};
