import { randomBytes } from 'node:crypto';
import type { Context } from '../context.ts';
import { openBackground } from './background.ts';
import { type BoundedWorker, openBoundedWorker } from './bounded-worker.ts';
import {
  type Clock,
  type StartWatch,
  systemAfter,
  systemClock,
  systemWait,
  systemWatch,
} from './clock.ts';
import {
  type Database,
  defaultStatementLimits,
  openDatabase,
  type StatementLimits,
  withJobTimeout,
} from './db/database.ts';
import { type DeriveSecret, secretsFrom } from './derived-secret.ts';
import { keepEvidenceKey } from './evidence-key.store.ts';
import { type EvidenceSigner, evidenceSignerFrom } from './evidence-signer.ts';
import { type Log, logTo } from './log.ts';
import { mailBy, type SendMail } from './mail.ts';
import { idsFrom, type NewId } from './new-id.ts';
import { operatorHook, type TellOperator } from './operator-hook.ts';
import { openQueue, type Queue } from './queue/queue.ts';
import { type NameResolver, openNameResolver, type ResolverSettings } from './resolver.ts';
import { openSignals, type Signals, type Topic } from './signals.ts';
import { StartError } from './start-error.ts';
import { type Vault, vaultFrom } from './vault.ts';
import { version } from './version.ts';
import { type WithinTime, withinTime } from './shutdown-step.ts';

/** What exists once in a process and knows no domain. */
export type Runtime = {
  publicUrl: string;
  databasePoolMax: number;
  statements: StatementLimits;
  version: string;
  /** The name of this process among those of the installation. */
  worker: string;
  clock: Clock;
  wait: typeof systemWait;
  after: typeof systemAfter;
  startWatch: StartWatch;
  newId: NewId;
  log: Log;
  database: Database;
  /**
   * Connections kept for what comes in: a delivery never waits for one behind what is being
   * signed.
   */
  webhookDatabase: Database;
  queue: Queue;
  vault: Vault;
  evidenceSigner: EvidenceSigner;
  deriveFor(purpose: string): DeriveSecret;
  sendMail: SendMail;
  tellOperator: TellOperator;
  names: NameResolver;
  boundedWorker: BoundedWorker;
  signals: Signals;
  /** Raises this topic for a business. */
  raising(topic: Topic): (businessId: string) => void;
  /** The door to a business's tables for a job of this name. */
  contextFor(job: string): (businessId: string) => Context;
  /** Keeps work that nobody waits for until it is done, so that the server does not close beneath it. */
  background(work: Promise<unknown>): void;
  settled(): Promise<void>;
  /** The end of this process has begun: nothing new is written down or sent. */
  closing: AbortController;
  /** It is over: what could not be written until now is tried once more. */
  ending: AbortController;
  withinTime: WithinTime;
  /** Lets go of the tools that speak outwards. */
  closeTools(): Promise<void>;
  close(): Promise<void>;
};

export type RuntimeConfig = {
  publicUrl: string;
  logLevel: string;
  mailFrom: string;
  alertHookUrl: string | null;
  databasePoolMax: number;
  preparesStatements: boolean;
};
export type RuntimeSecrets = {
  databaseUrl: string;
  queueDatabaseUrl: string;
  masterKey: Buffer;
  previousMasterKey: Buffer | null;
  smtpUrl: string | null;
};
export type RuntimeOverrides = {
  clock: Clock;
  log: Log;
  statements: Partial<StatementLimits>;
  names: Partial<ResolverSettings>;
  closeMs: number;
};

/**
 * Opens what exists once in a process. Refuses to start with a database role that could do more
 * than it must.
 */
export async function openRuntime(
  config: RuntimeConfig,
  secrets: RuntimeSecrets,
  entities: unknown[],
  overrides: Partial<RuntimeOverrides>,
): Promise<Runtime> {
  const clock = overrides.clock ?? systemClock;
  const log = overrides.log ?? logTo(config.logLevel);
  const statements = { ...defaultStatementLimits, ...overrides.statements };
  const { database, webhookDatabase } = await openDatabases(config, secrets, entities, statements);
  const queue = await openQueue(secrets.queueDatabaseUrl, database, log, statements);
  const evidenceSigner = await publishEvidenceKeys(database, clock, secrets);
  const mail = mailBy(secrets.smtpUrl, config.mailFrom);
  const boundedWorker = openBoundedWorker();
  const signals = openSignals();
  const background = openBackground();
  const inTime = withinTime(log, overrides.closeMs);

  return {
    publicUrl: config.publicUrl,
    databasePoolMax: config.databasePoolMax,
    statements,
    version,
    worker: `wrk_${randomBytes(8).toString('hex')}`,
    clock,
    wait: systemWait,
    after: systemAfter,
    startWatch: systemWatch(clock),
    newId: idsFrom(clock),
    log,
    database,
    webhookDatabase,
    queue,
    vault: vaultFrom(secrets.masterKey, secrets.previousMasterKey),
    evidenceSigner,
    deriveFor: (purpose) => secretsFrom(secrets.masterKey, purpose),
    sendMail: mail.send,
    tellOperator: operatorHook(config.alertHookUrl),
    names: openNameResolver(overrides.names),
    boundedWorker,
    signals,
    raising: (topic) => (businessId) => signals.raise(topic, businessId),
    contextFor: jobContexts(database, statements.jobMs),
    background: background.run,
    settled: background.settled,
    closing: new AbortController(),
    ending: new AbortController(),
    withinTime: inTime,
    async closeTools() {
      mail.close();
      await boundedWorker.close();
      await inTime('the queue', queue.close());
    },
    close: () => inTime('the database', Promise.all([webhookDatabase.close(), database.close()])),
  };
}

async function openDatabases(
  config: RuntimeConfig,
  { databaseUrl }: RuntimeSecrets,
  entities: unknown[],
  statements: StatementLimits,
): Promise<Pick<Runtime, 'database' | 'webhookDatabase'>> {
  const { databasePoolMax, preparesStatements } = config;
  const database = await openDatabase(
    databaseUrl,
    databasePoolMax,
    entities,
    preparesStatements,
    statements,
  );
  const privileges = await database.privilegeProblems();
  if (privileges.length > 0) {
    await database.close();
    throw new StartError(privileges);
  }
  return {
    database,
    webhookDatabase: await openDatabase(databaseUrl, 2, [], preparesStatements, statements),
  };
}

/** What the key before has signed goes on to hold, so that it is published as well. */
async function publishEvidenceKeys(
  database: Database,
  clock: Clock,
  { masterKey, previousMasterKey }: RuntimeSecrets,
): Promise<EvidenceSigner> {
  const signer = evidenceSignerFrom(masterKey);
  for (const each of previousMasterKey ? [evidenceSignerFrom(previousMasterKey), signer] : [signer])
    await database.platform((tx) => keepEvidenceKey(tx, each, clock));
  return signer;
}

const jobContexts =
  (database: Database, jobMs: number): Runtime['contextFor'] =>
  (job) =>
  (businessId) => ({
    businessId,
    actor: { type: 'job', id: job },
    permissions: null,
    language: 'en',
    requestId: null,
    origin: null,
    // Often begun by what a person asked for, and not bound by it.
    transaction: (work) => withJobTimeout(jobMs, () => database.transaction(businessId, work)),
    registration: (work) =>
      withJobTimeout(jobMs, () =>
        database.registration((tx, enter) => work(tx, () => enter(businessId))),
      ),
  });
