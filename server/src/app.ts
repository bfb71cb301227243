import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  addressChanges,
  acceptInvitation,
  ApiKeyEntity,
  changeMember,
  verifyCredentials,
  createKey,
  deleteExpiredSessions,
  deleteOldCounted,
  deleteOldDevices,
  deleteOldTries,
  endMember,
  InvitationEntity,
  invite,
  listInvitations,
  listKeys,
  listAdministered,
  listMemberships,
  listPeople,
  nameActors,
  notifyPerson,
  MembershipEntity,
  openSecondFactor,
  openSessions,
  openTotp,
  openTries,
  operators,
  accountOf,
  readInvitation,
  readKey,
  refusalOf,
  revokeKey,
  signIn,
  switchMembership,
  waysBack,
  withdrawInvitation,
  isPersonBlocked,
  findMakers,
  describeMakers,
  notifyOfKeys,
} from './access/index.ts';
import { operatorRoutes } from './access/operator.routes.ts';
import { peopleRoutes } from './access/people.routes.ts';
import { openAlerts } from './alerts/index.ts';
import { alertRoutes } from './alerts/alert.routes.ts';
import { openJobHealth } from './job-health/index.ts';
import { accessRoutes } from './access/access.routes.ts';
import {
  listEntries,
  chainAuditLog,
  operatorLogRecorder,
  publishHead,
  recorder,
  type AuditCheck,
  verifyAuditLog,
} from './audit/index.ts';
import { activityRoutes } from './activity/activity.routes.ts';
import {
  addBranch,
  listBranches,
  setDevice,
  setNextDevice,
  updateBranch,
  listBranchViews,
} from './branches/index.ts';
import {
  adoptDevice,
  initialiseDevice,
  pauseLane,
  probeView,
  testDevice,
} from './devices/index.ts';
import { businessRoutes } from './businesses/business.routes.ts';
import {
  findDirectoryEntry,
  getSettings,
  listActiveBusinessIds,
  ownBranding,
  readLogo,
  recheckLogos,
  updateSettings,
} from './businesses/index.ts';
import { branchRoutes } from './branches/branch.routes.ts';
import { deviceRoutes } from './devices/device.routes.ts';
import { laneRoutes } from './receipts/lane.routes.ts';
import {
  findTaxpayer,
  readBookNames,
  getMappings,
  putMappings,
  readListsView,
  refreshDueLists,
  refreshLists,
  registerItems,
} from './catalogue/index.ts';
import { listsRoutes } from './catalogue/lists.routes.ts';
import { mappingRoutes } from './catalogue/mapping.routes.ts';
import { closingTimes } from './platform/closing-times.ts';
import type { Config, Secrets } from './config.ts';
import {
  accessTokens,
  connectByCode,
  connectionStatus,
  consents,
  deleteOldCalls,
  disconnect,
  readConnectionState,
  recordCalls,
  signInClient,
  watchGrantHealth,
} from './connections/index.ts';
import { oauthRoutes } from './connections/oauth.routes.ts';
import type { Context } from './context.ts';
import { type About, makeContexts } from './make-contexts.ts';
import { httpApp } from './http-app.ts';
import {
  deleteOldDeliveries,
  installation,
  listDeliveries,
  listWebhookAddresses,
  createWebhookAddress,
  readZohoHealth,
  receiveDelivery,
  removeWebhookAddress,
  rotateWebhookAddress,
} from './zoho-webhooks/index.ts';
import {
  closeMonth,
  listDocuments,
  countUnsettled,
  longestDue,
  describeRow,
  markElsewhere,
  unmarkElsewhere,
} from './worklist/index.ts';
import {
  leaveToPerson,
  retryAfterFix,
  processDueDocuments,
  pollDocuments,
} from './document-sync/index.ts';
import { worklistRoutes } from './worklist/worklist.routes.ts';
import { zohoWebhookRoutes } from './zoho-webhooks/zoho-webhook.routes.ts';
import { dayIn, stamp14 } from './dialect-kit/dates.ts';
import { loadDialects } from './dialects/index.ts';
import type { Dialects } from './ports/dialect/index.ts';
import {
  activateAfterSetup,
  addPerson,
  beginSupport,
  correctTaxpayer,
  duringSupport,
  endSupport,
  endWhatTheyOpened,
  getBusinessEntry,
  inviteAdmin,
  listBusinesses,
  listPeopleForOperator,
  listSupport,
  registerBusiness,
  readBusinessTrail,
  registerByOperator,
  rotateKeys,
  setBlocked,
  setBusinessStatus,
  setQuotas,
  setup,
  sumPlatform,
  SupportAccessEntity,
  updateBusiness,
} from './onboarding/index.ts';
import { peopleOfBusinessRoutes } from './onboarding/people-of-business.routes.ts';
import { ownBusinessRoutes } from './onboarding/own-business.routes.ts';
import { AppError } from './platform/app-error.ts';
import { openBoundedWorker } from './platform/bounded-worker.ts';
import { type Clock, systemAfter, systemClock, systemWait, systemWatch } from './platform/clock.ts';
import { retryOnDeadlock } from './platform/db/retry-on-deadlock.ts';
import {
  migrate,
  openDatabase,
  type StatementLimits,
  withJobTimeout,
  defaultStatementLimits,
} from './platform/db/database.ts';
import { openPriorityGate } from './platform/priority-gate.ts';
import { limitConcurrency } from './platform/limit-concurrency.ts';
import { type ByteLimits, openByteBudget, defaultByteLimits } from './platform/http/byte-budget.ts';
import { closeServer, listen, type Patience, defaultPatience } from './platform/http/listen.ts';
import { deleteOldIdempotencyKeys, idempotencyKeys } from './platform/http/idempotency.store.ts';
import { openTokenGate } from './platform/http/token-gate.ts';
import type { Call } from './platform/http/route.ts';
import { type Log, logTo } from './platform/log.ts';
import { secretsFrom } from './platform/derived-secret.ts';
import { mailBy } from './platform/mail.ts';
import { idsFrom } from './platform/new-id.ts';
import { type ResolverSettings, openNameResolver } from './platform/resolver.ts';
import { keepEvidenceKey, listEvidenceKeys } from './platform/evidence-key.store.ts';
import { evidenceSignerFrom } from './platform/evidence-signer.ts';
import { openQueue } from './platform/queue/queue.ts';
import { oneAtATime, sharedWhileRunning } from './platform/one-at-a-time.ts';
import { type Retention, type Round, startJobs } from './platform/jobs.ts';
import { openSignals, type Topic, topic } from './platform/signals.ts';
import { openFairQueue } from './platform/fair-queue.ts';
import { withTimeout } from './platform/with-timeout.ts';
import { vaultFrom } from './platform/vault.ts';
import {
  requestPrint,
  runPreflight,
  confirmReversal,
  confirmSettlement,
  drawingPages,
  drawingPdf,
  drawTraining,
  dropReversal,
  dropSettlement,
  findingUnprintable,
  findUnprintable,
  findReceipt,
  type LanePorts,
  type LaneTiming,
  listReceipts,
  listReceiptsOf,
  syncDocument,
  describeDoubt,
  makeEvidencePack,
  openLanes,
  redeemPrintLink,
  createReceipt,
  prepareSale,
  printForBooks,
  printTogether,
  proposeReversal,
  readPdf,
  receiptEvents,
  registerItemsOfDocument,
  resumeLane,
  runLane,
  settleWithEvidence,
  switchDevice,
  takeOverRefund,
  toReceiptView,
  usualTiming,
  withdrawReceipt,
} from './receipts/index.ts';
import { receiptRoutes } from './receipts/receipt.routes.ts';
import { countFromAuditLog, countTotals, getStats, reportUsage } from './reports/index.ts';
import { type Limits, openRateLimits, defaultLimits } from './rate-limits/index.ts';
import { idsInRequest, listCrossBusinessAccess, openIsolation } from './isolation/index.ts';
import { deliverAlerts, watchDeadlines } from './monitoring/index.ts';
import {
  deleteOldMessages,
  listMessages,
  queueEvent,
  deliverDue,
  webhookEndpoints,
  queueReceiptEvents,
} from './webhooks/index.ts';
import { noticeRoutes } from './webhooks/webhook.routes.ts';
import { standardWebhooks } from './webhook-sender/standard-webhooks.ts';
import {
  writeBackAfterSigning,
  mailReceipt,
  readSteps,
  retryWriteBack,
  writeDueReceipts,
} from './write-back/index.ts';
import { writeBackRoutes } from './write-back/write-back.routes.ts';
import { addressPolicy } from './platform/address-policy.ts';
import { type DirectSettings, directVsdc, usualSettings } from './vsdc/direct-vsdc.ts';
import { zohoAccounts } from './zoho/accounts.ts';
import { zohoBooks } from './zoho/books.ts';
import { booksSetup } from './zoho/books-setup.ts';
import { booksWriting } from './zoho/books-writing.ts';
import { zohoClient } from './zoho/client.ts';
import { zohoHosts } from './zoho/data-centres.ts';
import { openCallBudget, type CallBudgetSettings, defaultCallBudget } from './zoho/call-budget.ts';
import { booksPeople } from './zoho/books-people.ts';
import { webhookReader } from './zoho/webhook-reader.ts';
import { deleteOldPairings, pairings, checkZohoUser } from './zoho-sign-in/index.ts';
import { zohoSignInRoutes } from './zoho-sign-in/zoho-sign-in.routes.ts';

/** What tests and the demo world may replace: the clock, the patience, the log. */
export type Instead = {
  clock: Clock;
  log: Log;
  timing: Partial<LaneTiming>;
  vsdc: Partial<DirectSettings>;
  waitMs: number;
  sweepMs: number;
  lanesMax: number;
  limits: Partial<Limits>;
  patience: Partial<Patience>;
  statements: Partial<StatementLimits>;
  bytes: Partial<ByteLimits>;
  governor: Partial<CallBudgetSettings>;
  names: Partial<ResolverSettings>;
  dialects: Dialects;
  closeMs: number;
  intakeMs: number;
  keepUpMs: number;
  deadlinesMs: number;
};

export type App = {
  url: string;
  port: number;
  registerBusiness: ReturnType<typeof registerBusiness>;
  addPerson: ReturnType<typeof addPerson>;
  /** For the command line and the demo world: a context without a person. */
  contextOf(businessId: string): Context;
  initialiseDevice: ReturnType<typeof initialiseDevice>;
  /** A single-use link for the console that makes the first operator; null once there is one. */
  firstOperatorLink(): Promise<string | null>;
  /**
   * A single-use link for the console that makes another operator, where none can get in any more.
   */
  operatorLink(email: string): Promise<string>;
  /** Has the trails sealed, totals counted and misses looked into now, instead of in a moment. */
  settle(): Promise<void>;
  verifyAuditLog: typeof verifyAuditLog;
  /** Moves every data key to the present master key, and gives every business a new data key. */
  rotateKeys(): Promise<number>;
  businessIds(): Promise<string[]>;
  sweep(): Promise<void>;
  /** Deletes what is over and says how far the trails go now, instead of within the hour. */
  tidy(): Promise<void>;
  close(): Promise<void>;
};

export const version = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  }
).version;

/** Lanes that one process works at once: most of the time each only waits for its device. */
const lanesMax = 512;

/** A deadline is counted in hours: five minutes late is in time. */
const deadlineMinutes = 5;

const auditWritten = topic('audit written');
const lookupsDenied = topic('lookups denied');
const documentsDue = topic('documents due');
const messagesDue = topic('messages due');

const migrations = new URL('./migrations', import.meta.url).pathname;

/** Builds everything once and binds it together; nothing else constructs anything. */
export async function startApp(
  config: Config,
  secrets: Secrets,
  instead: Partial<Instead> = {},
): Promise<App> {
  const clock = instead.clock ?? systemClock;
  const log = instead.log ?? logTo(config.logLevel);
  const newId = idsFrom(clock);
  const worker = `wrk_${randomBytes(8).toString('hex')}`;
  const vsdcSettings = { ...usualSettings, ...instead.vsdc };
  const timing = {
    ...usualTiming,
    leaseMs: vsdcSettings.answerTimeoutMs + 15_000,
    lateTimeoutMs: vsdcSettings.lateTimeoutMs,
    ...instead.timing,
  };
  await migrate(secrets.migrationDatabaseUrl, migrations);
  const statements = { ...defaultStatementLimits, ...instead.statements };
  const database = await openDatabase(
    secrets.databaseUrl,
    config.databasePoolMax,
    [ApiKeyEntity, InvitationEntity, MembershipEntity, SupportAccessEntity],
    config.preparesStatements,
    statements,
  );
  const privileges = await database.privilegeProblems();
  if (privileges.length > 0) {
    await database.close();
    throw new StartError(privileges);
  }
  // Connections kept for what comes in: a delivery never waits for one behind what is being sealed.
  const doorstep = await openDatabase(
    secrets.databaseUrl,
    2,
    [],
    config.preparesStatements,
    statements,
  );
  const queue = await openQueue(secrets.queueDatabaseUrl, database, log, statements);
  const vault = vaultFrom(secrets.masterKey, secrets.previousMasterKey);
  const dialects = instead.dialects ?? (await loadDialects());
  const notary = evidenceSignerFrom(secrets.masterKey);
  // What the key before has signed goes on to hold, so that it is published as well.
  for (const each of secrets.previousMasterKey
    ? [evidenceSignerFrom(secrets.previousMasterKey), notary]
    : [notary])
    await database.platform((tx) => keepEvidenceKey(tx, each, clock));
  const signals = openSignals();
  const raising = (of: Topic) => (businessId: string) => signals.raise(of, businessId);
  const record = recorder(clock, newId, raising(auditWritten));
  const recordPlatform = operatorLogRecorder(clock, newId);
  const alerts = openAlerts({ clock, newId, log, record });
  const names = openNameResolver(instead.names);
  const hosts = zohoHosts(config.zohoHostsAlso);
  const accounts = zohoAccounts(hosts, names.lookup);
  const tokens = accessTokens({ database, vault, accounts, clock, worker });
  const calls = recordCalls({
    clock,
    newId,
    worker,
    contextOf: (businessId) => jobContext(businessId, 'calls'),
    run: (...ask) => jobs.run(...ask),
  });
  const limits = openCallBudget(clock, { ...defaultCallBudget, ...instead.governor });
  const zoho = zohoClient({
    tokens,
    hosts,
    budget: limits,
    clock,
    made: calls.made,
    lookup: names.lookup,
  });
  const books = zohoBooks(
    zoho,
    clock,
    dialects.all().map(({ identity }) => identity.country),
  );
  const vsdc = directVsdc(addressPolicy(config.vsdcNetworks, names), vsdcSettings);
  const changes = receiptEvents();
  const work = openBoundedWorker();
  const ownLogo = readLogo(work);
  const unprintable = findUnprintable({
    find: (businessId, letters) => work.run(businessId, findingUnprintable, letters),
  });
  /**
   * What stands on receipts is refused where it is kept, if no font has it: nobody would see it
   * before it is printed.
   */
  const checkPrinted = async (
    ctx: Context,
    texts: { field: string; text: unknown }[],
  ): Promise<void> => {
    const [found] = await unprintable(
      ctx.businessId,
      texts.flatMap(({ field, text }) => (typeof text === 'string' ? [{ field, text }] : [])),
    );
    if (found) throw new AppError(found.code, found);
  };
  const cleanBranding = ownBranding({ readLogo: ownLogo });
  const branding: typeof cleanBranding = async (ctx, given) => {
    await checkPrinted(
      ctx,
      Object.entries(given).flatMap(([name, value]) =>
        [value ?? ''].flat().map((text) => ({ field: `branding.${name}`, text })),
      ),
    );
    return cleanBranding(ctx, given);
  };

  // Of the connections that the lanes leave, the people of one business have some at most; of
  // these, searches and sums two.
  const peopleShare = openFairQueue({
    atOnce: Math.max(2, Math.floor(config.databasePoolMax * 0.4)),
    waitMs: statements.askedMs,
    lineMost: 500,
  });
  const heavyShare = openFairQueue({ atOnce: 2, waitMs: statements.askedMs, lineMost: 50 });
  const { jobContext, operatorContext, personContext } = makeContexts(
    database,
    statements,
    peopleShare,
  );

  const prepare = prepareSale({ books, dialects, clock, findUnprintable: unprintable, day: dayIn });
  const register = registerItems({ vsdc, dialects, clock });
  const background = new Set<Promise<unknown>>();
  const inBackground = (work: Promise<unknown>) => {
    background.add(work);
    void work.finally(() => background.delete(work)).catch(() => {});
  };
  const businessIds = () => database.platform(listActiveBusinessIds);
  const tellOperator = async (event: string, about: object): Promise<void> => {
    if (!config.alertHookUrl) return;
    const body = JSON.stringify({ event, ...about });
    await fetch(config.alertHookUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(10_000),
    });
  };
  const jobs = openJobHealth({
    database,
    clock,
    log,
    alerts,
    contextOf: (businessId) => jobContext(businessId, 'jobs'),
    tell: (about) => tellOperator('job_failing', about),
  });
  const dayOf = { database, dialects, clock, day: dayIn };
  const followers = [
    countFromAuditLog({ dialects }),
    retryAfterFix({ clock, touch: raising(documentsDue) }),
    writeBackAfterSigning({ clock, touch: raising(documentsDue) }),
    queueReceiptEvents({ clock, newId, touch: raising(messagesDue) }),
  ];
  const countBusiness = countTotals(dayOf);
  const usage = openRateLimits({
    clock,
    run: jobs.run,
    contextOf: (businessId) => jobContext(businessId, 'usage'),
    limits: { ...defaultLimits, ...instead.limits },
  });
  const walls = openIsolation({
    database,
    clock,
    newId,
    log,
    record,
    alerts,
    contextOf: (businessId) => jobContext(businessId, 'walls'),
    tell: (attempt) => tellOperator('cross_business_access', attempt),
    touch: raising(lookupsDenied),
    background: inBackground,
  });
  const begunToClose = new AbortController();
  const ending = new AbortController();
  const lanePorts: LanePorts = {
    vsdc,
    dialects,
    queue,
    record,
    alerts,
    clock,
    startWatch: systemWatch(clock),
    wait: systemWait,
    after: systemAfter,
    newId,
    log,
    timing,
    worker,
    underWay: new Map(),
    closing: begunToClose.signal,
    ending: ending.signal,
    prepareSale: prepare,
    registerItems: register,
    afterSigned: async (_tx, ctx) => signals.raise(auditWritten, ctx.businessId),
    background: inBackground,
    worked: async (ctx, deviceId, surprise) => {
      await jobs.run(ctx.businessId, `lane.${deviceId}`, () =>
        surprise ? Promise.reject(surprise) : Promise.resolve(),
      );
    },
    changed: changes.changed,
  };
  // Half of the connections are the lanes' at most: people never wait behind hundreds of devices,
  // and a few at a time are done sooner than all at once.
  const laneTurn = limitConcurrency(Math.max(2, Math.floor(config.databasePoolMax / 2)));
  const laneContext = (businessId: string): Context => {
    const ctx = jobContext(businessId, 'lane');
    // Nobody asks a lane once more: what was given up because it and a person waited for each other
    // is begun again, in its turn.
    return {
      ...ctx,
      transaction: (work) => retryOnDeadlock(() => laneTurn(() => ctx.transaction(work))),
    };
  };
  const lanes = openLanes({
    runLane: runLane(lanePorts),
    contextOf: laneContext,
    businessIds,
    clock,
    log,
    atOnceMax: instead.lanesMax ?? lanesMax,
    run: jobs.run,
    after: systemAfter,
  });
  await queue.work(({ business_id, device_id }) => lanes.call(business_id, device_id));

  const mail = mailBy(secrets.smtpUrl, config.mailFrom);
  const people = { clock, newId, record, sendMail: mail.send, publicUrl: config.publicUrl };
  const readKeyOf = readKey({
    database,
    clock,
    standingOf: (businessId, makerId) =>
      database.platform(async (tx) => {
        const entry = await findDirectoryEntry(tx, businessId);
        const business = entry && {
          name: entry.name,
          taxpayerId: entry.taxpayerId,
          organizationId: entry.organizationId,
          status: entry.status,
        };
        return { business, isMakerBlocked: await isPersonBlocked(tx, makerId) };
      }),
  });
  const sessions = openSessions({
    database,
    clock,
    readKey: readKeyOf,
    log,
    derive: secretsFrom(secrets.masterKey, 'session renewal'),
  });
  const tries = openTries({ database, clock, newId });
  const tellPerson = notifyPerson({
    database,
    clock,
    sendMail: mail.send,
    log,
    background: inBackground,
    publicUrl: config.publicUrl,
  });
  const factor = openSecondFactor({
    database,
    clock,
    newId,
    totp: openTotp({ vault, clock }),
    tries,
    notify: tellPerson,
  });
  const who = verifyCredentials({ database, clock, newId });
  const account = accountOf({
    database,
    clock,
    newId,
    sessions,
    factor,
    tries,
    notify: tellPerson,
    derive: secretsFrom(secrets.masterKey, 'password reset'),
    sendMail: mail.send,
    background: inBackground,
    publicUrl: config.publicUrl,
    log,
  });
  const entering = { database, clock, newId, sessions, factor };
  const endWith = endWhatTheyOpened({
    clock,
    record,
    contextOf: (businessId) => jobContext(businessId, 'operator_ended'),
  });
  const operatorsOf = operators({
    ...entering,
    recordPlatform,
    tries,
    sendMail: mail.send,
    publicUrl: config.publicUrl,
    endWith,
  });
  const waysBackOf = waysBack({
    ...people,
    database,
    sessions,
    tries,
    notify: tellPerson,
    derive: secretsFrom(secrets.masterKey, 'way back'),
    checkWho: who,
    contextOf: (businessId) => jobContext(businessId, 'way_back'),
    background: inBackground,
    log,
  });
  const addressChangesOf = addressChanges({
    ...people,
    database,
    recordPlatform,
    sessions,
    notify: tellPerson,
    tries,
    derive: secretsFrom(secrets.masterKey, 'address change'),
    contextOf: (businessId) => jobContext(businessId, 'address_change'),
    background: inBackground,
    log,
  });
  const ofKeys = {
    alerts,
    tellOfKeys: notifyOfKeys({
      database,
      sendMail: mail.send,
      log,
      background: inBackground,
      publicUrl: config.publicUrl,
    }),
  };
  const watching = {
    database,
    record,
    recordPlatform,
    sessions,
    clock,
    log,
    sendMail: mail.send,
    background: inBackground,
    ...ofKeys,
  };
  const platform = {
    database,
    vault,
    accounts,
    clock,
    newId,
    record,
    recordPlatform,
    sendMail: mail.send,
    publicUrl: config.publicUrl,
  };
  const granting = { database, vault, accounts, clock, newId, record };
  const lists = { vsdc, dialects, clock, log, record, alerts, worker };
  const refresh = refreshLists(lists);
  const sync = async (ctx: Context, deviceId: string): Promise<void> =>
    void (await refresh(ctx, deviceId));
  const asking = new Set<string>();
  const initialise = initialiseDevice({
    vsdc,
    asking,
    dialects,
    vault,
    clock,
    record,
    alerts,
    wait: systemWait,
    log,
    afterActive: sync,
    recordMaxMs: timing.recordMaxMs,
    ending: ending.signal,
  });
  const printPorts = {
    dialects,
    clock,
    newId,
    record,
    version,
    draw: (businessId: string, ...ask: Parameters<NonNullable<typeof drawingPdf.is>>) =>
      work.run(businessId, drawingPdf, ...ask),
    drawForBrowser: (businessId: string, ...ask: Parameters<NonNullable<typeof drawingPages.is>>) =>
      work.run(businessId, drawingPages, ...ask),
    localTime: (at: Date, timeZone: string) => {
      const stamp = stamp14(at, timeZone);
      return {
        date: `${stamp.slice(6, 8)}/${stamp.slice(4, 6)}/${stamp.slice(0, 4)}`,
        time: `${stamp.slice(8, 10)}:${stamp.slice(10, 12)}:${stamp.slice(12, 14)}`,
      };
    },
  };
  const qrSvg = async (text: string) => (await import('./receipts/paper/code.ts')).codeSvg(text);
  const open = createReceipt({
    prepareSale: prepare,
    dialects,
    queue,
    record,
    alerts,
    clock,
    newId,
  });
  // Whoever asks is waiting: the lane is looked at now, where it is free here; the call from the
  // queue is for every other case.
  const opening: typeof open = async (ctx, input, isReplay) => {
    const receipt = await open(ctx, input, isReplay);
    // The lane takes the time it needs, whatever the one who asked is ready to wait.
    if (receipt.state === 'queued')
      withJobTimeout(statements.jobMs, () => lanes.call(ctx.businessId, receipt.deviceId));
    return receipt;
  };
  const drawTrainingNow = drawTraining(printPorts);
  const testDeviceNow = testDevice({ vsdc, dialects, clock });
  const viewProbe = probeView(dialects);
  const zohoState = readConnectionState({ database, accounts, tokens });
  const devices = { clock, newId, record, dialects };
  const aboutOf = ({ language, requestId, from }: Call): About => ({
    language,
    requestId,
    origin: from.address,
  });
  const named = nameActors({ database });
  const stats = getStats(dayOf);
  const get = async (ctx: Context, id: string) => {
    const receipt = await ctx.transaction((tx) => findReceipt(tx, id));
    if (!receipt) throw new AppError('not_found');
    return receipt;
  };
  const hooks = { vault, clock, newId, record, publicUrl: config.publicUrl };
  const redirectUri = `${config.publicUrl}/api/v1/oauth/callback`;
  const platformClientOf = (accountsServer: string) =>
    platformClient(config, secrets, accountsServer);
  const zohoPeople = booksPeople(zoho);
  const isStillThere = checkZohoUser({
    people: zohoPeople,
    contextOf: (businessId) => jobContext(businessId, 'zoho_sign_in'),
  });
  const isPlatformClient = (clientId: string) => clientId === config.zohoClientId;
  const installing = installation({ ...hooks, setup: booksSetup(zoho) });
  const poll = pollDocuments({ books, clock, jobs });
  const grantWorks = watchGrantHealth({ database, alerts, record });
  const giveWay = openPriorityGate();
  const lookAt = processDueDocuments({
    alerts,
    giveWay,
    lookAtDocument: syncDocument({
      prepareSale: prepare,
      dialects,
      queue,
      record,
      alerts,
      clock,
      newId,
    }),
    clock,
    log,
  });
  const writeBack = writeDueReceipts({
    writing: booksWriting(zoho),
    printForBooks: printForBooks(printPorts),
    localTime: (at, dialect) => {
      const { date, time } = printPorts.localTime(at, dialects.of(dialect).identity.timeZone);
      return `${date} ${time}`;
    },
    alerts,
    record,
    clock,
    log,
  });
  // Rounds of their own: an address of a business that never answers must not hold up what is to be
  // sealed for it.
  const messenger = standardWebhooks(addressPolicy(config.hookNetworks, names));
  const notices = deliverDue({ vault, clock, alerts, messenger, run: jobs.run });
  const peopleOf = listPeople({ database });
  const refreshDue = refreshDueLists(lists);
  const watchOver = watchDeadlines({
    dialects,
    longestDue,
    alerts,
    testDevice: testDeviceNow,
    clock,
    worker,
    minutes: deadlineMinutes,
  });
  const tell = deliverAlerts({
    clock,
    log,
    sendMail: mail.send,
    publicUrl: config.publicUrl,
    adminMails: async (ctx) =>
      (await peopleOf(ctx))
        .filter(
          ({ membership }) =>
            membership.role === 'business_admin' && membership.status === 'active',
        )
        .map(({ email }) => email),
    notify: queueEvent({ clock, newId, touch: raising(messagesDue) }),
  });
  const deliveries = receiveDelivery({
    reader: webhookReader,
    vault,
    clock,
    newId,
    log,
    alerts,
    contextOf: (businessId) => ({
      ...jobContext(businessId, 'webhook'),
      transaction: (work) => doorstep.transaction(businessId, work),
    }),
    touch: raising(documentsDue),
    giveWay,
    limits: usage,
  });
  const oneExport = oneAtATime('export_under_way');
  const oneVerification = sharedWhileRunning<AuditCheck>();
  const routes = [
    ...accessRoutes({
      signIn: signIn({ ...entering, checkWho: who }),
      switchMembership: switchMembership({ database, sessions }),
      signOut: sessions.end,
      account,
      operators: operatorsOf,
      waysBack: {
        ...waysBackOf,
        object: async (token, from) =>
          void (
            (await addressChangesOf.object(token, from)) || (await waysBackOf.object(token, from))
          ),
      },
      listMemberships: (personId) => database.platform((tx) => listMemberships(tx, personId)),
      readInvitation: readInvitation({ database, clock }),
      acceptInvitation: acceptInvitation({ ...entering, record, checkWho: who }),
      qrSvg,
      now: () => clock.now(),
    }),
    ...zohoSignInRoutes({
      pairings: pairings({
        ...granting,
        sessions,
        knowsDevice: factor.knows,
        people: zohoPeople,
        clientOf: signInClient({ database, vault, accounts, platformClient: platformClientOf }),
        contextOf: (businessId) => jobContext(businessId, 'zoho_sign_in'),
        redirectUri,
        publicUrl: config.publicUrl,
      }),
      renew: async (refreshToken) => {
        const renewed = await sessions.renew(refreshToken, isStillThere);
        return { ...renewed, session: await sessions.read(renewed.token) };
      },
      now: () => clock.now(),
    }),
    ...peopleRoutes({
      listPeople: peopleOf,
      changeMember: changeMember({ database, clock, record, ...ofKeys }),
      endMember: endMember({ database, clock, record, ...ofKeys }),
      listInvitations: listInvitations({ clock }),
      invite: invite(people),
      withdrawInvitation: withdrawInvitation(people),
      listKeys: listKeys({ clock }),
      createKey: createKey(people),
      revokeKey: revokeKey({ clock, record, alerts }),
      makersOf: (ctx, ids) => describeMakers({ database }, ctx, ids),
      waysBack: waysBackOf,
      now: () => clock.now(),
    }),
    ...operatorRoutes(operatorsOf),
    ...peopleOfBusinessRoutes({
      listPeople: listPeopleForOperator(watching),
      setBlocked: setBlocked(watching),
      waysBack: waysBackOf,
      addressChanges: addressChangesOf,
    }),
    ...businessRoutes({
      register: (call, ask) =>
        registerByOperator({ ...platform, dialects, day: dayIn })(
          (businessId) => operatorContext(call.session, businessId, aboutOf(call)),
          ask,
        ),
      list: (call, page) =>
        listBusinesses(platform)(
          { id: call.session.person.id, origin: call.from.address, requestId: call.requestId },
          page,
        ),
      get: getBusinessEntry({ database }),
      update: updateBusiness(platform),
      setStatus: setBusinessStatus(platform),
      setQuotas: async (ctx, to) => {
        await setQuotas(platform)(ctx, to);
        usage.forget(ctx.businessId);
      },
      inviteAdmin: inviteAdmin(platform),
      correctTaxpayer: correctTaxpayer(platform),
      getSettings,
      updateSettings: updateSettings({
        clock,
        record,
        alerts,
        ownBranding: branding,
        exemptNoLonger: leaveToPerson,
      }),
      withFactor(session) {
        const refusal = refusalOf(
          session,
          { guard: 'manage_business', secondFactor: true },
          clock.now(),
        );
        if (refusal) throw new AppError(refusal);
      },
      ownBranding: branding,
      drawTraining: drawTrainingNow,
      beginSupport: beginSupport({ database, clock, newId, record }),
      endSupport: endSupport({ database, clock, newId, record }),
      listSupport: listSupport({ clock }),
      totals: sumPlatform({ database, clock }),
      listAttempts: (page) => database.platform((tx) => listCrossBusinessAccess(tx, page)),
    }),
    ...ownBusinessRoutes({
      setDevice: setDevice(devices),
      testDevice: async (ctx, branchId) => viewProbe(ctx, await testDeviceNow(ctx, branchId)),
      listBranches: listBranchViews({ vault }),
      probes: async (ctx) =>
        Object.fromEntries(
          (await ctx.transaction((tx) => listBranches(tx))).map((branch) => [
            branch.id,
            branch.device?.probe
              ? viewProbe(ctx, { ...branch.device.probe, dialect: branch.device.dialect })
              : null,
          ]),
        ),
      readZohoState: (ctx) => zohoState(ctx, false),
      isPlatformClient,
      listHooks: listWebhookAddresses({ clock }),
      publicUrl: config.publicUrl,
      listDataCentres: accounts.listDataCentres,
      getStats: stats,
      listReceipts: (ctx, page) => ctx.transaction((tx) => listReceipts(tx, page)),
      supportReceipts: (ctx, page) =>
        duringSupport({ database, clock, newId, record })(ctx, 'receipts', (tx) =>
          listReceipts(tx, page),
        ),
      view: (receipt, language) => toReceiptView(receipt, dialects, language),
      usage: reportUsage({ usage, getStats: stats, clock }),
      setup: setup({
        clock,
        record,
        books,
        testDevice: testDeviceNow,
        setDevice: setDevice(devices),
        initialiseDevice: initialise,
        adoptDevice: adoptDevice({ record, clock, asking, afterActive: sync }),
        readZohoState: zohoState,
        connectByCode: connectByCode({ ...granting, tokens, countUnsettled }),
        prepareSale: prepare,
        seal: async (ctx, documentId) =>
          changes.waitForReceipt(
            ctx,
            await opening(ctx, { module: 'invoices', document_id: documentId }, false),
            instead.waitMs ?? 10_000,
          ),
        refreshLists: refresh,
        findTaxpayer: findTaxpayer({ vsdc, dialects, clock }),
        registerItemsOf: registerItemsOfDocument({
          prepareSale: prepare,
          registerItems: register,
          dialects,
          newId,
          clock,
          worker,
        }),
        drawTraining: (ctx) => drawTrainingNow(ctx, {}, 'a4'),
        activate: activateAfterSetup(platform),
      }),
    }),
    ...oauthRoutes({
      madeBy: findMakers({ database }, 'connection.made'),
      consents: consents({
        ...granting,
        tokens,
        countUnsettled,
        redirectUri,
        platformClient: platformClientOf,
        listAdministered: async (session, ctx) =>
          (await listAdministered({ database })(session.person.id)).map((each) => ({
            name: each.businessName,
            organizationId: each.organizationId,
            ctx: {
              ...ctx,
              businessId: each.businessId,
              actor: {
                type: 'person',
                id: session.person.id,
                membershipId: each.membershipId,
                name: session.person.name,
              },
              transaction: (work) => database.transaction(each.businessId, work),
              registration: (work) =>
                database.registration((tx, enter) => work(tx, () => enter(each.businessId))),
            },
          })),
      }),
      status: connectionStatus({ database }),
      disconnect: async (ctx, id) => {
        // Rules and webhooks go while the grant still allows it; where it is dead they stay at
        // Zoho, and lead nowhere.
        await installing.uninstall(ctx).catch((error: unknown) => {
          if (!(error instanceof AppError)) throw error;
        });
        await disconnect(granting)(ctx, id);
      },
      isPlatformClient,
    }),
    ...zohoWebhookRoutes({
      listHooks: listWebhookAddresses({ clock }),
      makeHook: createWebhookAddress(hooks),
      rotateHook: rotateWebhookAddress(hooks),
      removeHook: removeWebhookAddress(hooks),
      listDeliveries: (ctx, page) => ctx.transaction((tx) => listDeliveries(tx, page)),
      receive: deliveries.receive,
      expect: openTokenGate({ look: deliveries.expect, refusal: 'not_found', limits: usage }).read,
      installation: installing,
      health: readZohoHealth({ clock, jobs }),
      pollNow: async (ctx) => {
        const looked = await poll(ctx, true);
        signals.raise(documentsDue, ctx.businessId);
        return looked;
      },
    }),
    ...worklistRoutes({
      list: listDocuments,
      describeRow,
      month: closeMonth({ clock }),
      mark: markElsewhere({ clock, record }),
      takeBack: unmarkElsewhere({ clock, record }),
      oneExport,
    }),
    ...noticeRoutes({
      subscribers: webhookEndpoints({ vault, clock, newId, record }),
      madeBy: findMakers({ database }, 'subscriber.added'),
      listNotices: (ctx, page) => ctx.transaction((tx) => listMessages(tx, page)),
      touch: raising(messagesDue),
    }),
    ...writeBackRoutes({
      readSteps,
      retry: retryWriteBack({ clock, record, touch: raising(documentsDue) }),
      mail: mailReceipt({ clock, record, touch: raising(documentsDue) }),
    }),
    ...activityRoutes({
      listTrail: async (ctx, filter) =>
        named(await ctx.transaction((tx) => listEntries(tx, 'audit', filter))),
      verifyAuditLog: (ctx, isWhole) =>
        oneVerification(`${ctx.businessId} ${isWhole}`, () => verifyAuditLog(ctx, isWhole)),
      oneExport,
      exported: (ctx) =>
        ctx.transaction((tx) =>
          record(tx, ctx, { action: 'trail.exported', subject: ctx.businessId }),
        ),
      listBusinessTrail: async (ctx, filter) =>
        named(await readBusinessTrail({ database, clock, newId, record })(ctx, filter)),
      listPlatformTrail: async (filter) =>
        named(await database.platform((tx) => listEntries(tx, 'reference.platform_audit', filter))),
    }),
    ...receiptRoutes({
      openReceipt: opening,
      waitForReceipt: changes.waitForReceipt,
      checkBeforeSigning: runPreflight({ prepareSale: prepare, dialects, clock }),
      getReceipt: get,
      findReceipts: (ctx, module, documentId) =>
        ctx.transaction((tx) => listReceiptsOf(tx, module, documentId)),
      withdrawReceipt: withdrawReceipt(lanePorts),
      takeOverRefund: takeOverRefund({ record, clock, queue }),
      settleByPerson: settleWithEvidence(lanePorts),
      confirmSettlement: confirmSettlement(lanePorts),
      dropSettlement: dropSettlement(lanePorts),
      lookAtDoubt: describeDoubt({ clock, dialects, underWay: lanePorts.underWay }),
      makeEvidencePack: makeEvidencePack({ notary, clock, version, record }),
      proposeReversal: proposeReversal(lanePorts),
      confirmReversal: confirmReversal(lanePorts),
      dropReversal: dropReversal(lanePorts),
      askForPrint: requestPrint(printPorts),
      printTogether: printTogether(printPorts),
      readPdf: readPdf(printPorts),
      openLink: redeemPrintLink(printPorts),
      qrSvg,
      view: (receipt, language) => toReceiptView(receipt, dialects, language),
      contextOf: (businessId, actor) => ({
        ...jobContext(businessId, 'print-link'),
        ...(actor ? { actor } : {}),
      }),
      waitMs: instead.waitMs ?? 10_000,
    }),
    ...alertRoutes(alerts),
    ...branchRoutes({
      listBranches: listBranchViews({ vault }),
      addBranch: async (ctx, ask) => {
        await checkPrinted(ctx, [{ field: 'address', text: ask.address }]);
        return addBranch(devices)(ctx, ask);
      },
      updateBranch: async (ctx, id, given) => {
        await checkPrinted(ctx, [{ field: 'address', text: given.address }]);
        return updateBranch(devices)(ctx, id, given);
      },
      setNextDevice: setNextDevice(devices),
    }),
    ...deviceRoutes({
      listBranches: listBranchViews({ vault }),
      initialiseDevice: initialise,
      adoptDevice: adoptDevice({ record, clock, asking, afterActive: sync }),
      pauseLane: pauseLane({ record }),
    }),
    ...laneRoutes({
      listBranches: listBranchViews({ vault }),
      switchDevice: switchDevice(lanePorts),
      resumeLane: resumeLane({ record, alerts, clock, queue, changed: changes.changed }),
    }),
    ...listsRoutes({
      view: readListsView({ clock }),
      // It may take as long as a device takes; whoever asked sees how far it is.
      refresh: (ctx, deviceId) =>
        inBackground(
          refresh(ctx, deviceId).then(() => signals.raise(documentsDue, ctx.businessId)),
        ),
    }),
    ...mappingRoutes({
      getMappings,
      listNames: readBookNames({ books }),
      putMappings: async (ctx, kind, mappings) => {
        await checkPrinted(
          ctx,
          mappings.map(({ value }, index) => ({
            field: `mappings.${index}.value.name`,
            text: value.name,
          })),
        );
        return putMappings({ record, clock })(ctx, kind, mappings);
      },
      findTaxpayer: findTaxpayer({ vsdc, dialects, clock }),
    }),
  ];

  const sessionDoor = openTokenGate({
    look: sessions.read,
    refusal: 'not_signed_in',
    limits: usage,
  });
  const http = httpApp({
    routes,
    version,
    config,
    failingJobs: jobs.listPlatform,
    // Totals are for the operator who has given their second factor.
    isOperator: async (token, address) => {
      const session = await sessionDoor.read(token, address).catch(() => null);
      return session?.isOperator === true && session.verifiedAt !== null;
    },
    totals: sumPlatform({ database, clock }),
    evidenceKeys: () => database.platform(listEvidenceKeys),
    ports: {
      log,
      tokens: sessionDoor,
      bytes: openByteBudget({ ...defaultByteLimits, ...instead.bytes }),
      contextOf: personContext,
      refusalOf: (session, endpoint) => refusalOf(session, endpoint, clock.now()),
      operatorContextOf: operatorContext,
      limits: usage,
      walls: {
        recordDeniedLookups: walls.recordDeniedLookups,
        recordMismatch: walls.recordMismatch,
        idsInRequest,
      },
      idempotency: idempotencyKeys(clock),
      askedMs: statements.askedMs,
      heavy: heavyShare,
    },
  });

  const { server, port } = await listen(http, config, { ...defaultPatience, ...instead.patience });
  const retention: Retention[] = [
    { what: 'sessions', keepDays: 0, scope: 'business', delete: deleteExpiredSessions },
    { what: 'calls to the books', keepDays: 7, scope: 'business', delete: deleteOldCalls },
    { what: 'deliveries', keepDays: 30, scope: 'business', delete: deleteOldDeliveries },
    { what: 'messages', keepDays: 30, scope: 'business', delete: deleteOldMessages },
    { what: 'repeated requests', keepDays: 1, scope: 'business', delete: deleteOldIdempotencyKeys },
    { what: 'tries to sign in', keepDays: 90, scope: 'reference', delete: deleteOldTries },
    { what: 'counted tries', keepDays: 2, scope: 'reference', delete: deleteOldCounted },
    { what: 'known devices', keepDays: 0, scope: 'reference', delete: deleteOldDevices },
    { what: 'pairings', keepDays: 1, scope: 'reference', delete: deleteOldPairings },
  ];
  const sayHead = publishHead({ notary, clock, log, worker });
  const sealing: Round = {
    name: 'seal_all',
    everyMs: 60_000,
    woken: { name: 'seal', everyMs: 1_000, by: [auditWritten] },
    actor: 'sealer',
    drain: 'last',
  };
  const inspecting: Round = {
    name: 'misses_all',
    everyMs: 60_000,
    woken: { name: 'misses', everyMs: 5_000, by: [lookupsDenied] },
    actor: 'walls',
    drain: 'first',
  };
  const inTurn = (name: string, everyMs: number, actor: string): Round => ({
    name,
    everyMs,
    actor,
  });
  const keepingUp: Round = {
    name: 'keep_up',
    everyMs: 60_000,
    woken: { name: 'intake', everyMs: 300, by: [documentsDue] },
    actor: 'intake',
    severalAs: 'keeping up with Zoho',
    drain: 'work',
  };
  const telling: Round = {
    name: 'tell_all',
    everyMs: 60_000,
    woken: { name: 'tell', everyMs: 300, by: [messagesDue] },
    actor: 'notices',
    severalAs: 'telling of receipts',
    drain: 'work',
  };
  const watchingOver: Round = {
    name: 'deadlines',
    everyMs: 60_000,
    actor: 'deadlines',
    severalAs: 'watching deadlines',
  };
  const running = startJobs({
    jobs: [
      { round: sealing, name: 'seal', forBusiness: (ctx) => chainAuditLog(ctx, followers) },
      {
        round: inTurn('trail_heads', 900_000, 'trail_head'),
        name: 'trail_head',
        forBusiness: sayHead,
      },
      { round: inspecting, name: 'misses', forBusiness: walls.inspect },
      { name: 'usage', everyMs: 10_000, run: usage.flush, drain: 'first' },
      {
        round: inTurn('ways_back', 60_000, 'ways_back'),
        name: 'ways_back',
        forBusiness: waysBackOf.tellUntold,
      },
      { name: 'address_changes', everyMs: 60_000, run: addressChangesOf.tellDue },
      { name: 'calls', everyMs: 2_000, run: () => calls.flush(limits), drain: 'first' },
      { name: 'idle_lanes', everyMs: 5_000, run: lanes.sweep, atStart: true },
      {
        round: keepingUp,
        name: 'connection',
        isOnlyWhenDue: true,
        isGate: true,
        forBusiness: grantWorks,
      },
      { round: keepingUp, name: 'poll', isOnlyWhenDue: true, forBusiness: (ctx) => poll(ctx) },
      { round: keepingUp, name: 'look', forBusiness: lookAt },
      { round: keepingUp, name: 'write_back', forBusiness: writeBack },
      { round: telling, name: 'notices', forBusiness: notices.begin, idle: notices.idle },
      { round: watchingOver, name: 'authority_lists', forBusiness: refreshDue },
      { round: watchingOver, name: 'deadlines', forBusiness: watchOver },
      { round: watchingOver, name: 'tell_alerts', forBusiness: tell },
      { round: watchingOver, name: 'health', forBusiness: jobs.forgetOld },
      {
        round: { ...inTurn('totals', 60_000, 'totals'), drain: 'last' },
        name: 'totals',
        forBusiness: countBusiness,
      },
    ],
    retention,
    signals,
    businessIds,
    contextFor: (actor) => (businessId) => jobContext(businessId, actor),
    database,
    clock,
    log,
    health: jobs,
    everyMs: {
      idle_lanes: instead.sweepMs,
      intake: instead.intakeMs,
      tell: instead.intakeMs,
      keep_up: instead.keepUpMs,
      deadlines: instead.deadlinesMs,
    },
  });
  const recheck = recheckLogos({
    contextOf: (businessId) => jobContext(businessId, 'logos'),
    read: ownLogo,
    record,
    alerts,
    clock,
    log,
  });
  inBackground(businessIds().then(recheck));
  log.info({ port, worker }, 'Muhuri is up');
  let closing: Promise<void> | null = null;
  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    port,
    registerBusiness: registerBusiness({
      database,
      vault,
      clock,
      newId,
      record,
      readLogo: ownLogo,
    }),
    addPerson: addPerson({ database, clock, newId, record }),
    contextOf: (businessId) => jobContext(businessId, 'command_line'),
    initialiseDevice: initialise,
    sweep: lanes.sweep,
    firstOperatorLink: operatorsOf.firstLink,
    operatorLink: operatorsOf.linkByCommand,
    async settle() {
      await Promise.allSettled(background);
      await running.drain();
    },
    verifyAuditLog,
    rotateKeys: rotateKeys({
      database,
      vault,
      record,
      contextOf: (businessId) => jobContext(businessId, 'rotation'),
    }),
    businessIds,
    tidy: () => running.now('tidy', 'ways_back', 'address_changes', 'trail_heads'),
    close: () => (closing ??= close()),
  };

  async function close(): Promise<void> {
    running.stop();
    // No lane writes down or sends anything new from here on; what is on its way to a device is
    // heard out as long as that may take, and recorded.
    begunToClose.abort();
    const lanesClosed = lanes.close();
    await closeServer(server);
    await vsdc.answered();
    await inTime('lanes', lanesClosed, closingTimes.lanesMs);
    // Sockets that still wait for an answer are closed here, and that they are is recorded: a doubt
    // may be asked about at once.
    await vsdc.close();
    const begun = () => Promise.all([lanesClosed, Promise.allSettled(background)]);
    await inTime(
      'lanes without their devices, and what was begun beside requests',
      begun(),
      closingTimes.cutOffMs,
    );
    // What could not be written until now is tried once more, and told of where it is lost.
    ending.abort();
    await inTime('what could not be written', begun());
    await inTime('counts of use', Promise.all([usage.flush(), calls.flush(limits)]));
    mail.close();
    messenger.close();
    await work.close();
    await inTime('the queue', queue.close());
    await zoho.close();
    await inTime('work by business', running.idle());
    await inTime('the database', Promise.all([doorstep.close(), database.close()]));
  }

  /**
   * Whatever somebody outside makes last, the end of the server does not wait for it longer than
   * this.
   */
  async function inTime(
    what: string,
    wait: Promise<unknown>,
    ms = closingTimes.partMs,
  ): Promise<void> {
    if ((await withTimeout(wait, Math.min(ms, instead.closeMs ?? ms), 'late' as const)) === 'late')
      log.warn({ what }, 'closing goes on without waiting any longer');
  }
}

/** A start refused, with every reason. */
export class StartError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`Muhuri does not start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Zoho's clients have one id for all data centres, and may have a secret of its own in each. */
function platformClient(
  { zohoClientId }: Config,
  { zohoClientSecrets }: Secrets,
  accountsServer: string,
): { clientId: string; clientSecret: string } | null {
  const centre =
    Object.keys(zohoClientSecrets).find(
      (each) => each !== '' && accountsServer.endsWith(`.${each}`),
    ) ?? '';
  const clientSecret = zohoClientSecrets[centre] ?? zohoClientSecrets[''];
  return zohoClientId && clientSecret ? { clientId: zohoClientId, clientSecret } : null;
}
