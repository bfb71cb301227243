import { openAccess } from './access/chapter.ts';
import { ApiKeyEntity, InvitationEntity, MembershipEntity } from './access/index.ts';
import { openActivity } from './activity/chapter.ts';
import { openAlerts } from './alerts/chapter.ts';
import { openAudit } from './audit/chapter.ts';
import { verifyAuditLog } from './audit/index.ts';
import { openBranches } from './branches/chapter.ts';
import { openBusinesses } from './businesses/chapter.ts';
import { openCatalogue } from './catalogue/chapter.ts';
import { type Chapter, every } from './chapter.ts';
import type { Config, Secrets } from './config.ts';
import { openConnections } from './connections/chapter.ts';
import { openDevices } from './devices/chapter.ts';
import { calendar } from './dialect-kit/dates.ts';
import { loadDialects } from './dialects/index.ts';
import { openDocumentSync } from './document-sync/chapter.ts';
import { openIsolation } from './isolation/chapter.ts';
import { openJobHealth } from './job-health/chapter.ts';
import { makeContexts } from './make-contexts.ts';
import { openMonitoring } from './monitoring/chapter.ts';
import { openOnboarding } from './onboarding/chapter.ts';
import { SupportAccessEntity } from './onboarding/index.ts';
import type { Overrides } from './overrides.ts';
import { addressPolicy } from './platform/address-policy.ts';
import { migrate } from './platform/db/database.ts';
import { openRuntime, type Runtime } from './platform/runtime.ts';
import { openRateLimits } from './rate-limits/chapter.ts';
import { openReceipts } from './receipts/chapter.ts';
import { laneTiming, openPaper } from './receipts/index.ts';
import { openReports } from './reports/chapter.ts';
import { openVsdc } from './vsdc/open-vsdc.ts';
import { standardWebhooks } from './webhook-sender/standard-webhooks.ts';
import { runChapters } from './run-chapters.ts';
import { openWebhooks } from './webhooks/chapter.ts';
import { openWorklist } from './worklist/chapter.ts';
import { countUnsettled } from './worklist/index.ts';
import { openWriteBack } from './write-back/chapter.ts';
import { openZoho, openZohoBooks } from './zoho/open-zoho.ts';
import { openZohoSignIn } from './zoho-sign-in/chapter.ts';
import { openZohoWebhooks } from './zoho-webhooks/chapter.ts';
import { webhookReader } from './zoho/webhook-reader.ts';

export type { Overrides } from './overrides.ts';
export type App = Awaited<ReturnType<typeof startApp>>;

export const migrations = new URL('./migrations', import.meta.url).pathname;
const entities = [ApiKeyEntity, InvitationEntity, MembershipEntity, SupportAccessEntity];

type Given = { config: Config; secrets: Secrets; overrides: Overrides };

/** Starts the product: opens every chapter, takes calls and begins what runs by itself. */
export async function startApp(config: Config, secrets: Secrets, overrides: Overrides = {}) {
  await migrate(secrets.migrationDatabaseUrl, migrations);
  const runtime = await openRuntime(config, secrets, entities, overrides);
  const { chapters, ...opened } = await openChapters(runtime, { config, secrets, overrides });
  const { access, businesses, devices, onboarding } = opened;
  return {
    ...(await runChapters(runtime, chapters, { ...opened, config, overrides })),
    // What the command line, the demo world and tests call besides.
    ...onboarding.commands,
    ...access.commands,
    initialiseDevice: devices.initialise,
    verifyAuditLog,
    businessIds: businesses.activeIds,
    contextOf: runtime.contextFor('command_line'),
  };
}

/** Opens the chapters in reading order; nothing else constructs anything. */
async function openChapters(runtime: Runtime, { config, secrets, overrides }: Given) {
  const { clock, names } = runtime;
  const contexts = makeContexts(runtime);
  const dialects = overrides.dialects ?? (await loadDialects());
  const paper = openPaper(runtime);
  const chapters: Chapter[] = [];
  const add = <C extends Chapter>(chapter: C): C => (chapters.push(chapter), chapter);

  // 1. Who did what, and what must be known without asking
  const audit = add(openAudit(runtime, { listeners: () => every(chapters, 'auditListeners') }));
  const { record, recordPlatform } = audit;
  const { alerts } = add(openAlerts(runtime, { record }));
  const { jobHealth } = add(openJobHealth(runtime, { alerts }));
  const basics = { record, recordPlatform, alerts, jobHealth };
  const { walls } = add(openIsolation(runtime, basics));
  const { limits } = add(openRateLimits(runtime, { jobHealth, limits: overrides.limits }));

  // 2. Whose it is, and who may
  const businesses = add(openBusinesses(runtime, { ...basics, paper }));
  const endWithOperator = () => every(chapters, 'endWithOperator');
  const access = add(openAccess(runtime, { ...basics, paper, endWithOperator }));

  // 3. Their accounting system
  const zoho = openZoho(config, secrets, { clock, names, budget: overrides.governor });
  const connections = add(openConnections(runtime, { ...basics, zoho, countUnsettled }));
  const books = openZohoBooks(zoho, { clock, names, dialects, connections });
  add(openZohoSignIn(runtime, { ...basics, zoho, access, connections, books }));

  // 4. Their devices
  const { vsdc, vsdcTiming } = openVsdc(config.vsdcNetworks, names, overrides.vsdc);
  const timing = laneTiming(vsdcTiming, overrides.timing);
  const outside = { ...basics, books, dialects, vsdc, paper, calendar };
  const branches = add(openBranches(runtime, outside));
  const catalogue = add(openCatalogue(runtime, outside));
  const devices = add(openDevices(runtime, { ...outside, branches, catalogue, timing }));

  // 5. The heart
  const receiving = { ...outside, businesses, branches, catalogue, timing };
  const receipts = add(await openReceipts(runtime, receiving, overrides));

  // 6. In step with the accounting system
  const documents = add(openDocumentSync(runtime, { ...outside, connections, receipts }));
  const worklist = add(openWorklist(runtime, basics));
  const hooking = { ...outside, limits, connections, documents, reader: webhookReader };
  const hooks = add(openZohoWebhooks(runtime, hooking));
  add(openWriteBack(runtime, { ...outside, receipts }));

  // 7. Telling, watching, counting
  const sender = standardWebhooks(addressPolicy(config.hookNetworks, names));
  const webhooks = add(openWebhooks(runtime, { ...basics, sender }));
  add(openMonitoring(runtime, { ...outside, access, catalogue, devices, webhooks }));
  const reports = add(openReports(runtime, { ...outside, limits }));

  // 8. What spans the others
  const ofBusiness = { branches, catalogue, devices, receipts, connections, hooks, reports };
  const ofOperator = { contexts, limits, zoho, businesses, access };
  const onboarding = add(openOnboarding(runtime, { ...outside, ...ofBusiness, ...ofOperator }));
  add(openActivity(runtime, { ...basics, worklist, onboarding }));

  return {
    chapters,
    contexts,
    limits,
    walls,
    jobHealth,
    businesses,
    access,
    books,
    devices,
    onboarding,
  };
}
