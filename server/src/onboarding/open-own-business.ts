import { refusalOf } from '../access/index.ts';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { getSettings, type OwnBranding, updateSettings } from '../businesses/index.ts';
import type { Session } from '../context.ts';
import { leaveToPerson } from '../document-sync/index.ts';
import { AppError } from '../platform/app-error.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Accounts } from '../ports/accounts.ts';
import type { Books } from '../ports/books.ts';
import { listReceipts } from '../receipts/index.ts';
import type { ManagePorts } from './update-business-and-directory.ts';
import { getBusinessEntry } from './operator-views.ts';
import type { OverviewPorts } from './route-ports.ts';
import { activateAfterSetup } from './set-status.ts';
import type { SettingsPorts } from './route-ports.ts';
import { type Setup, setup } from './setup/setup.ts';
import type { SetupPorts } from './setup/setup-ports.ts';
import { duringSupport, listSupport } from './support-access.ts';
import { correctTaxpayer } from './update-business.ts';

export type OwnBusinessNeeds = {
  record: Recorder;
  alerts: Alerts;
  zoho: { accounts: Accounts; isPlatformClient(clientId: string): boolean };
  books: { documents: Books };
  businesses: { ownBranding: OwnBranding };
  connections: {
    readState: SetupPorts['readZohoState'];
    connectByCode: SetupPorts['connectByCode'];
  };
  branches: Pick<OverviewPorts, 'listBranches' | 'setDevice'>;
  catalogue: Pick<SetupPorts, 'findTaxpayer' | 'refreshLists'>;
  devices: {
    test: SetupPorts['testDevice'];
    initialise: SetupPorts['initialiseDevice'];
    adopt: SetupPorts['adoptDevice'];
    testAndView: OverviewPorts['testDevice'];
    readProbes: OverviewPorts['probes'];
  };
  receipts: Pick<SetupPorts, 'prepareSale' | 'registerItemsOf'> & {
    createAndWait: SetupPorts['seal'];
    drawTraining: SettingsPorts['drawTraining'];
    view: OverviewPorts['view'];
  };
  hooks: Pick<OverviewPorts, 'listHooks'>;
  reports: Pick<OverviewPorts, 'getStats'> & { reportUsage: OverviewPorts['usage'] };
};

/** Opens what a business sets of itself, and what only its people with a second factor may. */
export function openSettings(
  { database, clock }: Runtime,
  needs: OwnBusinessNeeds,
  managing: ManagePorts,
): SettingsPorts {
  const { record, alerts, businesses, receipts } = needs;
  const { ownBranding } = businesses;
  return {
    get: getBusinessEntry({ database }),
    correctTaxpayer: correctTaxpayer(managing),
    getSettings,
    updateSettings: updateSettings({
      clock,
      record,
      alerts,
      ownBranding,
      exemptNoLonger: leaveToPerson,
    }),
    withFactor(session: Session) {
      const asked = { guard: 'manage_business', secondFactor: true } as const;
      const refusal = refusalOf(session, asked, clock.now());
      if (refusal) throw new AppError(refusal);
    },
    ownBranding,
    drawTraining: receipts.drawTraining,
    listSupport: listSupport({ clock }),
  };
}

/** Opens what a business sees of itself, and its setup. */
export function openOverview(
  runtime: Runtime,
  needs: OwnBusinessNeeds,
  managing: ManagePorts,
): OverviewPorts {
  const { database, clock, newId, publicUrl } = runtime;
  const { branches, connections, devices, receipts, hooks, reports, zoho } = needs;
  const supported = duringSupport({ database, clock, newId, record: needs.record });
  return {
    setDevice: branches.setDevice,
    testDevice: devices.testAndView,
    listBranches: branches.listBranches,
    probes: devices.readProbes,
    readZohoState: (ctx) => connections.readState(ctx, false),
    isPlatformClient: zoho.isPlatformClient,
    listHooks: hooks.listHooks,
    publicUrl,
    listDataCentres: zoho.accounts.listDataCentres,
    getStats: reports.getStats,
    listReceipts: (ctx, page) => ctx.transaction((tx) => listReceipts(tx, page)),
    supportReceipts: (ctx, page) => supported(ctx, 'receipts', (tx) => listReceipts(tx, page)),
    view: receipts.view,
    usage: reports.reportUsage,
    setup: openSetup(runtime, needs, managing),
  };
}

function openSetup({ clock }: Runtime, needs: OwnBusinessNeeds, managing: ManagePorts): Setup {
  const { branches, catalogue, connections, devices, receipts } = needs;
  return setup({
    clock,
    record: needs.record,
    books: needs.books.documents,
    testDevice: devices.test,
    setDevice: branches.setDevice,
    initialiseDevice: devices.initialise,
    adoptDevice: devices.adopt,
    readZohoState: connections.readState,
    connectByCode: connections.connectByCode,
    prepareSale: receipts.prepareSale,
    seal: receipts.createAndWait,
    refreshLists: catalogue.refreshLists,
    findTaxpayer: catalogue.findTaxpayer,
    registerItemsOf: receipts.registerItemsOf,
    drawTraining: (ctx) => receipts.drawTraining(ctx, {}, 'a4'),
    activate: activateAfterSetup(managing),
  });
}
