import type { LookupFunction } from 'node:net';
import { Agent, FormData, request } from 'undici';
import { clean, cut } from '@muhuri/shared/text';
import { AppError } from '../platform/app-error.ts';
import type { Clock } from '../platform/clock.ts';
import { decodeText } from '../platform/decode-text.ts';
import type { CallMade, Purpose } from '../ports/books.ts';
import type { zohoHosts } from './data-centres.ts';
import type { CallBudget } from './call-budget.ts';
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
  budget: CallBudget;
  clock: Clock;
  made(call: CallMade): void;
  lookup: LookupFunction;
};

/**
 * Zoho Books v3. Judges an answer by `code` 0 and a 2xx status together; HTML, time-outs and 5xx
 * are *unavailable*.
 */
export function zohoClient(ports: Ports): ZohoClient & { close(): Promise<void> } {
  const agent = new Agent({
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    maxResponseSize: bytesMax,
    connect: { timeout: 8_000, lookup: ports.lookup },
  });
  const call: ZohoClient['call'] = async (organization, ask) => {
    const first = await onceOrAgain(ports, agent, organization, ask);
    if (!isTokenDead(first) || ask.as) return judge(first);
    await ports.tokens.invalidate(organization.grantId, first.token);
    return judge(await onceOrAgain(ports, agent, organization, ask));
  };
  return {
    call,
    get: (organization, path, query = {}) => call(organization, { method: 'GET', path, query }),
    close: () => {
      ports.budget.close();
      return agent.destroy();
    },
  };
}

type Heard = {
  status: number;
  type: string;
  /** Null: the answer is not JSON. */
  body: { [key: string]: Json } | null;
  /** The token that was used. */
  token: string;
  aheadMs: number;
};

/**
 * An invalid token is renewed once; 57 looks alike but is a matter of role or scope, and refreshing
 * would burn the quota.
 */
const isTokenDead = ({ status, body }: Heard): boolean => status === 401 && body?.code !== '57';

/** Zoho's own codes for what is not there, and for what a role or a scope does not allow. */
const missingCodes = ['1002', '5'];
const forbiddenCodes = ['57', '6041'];

/** Returns the answer, or throws what Zoho means by it. */
function judge({ status, type, body, aheadMs }: Heard): ZohoAnswer {
  if (!body) throw new AppError('books_unavailable', {}, `HTTP ${status}, ${type || 'no type'}`);
  const code = cut(clean(String(body.code)), 20);
  if (status >= 200 && status < 300 && code === '0') return { is: 'found', body, aheadMs };
  if (status === 404 || missingCodes.includes(code)) return { is: 'missing' };
  if (status === 429) throw new AppError('books_limit');
  if (status === 401 || forbiddenCodes.includes(code))
    throw new AppError('books_forbidden', { zoho_code: code });
  if (status >= 400 && status < 500)
    throw new AppError('books_refused', {
      zoho_code: code,
      zoho_text: cut(clean(String(body.message ?? '')), 300),
    });
  throw new AppError('books_unavailable', { zoho_code: code }, `HTTP ${status}`);
}

/**
 * A kept connection may be closed from the other side at the moment it is used. What only reads is
 * asked for once more.
 */
const onceOrAgain = (ports: Ports, agent: Agent, organization: Organization, ask: Ask) =>
  once(ports, agent, organization, ask).catch((error: AppError) => {
    if (ask.method !== 'GET' || !isConnectionLost(error.cause)) throw error;
    return once(ports, agent, organization, ask);
  });

/** Makes one call in its turn, and records that it was made, whatever came of it. */
async function once(
  ports: Ports,
  agent: Agent,
  organization: Organization,
  ask: Ask,
): Promise<Heard> {
  const { tokens, hosts, budget, clock } = ports;
  const { token, apiDomain } = ask.as ?? (await tokens.of(organization.grantId));
  if (!hosts.isApi(apiDomain))
    throw new AppError('books_unavailable', {}, 'the API host is not one of Zoho');
  const done = await budget.turn(organization.organizationId, organization.purpose);
  const [at, begun] = [clock.now(), performance.now()];
  let status: number | null = null;
  let zohoCode: string | null = null;
  try {
    const answer = await exchange(agent, organization, ask, { token, apiDomain });
    const type = String(answer.headers['content-type'] ?? '');
    const text = decodeText(Buffer.from(await answer.body.arrayBuffer()), type);
    status = answer.statusCode;
    const body = type.includes('json') ? parseJson(text) : null;
    zohoCode = body ? cut(clean(String(body.code)), 20) : null;
    budget.heard(organization.organizationId, {
      status,
      code: zohoCode ?? '',
      ...limitsIn(answer.headers),
    });
    const aheadMs = aheadOf(String(answer.headers.date ?? ''), clock.now());
    return { status, type, body, token, aheadMs };
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
}

function exchange(
  agent: Agent,
  { organizationId }: Organization,
  ask: Ask,
  { token, apiDomain }: { token: string; apiDomain: string },
) {
  const search = new URLSearchParams({ ...ask.query, organization_id: organizationId });
  return request(`${apiDomain}/books/v3${ask.path}?${search}`, {
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
}

/** What the headers of an answer say of the day's calls and of a block. */
function limitsIn(headers: Awaited<ReturnType<typeof exchange>>['headers']) {
  const number = (name: string) => {
    const value = Number(headers[name] ?? Number.NaN);
    return Number.isFinite(value) ? value : null;
  };
  return {
    limit: number('x-rate-limit-limit'),
    remaining: number('x-rate-limit-remaining'),
    resetSeconds: number('x-rate-limit-reset'),
    retryAfterSeconds: number('retry-after'),
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
