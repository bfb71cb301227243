import { createHash } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { clean, code, cut } from '@muhuri/shared/text';
import { Agent, request } from 'undici';
import { AppError } from '../platform/app-error.ts';
import type { Accounts, ExchangeAsk, Exchanged, Refreshed } from '../ports/accounts.ts';
import type { zohoHosts } from './data-centres.ts';
import type { Json } from './parse-json.ts';
import { list } from './json-fields.ts';

type Hosts = ReturnType<typeof zohoHosts>;

// The accounts server has been seen to take over ten seconds.
const timeoutMs = 30_000;
/** For one whole exchange, however its bytes drip. */
const exchangeMs = 60_000;
const bytesMax = 2 << 20;
const organizationsMax = 50;

/**
 * Zoho's token endpoint. Its status says nothing (errors come with 200): only the body's
 * `access_token` or `error` counts.
 */
export function zohoAccounts(hosts: Hosts, lookup: LookupFunction): Accounts {
  const dispatcher = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: bytesMax,
    connect: { timeout: 8_000, lookup },
  });
  return accountsOver(hosts, dispatcher);
}

const accountsOver = (hosts: Hosts, dispatcher: Agent): Accounts => ({
  isKnownApiDomain: hosts.isApi,
  isKnownAccountsServer: hosts.isAccounts,
  apiOf: hosts.apiOf,
  consentUrl({ accountsServer, clientId, redirectUri, scopes, state, verifier, once = false }) {
    const query = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: redirectUri,
      scope: scopes.join(','),
      access_type: once ? 'online' : 'offline',
      ...(once ? {} : { prompt: 'consent' }),
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    return `${accountsServer}/oauth/v2/auth?${query}`;
  },
  revoke: (accountsServer, refreshToken) => revoke(hosts, dispatcher, accountsServer, refreshToken),
  dataCentre: hosts.find,
  listDataCentres: hosts.keys,
  exchange: async (ask) => {
    const said = await tokenOf(hosts, dispatcher, ask);
    return 'text' in said ? judgeExchange(said.text) : said;
  },
  exchangeOnce: async (ask) => {
    const said = await tokenOf(hosts, dispatcher, ask);
    return 'text' in said ? judge(said.text) : said;
  },
  listOrganizations: (apiDomain, accessToken) =>
    listOrganizations(hosts, dispatcher, apiDomain, accessToken),
  async refresh({ accountsServer, clientId, clientSecret, refreshToken }): Promise<Refreshed> {
    if (!hosts.isAccounts(accountsServer))
      return { is: 'failed', reason: 'the accounts server is not one of Zoho' };
    try {
      const answer = await request(`${accountsServer}/oauth/v2/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          client_id: clientId,
          client_secret: clientSecret,
          refresh_token: refreshToken,
        }).toString(),
        dispatcher,
        signal: AbortSignal.timeout(exchangeMs),
      });
      return judge(await answer.body.text());
    } catch (error) {
      return { is: 'failed', reason: String((error as Error).message) };
    }
  },
});

/** Says whether the refresh token is dead now. */
async function revoke(
  hosts: Hosts,
  dispatcher: Agent,
  accountsServer: string,
  refreshToken: string,
): Promise<boolean> {
  if (!hosts.isAccounts(accountsServer)) return false;
  try {
    const answer = await request(`${accountsServer}/oauth/v2/token/revoke`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: refreshToken }).toString(),
      dispatcher,
      signal: AbortSignal.timeout(exchangeMs),
    });
    const body = (await answer.body.json().catch(() => null)) as {
      status?: string;
      error?: string;
    } | null;
    return body?.status === 'success' || body?.error === 'invalid_code';
  } catch {
    return false;
  }
}

/** Lists the organizations of whoever the token is of, with the person's role in each. */
async function listOrganizations(
  hosts: Hosts,
  dispatcher: Agent,
  apiDomain: string,
  accessToken: string,
) {
  if (!hosts.isApi(apiDomain))
    throw new AppError('books_unavailable', {}, 'the API host is not one of Zoho');
  const answer = await request(`${apiDomain}/books/v3/organizations`, {
    headers: { authorization: `Zoho-oauthtoken ${accessToken}`, accept: 'application/json' },
    dispatcher,
    signal: AbortSignal.timeout(exchangeMs),
  }).catch((error: unknown) => {
    throw new AppError('books_unavailable', {}, error);
  });
  const body = (await answer.body.json().catch(() => null)) as {
    code?: number;
    organizations?: Record<string, unknown>[];
  } | null;
  if (answer.statusCode === 401) throw new AppError('books_reconnect');
  if (answer.statusCode !== 200 || body?.code !== 0 || !Array.isArray(body.organizations))
    throw new AppError('books_unavailable', {}, `HTTP ${answer.statusCode}`);
  return Promise.all(
    list(body.organizations as Json)
      .slice(0, organizationsMax)
      .map(async (each) => ({
        organizationId: clean(String(each.organization_id)),
        name: clean(String(each.name ?? '')).trim(),
        currency: code(String(each.currency_code ?? '')),
        // Some answers of the list name the role, some do not.
        role: clean(
          String(
            each.user_role ??
              (await roleIn(dispatcher, apiDomain, accessToken, String(each.organization_id))),
          ),
        ),
      })),
  );
}

/** What the accounts server makes of a code, not judged yet. */
async function tokenOf(
  hosts: Hosts,
  dispatcher: Agent,
  { accountsServer, clientId, clientSecret, code, redirectUri, verifier }: ExchangeAsk,
): Promise<{ text: string } | { is: 'failed'; reason: string }> {
  if (!hosts.isAccounts(accountsServer))
    return { is: 'failed', reason: 'the accounts server is not one of Zoho' };
  try {
    const answer = await request(`${accountsServer}/oauth/v2/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: clientId,
        client_secret: clientSecret,
        code,
        ...(redirectUri ? { redirect_uri: redirectUri } : {}),
        ...(verifier ? { code_verifier: verifier } : {}),
      }).toString(),
      dispatcher,
      signal: AbortSignal.timeout(exchangeMs),
    });
    return { text: await answer.body.text() };
  } catch (error) {
    return { is: 'failed', reason: String((error as Error).message) };
  }
}

async function roleIn(
  dispatcher: Agent,
  apiDomain: string,
  accessToken: string,
  organizationId: string,
): Promise<string> {
  const answer = await request(
    `${apiDomain}/books/v3/users/me?organization_id=${encodeURIComponent(organizationId)}`,
    {
      headers: { authorization: `Zoho-oauthtoken ${accessToken}`, accept: 'application/json' },
      dispatcher,
      signal: AbortSignal.timeout(exchangeMs),
    },
  ).catch(() => null);
  const body = (await answer?.body.json().catch(() => null)) as {
    code?: number;
    user?: { user_role?: unknown; status?: unknown };
  } | null;
  return body?.code === 0 && body.user?.status === 'active'
    ? String(body.user.user_role ?? '')
    : '';
}

function judgeExchange(text: string): Exchanged {
  const judged = judge(text);
  if (judged.is === 'token') {
    const { refresh_token: refreshToken, scope } = JSON.parse(text) as {
      refresh_token?: unknown;
      scope?: unknown;
    };
    // A code asked for without offline access gives no refresh token: it could be used for an hour
    // and never again.
    return typeof refreshToken === 'string'
      ? { ...judged, is: 'tokens', refreshToken, scopes: typeof scope === 'string' ? scope : '' }
      : { is: 'refused', field: 'code' };
  }
  if (judged.is === 'dead') return { is: 'refused', field: 'code' };
  if (judged.is === 'client_refused')
    return {
      is: 'refused',
      field: text.includes('invalid_client_secret') ? 'client_secret' : 'client_id',
    };
  const said = judged.is === 'failed' ? judged.reason : 'the accounts server asks for patience';
  if (said.endsWith('invalid_redirect_uri')) return { is: 'refused', field: 'redirect_uri' };
  return { is: 'failed', reason: said };
}

function judge(text: string): Refreshed {
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { is: 'failed', reason: 'the accounts server did not answer with JSON' };
  }
  if (typeof body.access_token === 'string') {
    // Old pages give `expires_in` in milliseconds, with `expires_in_sec` beside it.
    const seconds = Number(body.expires_in_sec ?? body.expires_in ?? 3600);
    return {
      is: 'token',
      accessToken: body.access_token,
      expiresInSeconds: seconds,
      apiDomain: typeof body.api_domain === 'string' ? body.api_domain : null,
    };
  }
  if (body.error === 'invalid_code') return { is: 'dead' };
  if (body.error === 'Access Denied') return { is: 'throttled' };
  if (String(body.error).startsWith('invalid_client')) return { is: 'client_refused' };
  return {
    is: 'failed',
    reason: `the accounts server says ${cut(clean(String(body.error)), 100)}`,
  };
}
