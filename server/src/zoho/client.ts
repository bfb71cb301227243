import { Agent, request } from 'undici';
import { AppError } from '../platform/app-error.ts';
import type { zohoHosts } from './data-centres.ts';

/** Ids and amounts as their source text: nothing passes through a binary number. */
export type Json = null | boolean | string | Json[] | { [key: string]: Json };

export type Tokens = { of(grantId: string): Promise<{ token: string; apiDomain: string }>; invalidate(grantId: string): Promise<void> };

/** Whose data: a call without an organization does not type-check. */
export type Organization = { organizationId: string; grantId: string };

export type ZohoClient = {
  get(organization: Organization, path: string, query?: Record<string, string>): Promise<{ is: 'found'; body: { [key: string]: Json } } | { is: 'missing' }>;
};

const timeoutMs = 15_000;
const bytesMax = 8 << 20;

/** Reads Zoho Books v3. Judges an answer by `code` 0 and a 2xx status together; HTML, time-outs and 5xx are *unavailable*. */
export function zohoClient(tokens: Tokens, hosts: ReturnType<typeof zohoHosts>): ZohoClient & { close(): Promise<void> } {
  const agent = new Agent({ headersTimeout: timeoutMs, bodyTimeout: timeoutMs, maxResponseSize: bytesMax, connect: { timeout: 8_000 } });

  const once = async (organization: Organization, path: string, query: Record<string, string>) => {
    const { token, apiDomain } = await tokens.of(organization.grantId);
    if (!hosts.isApi(apiDomain)) throw new AppError('zoho_unavailable', {}, 'the API host is not one of Zoho');
    const search = new URLSearchParams({ ...query, organization_id: organization.organizationId });
    try {
      const answer = await request(`${apiDomain}/books/v3${path}?${search}`, {
        headers: { authorization: `Zoho-oauthtoken ${token}`, accept: 'application/json' },
        dispatcher: agent,
      });
      return { status: answer.statusCode, type: String(answer.headers['content-type'] ?? ''), text: await answer.body.text() };
    } catch (error) {
      throw new AppError('zoho_unavailable', {}, error);
    }
  };

  return {
    async get(organization, path, query = {}) {
      let { status, type, text } = await once(organization, path, query);
      let body = type.includes('json') ? parse(text) : null;
      // An invalid token is renewed once; 57 looks alike but is a matter of role or scope, and refreshing would burn the quota.
      if (status === 401 && body?.code !== '57') {
        await tokens.invalidate(organization.grantId);
        ({ status, type, text } = await once(organization, path, query));
        body = type.includes('json') ? parse(text) : null;
      }
      if (!body) throw new AppError('zoho_unavailable', {}, `HTTP ${status}, ${type || 'no type'}`);
      const code = String(body.code);
      if (status >= 200 && status < 300 && code === '0') return { is: 'found', body };
      if (status === 404 || code === '1002' || code === '5') return { is: 'missing' };
      if (status === 429) throw new AppError('zoho_limit');
      if (status === 401 || code === '57' || code === '6041') throw new AppError('zoho_forbidden', { zoho_code: code });
      throw new AppError('zoho_unavailable', { zoho_code: code }, `HTTP ${status}`);
    },
    close: () => agent.destroy(),
  };
}

function parse(text: string): { [key: string]: Json } | null {
  try {
    const keepSource = (_key: string, value: unknown, context: { source: string }) => (typeof value === 'number' ? plain(context.source) : value);
    const value = JSON.parse(text, keepSource as (key: string, value: unknown) => unknown) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/** `1e3` and `1E-7` as plain digits; everything else as it stands. */
function plain(source: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?[eE]([+-]?\d+)$/.exec(source);
  if (!match) return source;
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  return point >= digits.length ? sign + digits + '0'.repeat(point - digits.length) : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}
