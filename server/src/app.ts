import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { deleteExpiredSessions, may, openSessions, signIn, switchMembership } from './access/index.ts';
import { openAlerts } from './alerts/index.ts';
import { alertRoutes } from './alerts/alert.routes.ts';
import { accessRoutes } from './access/access.routes.ts';
import { recorder } from './audit/index.ts';
import { adoptDevice, initialiseDevice, pauseLane } from './branches/index.ts';
import { branchRoutes } from './branches/branch.routes.ts';
import { listBranchViews } from './branches/list-branches.ts';
import { branchPage } from './branches/branch-page.ts';
import { findTaxpayer, getMappings, putMappings, registerItems, syncLists } from './catalogue/index.ts';
import { mappingRoutes } from './catalogue/mapping.routes.ts';
import type { Config, Secrets } from './config.ts';
import { accessTokens } from './connections/index.ts';
import type { Context, Session } from './context.ts';
import { dayIn, stamp14 } from './dialect-kit/dates.ts';
import { loadDialects } from './dialects/index.ts';
import { addPerson, listActiveBusinessIds, registerBusiness } from './onboarding/index.ts';
import { AppError } from './platform/app-error.ts';
import { type Clock, systemClock } from './platform/clock.ts';
import { migrate, openDatabase } from './platform/db/database.ts';
import { browserPage, browserScript } from './platform/http/browse-api.ts';
import { idempotencyKeys } from './platform/http/idempotency.store.ts';
import { openApi } from './platform/http/openapi.ts';
import { mount } from './platform/http/serve.ts';
import { type Log, logTo } from './platform/log.ts';
import { idsFrom } from './platform/new-id.ts';
import { openQueue } from './platform/queue/queue.ts';
import { vaultFrom } from './platform/vault.ts';
import {
  checkBeforeSigning,
  confirmReversal,
  dropReversal,
  findReceipt,
  listReceiptsOf,
  type LanePorts,
  type LaneTiming,
  openLanes,
  openLink,
  openReceipt,
  prepareSale,
  printReceipt,
  proposeReversal,
  readPdf,
  receiptChanges,
  resumeLane,
  runLane,
  settleByPerson,
  toReceiptView,
  usualTiming,
  withdrawReceipt,
} from './receipts/index.ts';
import { receiptRoutes } from './receipts/receipt.routes.ts';
import { addressPolicy } from './vsdc/address-policy.ts';
import { type DirectSettings, directVsdc, usualSettings } from './vsdc/direct-vsdc.ts';
import { zohoAccounts } from './zoho/accounts.ts';
import { zohoBooks } from './zoho/books.ts';
import { zohoClient } from './zoho/client.ts';
import { zohoHosts } from './zoho/data-centres.ts';

/** What tests and the demo world may replace: the clock, the patience, the log. */
export type Instead = { clock: Clock; log: Log; timing: Partial<LaneTiming>; vsdc: Partial<DirectSettings>; waitMs: number; sweepMs: number; lanesMax: number };

export type App = {
  url: string;
  port: number;
  registerBusiness: ReturnType<typeof registerBusiness>;
  addPerson: ReturnType<typeof addPerson>;
  /** For the command line and the demo world: a context without a person. */
  contextOf(businessId: string): Context;
  initialiseDevice: ReturnType<typeof initialiseDevice>;
  sweep(): Promise<void>;
  close(): Promise<void>;
};

export const version = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

const migrations = new URL('./migrations', import.meta.url).pathname;
const widgetHosts = /^https:\/\/[a-z0-9-]+\.zappsusercontent\.(com|eu|in|com\.au|jp|ca|com\.cn|sa|uk)$/;

/** Builds everything once and binds it together; nothing else constructs anything. */
export async function startApp(config: Config, secrets: Secrets, instead: Partial<Instead> = {}): Promise<App> {
  const clock = instead.clock ?? systemClock;
  const log = instead.log ?? logTo(config.logLevel);
  const newId = idsFrom(clock);
  const worker = `wrk_${randomBytes(8).toString('hex')}`;
  const vsdcSettings = { ...usualSettings, ...instead.vsdc };
  const timing = { ...usualTiming, leaseMs: vsdcSettings.answerTimeoutMs + 15_000, lateTimeoutMs: vsdcSettings.lateTimeoutMs, ...instead.timing };
  await migrate(secrets.migrationDatabaseUrl, migrations);
  const database = await openDatabase(secrets.databaseUrl, config.databasePoolMax);
  const privileges = await database.privilegeProblems();
  if (privileges.length > 0) {
    await database.close();
    throw new StartError(privileges);
  }
  const queue = await openQueue(secrets.queueDatabaseUrl, database, log);
  const vault = vaultFrom(secrets.masterKey);
  const dialects = await loadDialects();
  const record = recorder(clock, newId);
  const alerts = openAlerts({ clock, newId, log, record });
  const hosts = zohoHosts(config.zohoHostsAlso);
  const tokens = accessTokens({ database, vault, accounts: zohoAccounts(hosts), clock, worker });
  const zoho = zohoClient(tokens, hosts);
  const books = zohoBooks(zoho, clock);
  const vsdc = directVsdc(addressPolicy(config.vsdcNetworks), vsdcSettings);
  const changes = receiptChanges();

  const jobContext = (businessId: string, id: string): Context => ({
    businessId,
    actor: { type: 'job', id },
    language: 'en',
    requestId: null,
    origin: null,
    transaction: (work) => database.transaction(businessId, work),
  });
  const personContext = (session: Session, about: { language: string; requestId: string; origin: string | null }): Context => {
    const business = session.business;
    if (!business) throw new AppError('not_allowed');
    const { businessId, id } = business.membership;
    return {
      businessId,
      actor: { type: 'person', id: session.person.id, membershipId: id, name: session.person.name },
      ...about,
      transaction: (work) => database.transaction(businessId, work),
    };
  };

  const prepare = prepareSale({ books, dialects, clock, day: dayIn });
  const register = registerItems({ vsdc, dialects, clock });
  const background = new Set<Promise<unknown>>();
  const lanePorts: LanePorts = {
    vsdc,
    dialects,
    queue,
    record,
    alerts,
    clock,
    newId,
    log,
    timing,
    worker,
    prepareSale: prepare,
    registerItems: register,
    afterSigned: async () => {},
    background: (work) => {
      background.add(work);
      void work.finally(() => background.delete(work));
    },
    changed: changes.changed,
  };
  const lanes = openLanes({
    runLane: runLane(lanePorts),
    contextOf: (businessId) => jobContext(businessId, 'lane'),
    businessIds: () => database.platform(listActiveBusinessIds),
    clock,
    log,
    atOnceMax: instead.lanesMax ?? 64,
  });
  await queue.work(({ business_id, device_id }) => lanes.call(business_id, device_id));

  const sessions = openSessions(database);
  const sync = syncLists({ vsdc, dialects, clock, log });
  const initialise = initialiseDevice({ vsdc, dialects, vault, record, afterActive: sync });
  const printPorts = {
    dialects,
    clock,
    newId,
    record,
    version,
    // Drawing brings fonts and a PDF library; they are loaded when the first receipt is printed.
    draw: async (...ask: Parameters<typeof import('./receipts/receipt-pdf.ts')['receiptPdf']>) =>
      (await import('./receipts/receipt-pdf.ts')).receiptPdf(...ask),
    localTime: (at: Date, timeZone: string) => {
      const stamp = stamp14(at, timeZone);
      return {
        date: `${stamp.slice(6, 8)}/${stamp.slice(4, 6)}/${stamp.slice(0, 4)}`,
        time: `${stamp.slice(8, 10)}:${stamp.slice(10, 12)}:${stamp.slice(12, 14)}`,
      };
    },
  };
  const get = async (ctx: Context, id: string) => {
    const receipt = await ctx.transaction((tx) => findReceipt(tx, id));
    if (!receipt) throw new AppError('not_found');
    return receipt;
  };
  const routes = [
    ...accessRoutes({ signIn: signIn({ database, sessions, clock }), switchMembership: switchMembership({ database, sessions }), signOut: sessions.end }),
    ...receiptRoutes({
      openReceipt: openReceipt({ prepareSale: prepare, dialects, queue, record, clock, newId }),
      waitForReceipt: changes.waitForReceipt,
      checkBeforeSigning: checkBeforeSigning({ prepareSale: prepare, dialects, clock }),
      getReceipt: get,
      findReceipts: (ctx, module, documentId) => ctx.transaction((tx) => listReceiptsOf(tx, module, documentId)),
      withdrawReceipt: withdrawReceipt({ record, clock, changed: changes.changed }),
      settleByPerson: settleByPerson(lanePorts),
      proposeReversal: proposeReversal(lanePorts),
      confirmReversal: confirmReversal(lanePorts),
      dropReversal: dropReversal(lanePorts),
      printReceipt: printReceipt(printPorts),
      readPdf: readPdf(printPorts),
      openLink: openLink({ clock }),
      qrSvg: async (text) => (await import('./receipts/receipt-pdf.ts')).receiptQrSvg(text),
      view: (receipt, language) => toReceiptView(receipt, dialects, language),
      contextOf: (businessId) => jobContext(businessId, 'print-link'),
      waitMs: instead.waitMs ?? 10_000,
    }),
    ...alertRoutes(alerts),
    ...branchRoutes({
      listBranches: listBranchViews,
      initialiseDevice: initialise,
      adoptDevice: adoptDevice({ record, afterActive: sync }),
      pauseLane: pauseLane({ record }),
      resumeLane: resumeLane({ record, alerts, clock, queue, changed: changes.changed }),
    }),
    ...mappingRoutes({ getMappings, putMappings: putMappings({ record, clock }), findTaxpayer: findTaxpayer({ vsdc, dialects }) }),
  ];

  const http = new Hono();
  http.get('/health', (c) => c.json({ status: 'up' }));
  const description = openApi(
    routes.map((route) => route.endpoint),
    version,
  );
  http.get('/api/v1/openapi.json', (c) => c.json(description));
  http.get('/api', (c) =>
    c.html(browserPage, 200, {
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
    }),
  );
  http.get('/api/browse.js', (c) => c.body(browserScript, 200, { 'content-type': 'text/javascript; charset=utf-8' }));
  for (const [path, page] of Object.entries(branchPage))
    http.get(path, (c) => c.body(page.body, 200, { 'content-type': page.type, 'content-security-policy': page.policy, 'cache-control': 'no-cache' }));
  mount(http, routes, {
    log,
    readSession: sessions.read,
    contextOf: personContext,
    mayPass: (session, guard) => passes(session, guard),
    ...idempotencyKeys(clock),
    isAllowedOrigin: (origin) => widgetHosts.test(origin) || config.widgetOriginsAlso.some((pattern) => matches(pattern, origin)),
    trustedProxies: config.trustedProxies,
  });

  const { server, port } = await listen(http, config);
  const sweep = () => lanes.sweep().catch((error: Error) => log.error({ error: error.stack }, 'looking for idle lanes failed'));
  const sweeper = setInterval(sweep, instead.sweepMs ?? 5_000).unref();
  const tidy = async () => {
    for (const businessId of await database.platform(listActiveBusinessIds))
      await database.transaction(businessId, (tx) => deleteExpiredSessions(tx, clock.now()));
  };
  const tidier = setInterval(
    () => void tidy().catch((error: Error) => log.error({ error: error.stack }, 'expired sessions could not be deleted')),
    3_600_000,
  ).unref();
  void sweep();
  log.info({ port, worker }, 'Muhuri is up');
  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
    port,
    registerBusiness: registerBusiness({ database, vault, clock, newId, record }),
    addPerson: addPerson({ database, clock, newId, record }),
    contextOf: (businessId) => jobContext(businessId, 'command_line'),
    initialiseDevice: initialise,
    sweep: lanes.sweep,
    async close() {
      clearInterval(sweeper);
      clearInterval(tidier);
      await closeServer(server);
      await lanes.close();
      // Sockets that still wait for a late answer are closed here, and that they are is recorded: a doubt may be asked about at once.
      await vsdc.close();
      await Promise.allSettled(background);
      await queue.close();
      await zoho.close();
      await database.close();
    },
  };
}

/** A start refused, with every reason. */
export class StartError extends Error {
  readonly problems: string[];
  constructor(problems: string[]) {
    super(`Muhuri does not start:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** What each guard of the contract asks of a session; one place, read by the exam. */
function passes(session: Session | null, guard: string): boolean {
  if (guard === 'anyone') return true;
  if (!session) return false;
  if (guard === 'signed_in') return true;
  const membership = session.business?.membership;
  if (!membership) return false;
  if (guard === 'member') return true;
  if (guard === 'business_admin') return membership.role === 'business_admin';
  return guard === 'settle' && may(membership, 'settle');
}

/** `http://*.localhost:1234` allows any one label in the place of the star. */
const matches = (pattern: string, origin: string) =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[a-z0-9-]+')}$`).test(origin);

function listen(http: Hono, config: Config): Promise<{ server: Server; port: number }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: http.fetch, hostname: config.host, port: config.port }, (info) =>
      resolve({ server: server as Server, port: info.port }),
    ) as Server;
    server.requestTimeout = 30_000;
    server.headersTimeout = 15_000;
    // Longer than the usual proxy keeps a connection, so that it is never the server that closes one just being used.
    server.keepAliveTimeout = 75_000;
    server.once('error', reject);
  });
}

/** Answers what runs, lets idle keep-alive connections go at once, and ends the rest at the deadline. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), 100);
    const deadline = setTimeout(() => server.closeAllConnections(), 10_000);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
