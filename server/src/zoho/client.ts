import type { LookupFunction } from 'node:net';
import { Agent, FormData, request } from 'undici';
import { clean, cut } from '@muhuri/shared/text';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { decodeText } from '../platform/decode-text.ts';
import type { CallMade, Purpose } from '../ports/books.ts';
import type { zohoHosts } from './data-centres.ts';
import type { Governor } from './governor.ts';
import { type Json, parseJson } from './parse-json.ts';

type Tokens = {
  of(grantId: string): Promise<{ token: string; apiDomain: string }>;
  invalidate(grantId: string, refused: string): Promise<void>;
};

/** Whose data, and how urgent: a call without an organization does not type-check. */
type Organization = {
  businessId: string;
  organizationId: string;
  grantId: string;
  purpose: Purpose;
};

type Ask = {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  query?: Record<string, string>;
  json?: unknown;
  /** One file as a multipart part of that name. */
  file?: { part: string; name: string; type: string; bytes: Buffer };
  /** A token of a person's own instead of the grant's: to learn who that person is here. */
  as?: { token: string; apiDomain: string };
};

/**
 * `aheadMs`: by how much Zoho's clock is ahead of ours, as far as the answer says; never less than
 * nothing.
 */
export type ZohoAnswer =
  | { is: 'found'; body: { [key: string]: Json }; aheadMs?: number }
  | { is: 'missing' };

export type ZohoClient = {
  /**
   * Throws `books_…` problems; `books_refused` where Zoho understood and said no. Nothing is sent
   * twice by itself but after a dead token, and what only reads once more after a lost connection.
   */
  call(organization: Organization, ask: Ask): Promise<ZohoAnswer>;
  get(
    organization: Organization,
    path: string,
    query?: Record<string, string>,
  ): Promise<ZohoAnswer>;
};

/**
 * An answer names its moment in whole seconds: what is left of that one counts as well once ours is
 * behind it. What is behind by less is not seen.
 */
function aheadOf(date: string, heardAt: Date): number {
  const ahead = Date.parse(date) - heardAt.getTime();
  return ahead > 0 ? ahead + 1_000 : 0;
}

const timeoutMs = 15_000;
/** For one whole exchange, however its bytes drip. */
const exchangeMs = 60_000;
const bytesMax = 8 << 20;

type Ports = {
  tokens: Tokens;
  hosts: ReturnType<typeof zohoHosts>;
  governor: Governor;
  clock: Clock;
  made(call: CallMade): void;
  lookup: LookupFunction;
};

/**
 * Zoho Books v3. Judges an answer by `code` 0 and a 2xx status together; HTML, time-outs and 5xx
 * are *unavailable*.
 */
export function zohoClient(ports: Ports): ZohoClient & { close(): Promise<void> } {
  const { tokens, hosts, governor, clock } = ports;
  const agent = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: bytesMax,
    connect: { timeout: 8_000, lookup: ports.lookup },
  });

  const once = async (organization: Organization, ask: Ask) => {
    const { token, apiDomain } = ask.as ?? (await tokens.of(organization.grantId));
    if (!hosts.isApi(apiDomain))
      throw new AppError('books_unavailable', {}, 'the API host is not one of Zoho');
    const search = new URLSearchParams({
      ...ask.query,
      organization_id: organization.organizationId,
    });
    const done = await governor.turn(organization.organizationId, organization.purpose);
    const [at, begun] = [clock.now(), performance.now()];
    let status: number | null = null;
    let zohoCode: string | null = null;
    try {
      const answer = await request(`${apiDomain}/books/v3${ask.path}?${search}`, {
        method: ask.method,
        headers: {
          authorization: `Zoho-oauthtoken ${token}`,
          accept: 'application/json',
          ...(ask.json === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(ask.json === undefined ? {} : { body: JSON.stringify(ask.json) }),
        ...(ask.file ? { body: formOf(ask.file) } : {}),
        dispatcher: agent,
        signal: AbortSignal.timeout(exchangeMs),
      });
      const type = String(answer.headers['content-type'] ?? '');
      const text = decodeText(Buffer.from(await answer.body.arrayBuffer()), type);
      status = answer.statusCode;
      const body = type.includes('json') ? parseJson(text) : null;
      zohoCode = body ? cut(clean(String(body.code)), 20) : null;
      const number = (name: string) => {
        const value = Number(answer.headers[name] ?? Number.NaN);
        return Number.isFinite(value) ? value : null;
      };
      governor.heard(organization.organizationId, {
        status,
        code: zohoCode ?? '',
        limit: number('x-rate-limit-limit'),
        remaining: number('x-rate-limit-remaining'),
        resetSeconds: number('x-rate-limit-reset'),
        retryAfterSeconds: number('retry-after'),
      });
      return {
        status,
        type,
        body,
        token,
        aheadMs: aheadOf(String(answer.headers.date ?? ''), clock.now()),
      };
    } catch (error) {
      throw error instanceof AppError ? error : new AppError('books_unavailable', {}, error);
    } finally {
      done();
      ports.made({
        businessId: organization.businessId,
        organizationId: organization.organizationId,
        at,
        purpose: organization.purpose,
        method: ask.method,
        // Which endpoint, not which document: ids would make every call its own kind.
        endpoint: ask.path.replace(/\d{6,}/g, '{id}'),
        status,
        zohoCode,
        ms: Math.round(performance.now() - begun),
      });
    }
  };

  /**
   * A kept connection may be closed from the other side at the moment it is used. What only reads
   * is asked for once more.
   */
  const onceOrAgain = (organization: Organization, ask: Ask) =>
    once(organization, ask).catch((error: AppError) => {
      if (ask.method !== 'GET' || !isConnectionLost(error.cause)) throw error;
      return once(organization, ask);
    });

  const call: ZohoClient['call'] = async (organization, ask) => {
    let { status, type, body, token, aheadMs } = await onceOrAgain(organization, ask);
    // An invalid token is renewed once; 57 looks alike but is a matter of role or scope, and
    // refreshing would burn the quota.
    if (status === 401 && body?.code !== '57' && !ask.as) {
      await tokens.invalidate(organization.grantId, token);
      ({ status, type, body, token, aheadMs } = await onceOrAgain(organization, ask));
    }
    if (!body) throw new AppError('books_unavailable', {}, `HTTP ${status}, ${type || 'no type'}`);
    const code = cut(clean(String(body.code)), 20);
    if (status >= 200 && status < 300 && code === '0') return { is: 'found', body, aheadMs };
    if (status === 404 || code === '1002' || code === '5') return { is: 'missing' };
    if (status === 429) throw new AppError('books_limit');
    if (status === 401 || code === '57' || code === '6041')
      throw new AppError('books_forbidden', { zoho_code: code });
    if (status >= 400 && status < 500)
      throw new AppError('books_refused', {
        zoho_code: code,
        zoho_text: cut(clean(String(body.message ?? '')), 300),
      });
    throw new AppError('books_unavailable', { zoho_code: code }, `HTTP ${status}`);
  };

  return {
    call,
    get: (organization, path, query = {}) => call(organization, { method: 'GET', path, query }),
    close: () => {
      governor.close();
      return agent.destroy();
    },
  };
}

/** Lost, not late: a time-out is not waited for a second time. */
const isConnectionLost = (error: unknown): boolean =>
  ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(
    (error as NodeJS.ErrnoException | null)?.code ?? '',
  );

function formOf(file: NonNullable<Ask['file']>): FormData {
  const form = new FormData();
  form.append(file.part, new Blob([new Uint8Array(file.bytes)], { type: file.type }), file.name);
  return form;
}
