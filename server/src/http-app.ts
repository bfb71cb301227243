import { type Context as HonoContext, Hono } from 'hono';
import type { PlatformTotals } from './businesses/directory.model.ts';
import type { FailingPlatformJob } from './job-health/index.ts';
import type { Route } from './platform/http/route.ts';
import { apiReferencePage, apiReferenceScript } from './platform/http/api-reference.ts';
import type { EvidenceKey } from './platform/evidence-key.store.ts';
import { openApi } from './platform/http/openapi.ts';
import { openedFromPanel, servePages } from './platform/http/static-pages.ts';
import { addressOf } from './platform/http/caller-address.ts';
import { hardened } from './platform/http/security-headers.ts';
import type { HttpPorts } from './platform/http/http-ports.ts';
import { mount } from './platform/http/mount-routes.ts';

type Use = {
  routes: Route[];
  version: string;
  config: { widgetOriginsAlso: string[]; trustedProxies: string[] };
  isOperator(token: string, address: string): Promise<boolean>;
  totals(): Promise<PlatformTotals>;
  failingJobs(): Promise<FailingPlatformJob[]>;
  evidenceKeys(): Promise<EvidenceKey[]>;
  ports: Omit<HttpPorts, 'isAllowedOrigin' | 'trustedProxies'>;
};

const keysMs = 10_000;
const widgetHosts =
  /^https:\/\/[a-z0-9-]+\.zappsusercontent\.(com|eu|in|com\.au|jp|ca|com\.cn|sa|uk)$/;

/**
 * Everything that answers: the API with its description, our pages, where Zoho sends browsers back
 * to, and whether the server is up.
 */
export function httpApp(use: Use): Hono {
  const http = new Hono();
  // Anybody may ask, as often as they like: the database is asked once in a while.
  let keys: Promise<EvidenceKey[]> | null = null;
  http.use('*', hardened);
  // To anybody only that the server is up; to the operator how the businesses and their connections
  // do.
  http.get('/health', async (c) => {
    const token = /^Bearer (\S+)$/.exec(c.req.header('authorization') ?? '')?.[1];
    if (!token || !(await use.isOperator(token, addressOf(c, use.config.trustedProxies) ?? '')))
      return c.json({ status: 'up' });
    const { businesses, zoho, lookedAt } = await use.totals();
    return c.json({
      status: 'up',
      total_companies: Object.values(businesses).reduce((sum, each) => sum + each, 0),
      active_companies: businesses.active ?? 0,
      companies_with_expired_tokens: zoho.needs_reconnecting ?? 0,
      last_sync: lookedAt?.toISOString() ?? null,
      failing_jobs: (await use.failingJobs()).map(({ job, since, lastAt, failures, reason }) => ({
        job,
        since,
        last_at: lastAt,
        failures,
        reason,
      })),
    });
  });
  // Whoever was handed an evidence pack compares its key with these, today's and those from before.
  http.get('/.well-known/muhuri-evidence-keys.json', async (c) => {
    keys ??= use.evidenceKeys().finally(() => setTimeout(() => (keys = null), keysMs).unref());
    const evidence_keys = (await keys).map(({ fingerprint, publicKey, since }) => ({
      fingerprint,
      public_key: publicKey,
      since: since.toISOString(),
    }));
    return c.json({ evidence_keys });
  });
  const description = JSON.stringify(
    openApi(
      use.routes.map((route) => route.endpoint),
      use.version,
    ),
  );
  http.get('/api/v1/openapi.json', (c) =>
    c.body(description, 200, { 'content-type': 'application/json' }),
  );
  http.get('/api', (c) =>
    c.html(apiReferencePage, 200, {
      'content-security-policy':
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
    }),
  );
  http.get('/api/browse.js', (c) =>
    c.body(apiReferenceScript, 200, { 'content-type': 'text/javascript; charset=utf-8' }),
  );
  servePages(http);
  // What Zoho sends the browser back with goes on behind a `#`, to the page that holds the session
  // which began it.
  http.get('/api/v1/oauth/callback', (c) => {
    asFromPanel(c);
    const { search, searchParams } = new URL(c.req.url);
    const page = searchParams.get('state')?.startsWith('zoho.') ? 'zoho-sign-in' : 'consent';
    return c.redirect(`/settings#/${page}/${Buffer.from(search.slice(1)).toString('base64url')}`);
  });
  // Short enough to be typed by hand.
  http.get('/zoho', (c) => {
    asFromPanel(c);
    return c.redirect('/settings#/zoho-sign-in');
  });
  http.get('/api/v1/oauth/connect', (c) => c.redirect('/settings#/zoho'));
  http.get('/api/v1/oauth/disconnect/:id', (c) => c.redirect('/settings#/zoho'));
  mount(http, use.routes, {
    ...use.ports,
    isAllowedOrigin: (origin) =>
      widgetHosts.test(origin) ||
      use.config.widgetOriginsAlso.some((pattern) => matches(pattern, origin)),
    trustedProxies: use.config.trustedProxies,
  });
  return http;
}

/** The way back from Zoho goes through the window that the panel opened. */
function asFromPanel(c: HonoContext): void {
  for (const [name, value] of Object.entries(openedFromPanel)) c.header(name, value);
}

/** `http://*.localhost:1234` allows any one label in the place of the star. */
const matches = (pattern: string, origin: string) =>
  new RegExp(
    `^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[a-z0-9-]+')}$`,
  ).test(origin);
