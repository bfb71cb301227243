import type { Server } from 'node:http';
import { refusalOf, type Sessions } from './access/index.ts';
import type { PlatformTotals } from './businesses/directory.model.ts';
import { httpApp } from './http-app.ts';
import type { JobHealth } from './job-health/index.ts';
import type { Contexts } from './make-contexts.ts';
import { listEvidenceKeys } from './platform/evidence-key.store.ts';
import { openFairQueue } from './platform/fair-queue.ts';
import { type ByteLimits, defaultByteLimits, openByteBudget } from './platform/http/byte-budget.ts';
import { idempotencyKeys } from './platform/http/idempotency.store.ts';
import { defaultPatience, listen, type Patience } from './platform/http/listen.ts';
import type { Route } from './platform/http/route.ts';
import type { HttpPorts } from './platform/http/http-ports.ts';
import { openTokenGate } from './platform/http/token-gate.ts';
import type { Runtime } from './platform/runtime.ts';
import type { RateLimits } from './rate-limits/index.ts';

export type HttpConfig = {
  host: string;
  port: number;
  widgetOriginsAlso: string[];
  trustedProxies: string[];
};
export type HttpNeeds = {
  routes: Route[];
  contexts: Contexts;
  access: { sessions: Sessions };
  limits: RateLimits;
  walls: HttpPorts['walls'];
  jobHealth: Pick<JobHealth, 'listPlatform'>;
  onboarding: { totals(): Promise<PlatformTotals> };
  overrides: { patience?: Partial<Patience>; bytes?: Partial<ByteLimits> };
};

/** Opens everything that answers, and takes calls. */
export async function openHttp(
  runtime: Runtime,
  config: HttpConfig,
  needs: HttpNeeds,
): Promise<{ server: Server; url: string; port: number }> {
  const { clock, database, log, statements, version } = runtime;
  const { access, limits, contexts, overrides } = needs;
  const tokens = openTokenGate({ look: access.sessions.read, refusal: 'not_signed_in', limits });
  const http = httpApp({
    routes: needs.routes,
    version,
    config,
    failingJobs: needs.jobHealth.listPlatform,
    // Totals are for the operator who has given their second factor.
    isOperator: async (token, address) => {
      const session = await tokens.read(token, address).catch(() => null);
      return session?.isOperator === true && session.verifiedAt !== null;
    },
    totals: needs.onboarding.totals,
    evidenceKeys: () => database.platform(listEvidenceKeys),
    ports: {
      log,
      tokens,
      bytes: openByteBudget({ ...defaultByteLimits, ...overrides.bytes }),
      contextOf: contexts.personContext,
      refusalOf: (session, endpoint) => refusalOf(session, endpoint, clock.now()),
      operatorContextOf: contexts.operatorContext,
      limits,
      walls: needs.walls,
      idempotency: idempotencyKeys(clock),
      askedMs: statements.askedMs,
      // Of what people of one business may have at once, searches and sums have two.
      heavy: openFairQueue({ atOnce: 2, waitMs: statements.askedMs, lineMost: 50 }),
    },
  });
  const patience = { ...defaultPatience, ...overrides.patience };
  const { server, port } = await listen(http, config, patience);
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return { server, url: `http://${host}:${port}`, port };
}
