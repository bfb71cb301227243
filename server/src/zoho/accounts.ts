import { request } from 'undici';
import type { Accounts, Refreshed } from '../ports/accounts.ts';
import type { zohoHosts } from './data-centres.ts';

// The accounts server has been seen to take over ten seconds.
const timeoutMs = 30_000;

/** Zoho's token endpoint. Its status says nothing (errors come with 200): only the body's `access_token` or `error` counts. */
export const zohoAccounts = (hosts: ReturnType<typeof zohoHosts>): Accounts => ({
  isKnownApiDomain: hosts.isApi,
  async refresh({ accountsServer, clientId, clientSecret, refreshToken }): Promise<Refreshed> {
    if (!hosts.isAccounts(accountsServer)) return { is: 'failed', reason: 'the accounts server is not one of Zoho' };
    try {
      const answer = await request(`${accountsServer}/oauth/v2/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, client_secret: clientSecret, refresh_token: refreshToken }).toString(),
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
      });
      return judge(await answer.body.text());
    } catch (error) {
      return { is: 'failed', reason: String((error as Error).message) };
    }
  },
});

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
    return { is: 'token', accessToken: body.access_token, expiresInSeconds: seconds, apiDomain: typeof body.api_domain === 'string' ? body.api_domain : null };
  }
  if (body.error === 'invalid_code') return { is: 'dead' };
  if (body.error === 'Access Denied') return { is: 'throttled' };
  return { is: 'failed', reason: `the accounts server says ${String(body.error)}` };
}
