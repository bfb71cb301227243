import { findMakers } from '../access/index.ts';
import type { Alerts } from '../alerts/index.ts';
import type { Recorder } from '../audit/index.ts';
import { chapter } from '../chapter.ts';
import type { JobHealth } from '../job-health/index.ts';
import type { Runtime } from '../platform/runtime.ts';
import type { Accounts } from '../ports/accounts.ts';
import { accessTokens } from './access-token.ts';
import { administeredBy } from './administered.ts';
import { deleteOldCalls } from './call.store.ts';
import { connectByCode } from './connect-by-code.ts';
import { readConnectionState } from './connection-state.ts';
import { consents } from './consent/consents.ts';
import { connectionStatus, disconnect } from './disconnect.ts';
import { watchGrantHealth } from './grant-health.ts';
import { oauthRoutes } from './oauth.routes.ts';
import { type CallLimits, recordCalls } from './record-calls.ts';
import { signInClient, type ZohoClientId } from './sign-in-client.ts';

type Needs = {
  record: Recorder;
  alerts: Alerts;
  jobHealth: Pick<JobHealth, 'run'>;
  zoho: {
    accounts: Accounts;
    budget: CallLimits;
    platformClient(accountsServer: string): ZohoClientId | null;
    isPlatformClient(clientId: string): boolean;
  };
  countUnsettled: Parameters<typeof connectByCode>[0]['countUnsettled'];
};

/** Opens the chapter that holds the grants of businesses at their accounting system. */
export function openConnections(runtime: Runtime, needs: Needs) {
  const { database, vault, clock, newId, worker, publicUrl } = runtime;
  const { record, alerts, countUnsettled } = needs;
  const { accounts, budget, platformClient, isPlatformClient } = needs.zoho;
  const tokens = accessTokens({ database, vault, accounts, clock, worker });
  const granting = { database, vault, accounts, clock, newId, record };
  const redirectUri = `${publicUrl}/api/v1/oauth/callback`;
  const calls = recordCalls({
    clock,
    newId,
    worker,
    contextOf: runtime.contextFor('calls'),
    run: needs.jobHealth.run,
  });
  const flush = () => calls.flush(budget);
  const view = {
    madeBy: findMakers({ database }, 'connection.made'),
    status: connectionStatus({ database }),
    isPlatformClient,
  };

  return chapter({
    tokens,
    recordCall: calls.made,
    view,
    redirectUri,
    isPlatformClient,
    listDataCentres: accounts.listDataCentres,
    clientOf: signInClient({ database, vault, accounts, platformClient }),
    disconnect: disconnect(granting),
    grantWorks: watchGrantHealth({ database, alerts, record }),
    readState: readConnectionState({ database, accounts, tokens }),
    connectByCode: connectByCode({ ...granting, tokens, countUnsettled }),
    routes: oauthRoutes({
      ...view,
      consents: consents({
        ...granting,
        tokens,
        countUnsettled,
        redirectUri,
        platformClient,
        listAdministered: administeredBy(database),
      }),
    }),
    jobs: [{ name: 'calls', everyMs: 2_000, run: flush, drain: 'first' }],
    retention: [
      { what: 'calls to the books', keepDays: 7, scope: 'business', delete: deleteOldCalls },
    ],
    flush,
  });
}
