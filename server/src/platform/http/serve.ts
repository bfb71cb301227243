import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { bodyKbOf, type Endpoint } from '@muhuri/shared/contract/index';
import type { ProblemCode } from '@muhuri/shared/problems';
import { Hono, type Context as HonoContext, type MiddlewareHandler } from 'hono';
import type { Context, Session } from '../../context.ts';
import { AppError } from '../app-error.ts';
import { withRequestTimeout } from '../db/database.ts';
import type { Log } from '../log.ts';
import { randomHex } from '../random-hex.ts';
import type { FairQueue } from '../fair-queue.ts';
import { type Call, FileResponse, type Route, WithStatus } from './route.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { IdempotencyKeys, RequestOutcome } from './idempotency.store.ts';
import { networkOf } from './network-of.ts';
import type { TokenGate } from './token-gate.ts';
import { limited, limitOf, type Spent, stillLimited } from './over-limit.ts';
import { respond } from './respond.ts';
import { arrived, bodyOf, jsonOf, parse, readable } from './parse-request.ts';
import { failure, languageOf, problemAnswer } from './problem-response.ts';

export type HttpPorts = {
  log: Log;
  tokens: TokenGate<Session>;
  bytes: ByteBudget;
  contextOf(
    session: Session,
    about: { language: string; requestId: string; origin: string | null },
  ): Context;
  /** The code of the problem that keeps a caller out of an endpoint, or null. */
  refusalOf(session: Session | null, endpoint: Endpoint): ProblemCode | null;
  /** The operator's context for the business in the path. */
  operatorContextOf(
    session: Session,
    businessId: string,
    about: { language: string; requestId: string; origin: string | null },
  ): Context;
  limits: {
    ofAddress(address: string): Promise<Spent>;
    ofSession(session: Session, isSealing: boolean): Promise<Spent>;
    ofChange(businessId: string): Promise<void>;
  };
  walls: {
    recordDeniedLookups(ctx: Context, route: string, ids: string[]): void;
    recordMismatch(ctx: Context, route: string, organizationId: string): Promise<void>;
    idsInRequest(values: unknown[], ownBusinessId: string): string[];
  };
  idempotency: IdempotencyKeys;
  /** How long a statement may take that a caller waits for, in milliseconds. */
  askedMs: number;
  /** The turns of what reads through much, by business. */
  heavy: FairQueue;
  isAllowedOrigin(origin: string): boolean;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  trustedProxies: string[];
};

/** The HTTP edge: who asks, is it well formed, may they, and one shape for whatever goes wrong. */
export function mount(app: Hono, routes: Route[], ports: HttpPorts): void {
  app.use('/api/*', withoutHead as MiddlewareHandler);
  app.use('/api/*', (c, next) => cors(c, next, ports));
  for (const route of routes) {
    const path = `/api/v1${route.endpoint.path.replace(/\{(\w+)\}/g, ':$1')}`;
    const limit = limitOf(bodyKbOf(route.endpoint) * 1024);
    app.on(route.endpoint.method, path, limit, (c) =>
      withRequestTimeout(ports.askedMs, () => handle(c, route, ports)),
    );
  }
  app.notFound((c) => problemAnswer(c, { code: 'not_found' }));
  app.onError((error, c) => failure(c, error, ports.log));
}

/**
 * Programs that look ahead of a person (previews in mails and chats) ask for the head of an
 * address. The router would call the handler for it and throw the answer away, and a handler may
 * have used something up by then: a head is never asked of a handler.
 */
function withoutHead(c: HonoContext, next: () => Promise<void>): Promise<void> | Response {
  return c.req.raw.method === 'HEAD' ? c.body(null, 405, { allow: 'GET' }) : next();
}

/**
 * What every answer carries, whatever it is: nothing is sniffed, framed or told where it was linked
 * from. Pages add their own policy.
 */
export function hardened(c: HonoContext, next: () => Promise<void>): Promise<Response | void> {
  for (const [name, value] of hardening) c.header(name, value);
  if (isPlain(c)) return next();
  c.header('connection', 'close');
  return Promise.resolve(
    problemAnswer(c, {
      code: 'malformed',
      field: 'Host',
      reason: 'a request names one host, in HTTP/1.1 or 1.0',
    }),
  );
}

/**
 * One host and no more, since two readers of a request could each believe another one; and no
 * request from before there were headers.
 */
function isPlain(c: HonoContext): boolean {
  const incoming = (
    c.env as { incoming?: { rawHeaders?: string[]; httpVersion?: string } } | undefined
  )?.incoming;
  if (!incoming?.rawHeaders) return true;
  const hosts = incoming.rawHeaders.filter(
    (name, i) => i % 2 === 0 && name.toLowerCase() === 'host',
  ).length;
  return hosts === 1 && (incoming.httpVersion === '1.1' || incoming.httpVersion === '1.0');
}

const hardening = Object.entries({
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'cross-origin-resource-policy': 'cross-origin',
  'cross-origin-opener-policy': 'same-origin',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
});

async function handle(c: HonoContext, route: Route, ports: HttpPorts): Promise<Response> {
  const { endpoint } = route;
  const started = performance.now();
  const requestId = `req_${randomHex(8)}`;
  c.header('x-request-id', requestId);
  c.header('cache-control', 'no-store');
  c.set('requestId', requestId);
  const language = languageOf(c);
  const address = addressOf(c, ports.trustedProxies);
  const about = { language, requestId, origin: address };
  const name = `${endpoint.method} ${endpoint.path}`;
  if (endpoint.guard === 'anyone' && !endpoint.raw)
    spent(c, await ports.limits.ofAddress(address ?? ''));
  if (endpoint.guard !== 'anyone') await stillLimited(bearer(c));
  const session =
    endpoint.guard === 'anyone' ? null : await ports.tokens.read(bearer(c), address ?? '');
  if (session)
    spent(
      c,
      await limited(bearer(c), () =>
        ports.limits.ofSession(
          session,
          endpoint.path === '/receipts' && endpoint.method === 'POST',
        ),
      ),
    );
  const ctx = session?.business ? ports.contextOf(session, about) : null;
  const organization = c.req.header('x-organization-id');
  if (
    ctx &&
    session?.business &&
    organization !== undefined &&
    organization !== session.business.organizationId
  ) {
    await ports.walls.recordMismatch(ctx, name, organization.slice(0, 40));
    throw new AppError('organization_mismatch');
  }
  const refusal = ports.refusalOf(session, endpoint);
  if (refusal) throw new AppError(refusal);
  if (ctx && endpoint.method !== 'GET' && endpoint.guard.startsWith('manage_'))
    await ports.limits.ofChange(ctx.businessId);
  // No address of ours is as long: what is would be kept with a repeated request, or looked for, at
  // the length its caller chose.
  if (c.req.path.length > pathMost) {
    c.header('connection', 'close');
    throw new AppError('not_found');
  }
  let bytes = Buffer.alloc(0);
  const params = readable(c.req.param(), 'path') as Record<string, string>;
  const call: Call = {
    params,
    raw: {
      get bytes() {
        return bytes;
      },
      contentType: c.req.header('content-type') ?? '',
      query: [...new URL(c.req.url).searchParams],
      header: (name) => c.req.header(name) ?? '',
    },
    language,
    requestId,
    isReplay: false,
    from: { address: address ?? '', userAgent: c.req.header('user-agent')?.slice(0, 200) ?? null },
    get onBusiness() {
      if (!session?.isOperator) throw new AppError('not_allowed');
      if (!/^biz_[0-9a-f]{32}$/.test(params.id ?? '')) throw new AppError('not_found');
      return ports.operatorContextOf(session, params.id as string, about);
    },
    get token() {
      return bearer(c);
    },
    get session() {
      if (!session) throw new AppError('not_signed_in');
      return session;
    },
    get ctx() {
      if (!ctx) throw new AppError('not_signed_in');
      return ctx;
    },
  };
  const key =
    endpoint.method === 'GET' || endpoint.guard === 'anyone' || endpoint.path.startsWith('/auth/')
      ? undefined
      : c.req.header('idempotency-key');
  const caller = session
    ? { owner: ctx?.businessId ?? session.person.id }
    : await strangerAt(c, route, call, address);
  const release = ports.bytes.hold(bytesSent(c, endpoint), caller);
  let [raw, result, isRead]: [string, unknown, boolean] = ['', undefined, false];
  try {
    if (endpoint.raw) bytes = await arrived(bodyOf(c, endpoint));
    else if (endpoint.method !== 'GET') {
      const begun = performance.now();
      raw = (await arrived(bodyOf(c, endpoint))).toString('utf8');
      if (session && performance.now() - begun > slowBodyMs)
        await stillMay(ports, bearer(c), address, endpoint);
    }
    const input = endpoint.input ? parse(endpoint.input, jsonOf(raw), 'body') : undefined;
    const query = endpoint.query
      ? parse(endpoint.query, readable(c.req.query(), 'query'), 'query')
      : undefined;
    isRead = true;
    const answered = () =>
      key && ctx
        ? once(route, call, ctx, key, c.req.path, raw, { input, query }, ports)
        : route.handle(call, { input, query });
    result =
      endpoint.heavy && session
        ? await ports.heavy(ctx?.businessId ?? session.person.id, answered)
        : await answered();
  } catch (error) {
    // Every refusal notes the ids it was asked for, whatever they are: only a job finds out later
    // whether one is another's.
    if (ctx && isRead && error instanceof AppError)
      ports.walls.recordDeniedLookups(
        ctx,
        name,
        ports.walls.idsInRequest(
          [params, c.req.query(), opened(c.req.query('cursor')), jsonOf(raw)],
          ctx.businessId,
        ),
      );
    throw error;
  } finally {
    release();
  }
  ports.log.info(
    {
      request_id: requestId,
      business_id: ctx?.businessId,
      route: name,
      ms: Math.round(performance.now() - started),
    },
    'answered',
  );
  return respond(c, result);
}

const pathMost = 500;

/**
 * A body may take half a minute to arrive. Whoever was put out meanwhile must not have begun in
 * time what they end now.
 */
const slowBodyMs = 100;

async function stillMay(
  ports: HttpPorts,
  token: string,
  address: string | null,
  endpoint: Endpoint,
): Promise<void> {
  const refusal = ports.refusalOf(await ports.tokens.read(token, address ?? ''), endpoint);
  if (refusal) throw new AppError(refusal);
}

/**
 * Whose bytes are about to be read of a caller who has not signed in: of an endpoint that takes
 * bytes, nobody's until its address is known.
 */
async function strangerAt(
  c: HonoContext,
  route: Route,
  call: Call,
  address: string | null,
): Promise<{ owner: string } | { network: string }> {
  if (!route.admit) return { network: networkOf(address ?? '') };
  try {
    return await route.admit(call);
  } catch (error) {
    // Nobody reads what still comes: the connection ends with the answer, and is not held until the
    // rest has arrived.
    c.header('connection', 'close');
    throw error;
  }
}

/** How many bytes a call says it sends; where it does not say, as many as it may. */
function bytesSent(c: HonoContext, endpoint: Endpoint): number {
  if (endpoint.method === 'GET') return 0;
  const declared = c.req.header('content-length');
  if (declared !== undefined && c.req.header('transfer-encoding') === undefined)
    return Number(declared);
  return c.req.header('transfer-encoding') === undefined ? 0 : bodyKbOf(endpoint) * 1024;
}

/** How much is left, as the draft on RateLimit header fields names it, and of the day's quota. */
function spent(c: HonoContext, is: Spent): void {
  c.header('ratelimit-limit', String(is.limit));
  c.header('ratelimit-remaining', String(is.left));
  c.header('ratelimit-reset', String(is.resetSeconds));
  if (is.dayLeft !== null) c.header('x-quota-day-remaining', String(is.dayLeft));
}

/** What a cursor holds; it is a place where an id can stand. */
const opened = (cursor: string | undefined): string =>
  cursor ? Buffer.from(cursor, 'base64url').toString('utf8') : '';

/**
 * A repeated key answers as before; for receipts the document itself is the key, so those answer
 * with the present state.
 */
async function once(
  route: Route,
  call: Call,
  ctx: Context,
  key: string,
  path: string,
  raw: string,
  given: { input: unknown; query: unknown },
  ports: HttpPorts,
): Promise<unknown> {
  if (key.length > 200) throw new AppError('malformed', { field: 'Idempotency-Key' });
  const name = `${route.endpoint.method} ${path}`;
  const seen = await ports.idempotency.remember(
    ctx,
    name,
    key,
    createHash('sha256').update(raw).digest('hex'),
  );
  if (seen.is === 'conflict') throw new AppError('idempotency_conflict');
  if (route.endpoint.path === '/receipts') {
    if (seen.is === 'new') await ports.idempotency.end(ctx, name, key, { is: 'done' });
    return route.handle(
      Object.create(call, { isReplay: { value: seen.is !== 'new' } }) as Call,
      given,
    );
  }
  if (seen.is === 'under_way') throw new AppError('idempotency_under_way', { retry_after_s: 1 });
  if (seen.is === 'lost') throw new AppError('idempotency_unknown');
  if (seen.is === 'ended') return repeated(seen.ending);
  const end = (ending: RequestOutcome) => ports.idempotency.end(ctx, name, key, ending);
  let result: unknown;
  try {
    result = await route.handle(call, given);
  } catch (error) {
    // What was refused is refused again, without another try: some of it may have been done before
    // it was.
    await end({
      is: 'refused',
      problem:
        error instanceof AppError
          ? error.problem
          : { code: 'internal', request_id: call.requestId },
    });
    throw error;
  }
  const isKept = !route.endpoint.answersSecret && !(result instanceof FileResponse);
  await end(
    isKept
      ? { is: 'answered', response: result instanceof WithStatus ? result.body : result }
      : { is: 'done' },
  );
  return result;
}

function repeated(ending: RequestOutcome): unknown {
  if (ending.is === 'answered') return ending.response;
  if (ending.is === 'refused') throw new AppError(ending.problem.code, ending.problem);
  throw new AppError('idempotency_done');
}

function bearer(c: HonoContext): string {
  const header = c.req.header('authorization') ?? '';
  const token = /^Bearer ([\x21-\x7e]{20,200})$/.exec(header)?.[1];
  if (!token) throw new AppError('not_signed_in');
  return token;
}

/** The client's address: the socket's, unless a configured proxy stands there. */
export function addressOf(c: HonoContext, trusted: string[]): string | null {
  const socket =
    (c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket
      ?.remoteAddress ?? null;
  if (!socket || !trusted.includes(socket.replace(/^::ffff:/, ''))) return socket;
  const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').at(-1)?.trim() ?? '';
  return isIP(forwarded) ? forwarded : socket;
}

/**
 * By pattern, without credentials: every Zoho widget has an origin of this kind, so an origin
 * proves nothing.
 */
async function cors(
  c: HonoContext,
  next: () => Promise<void>,
  ports: HttpPorts,
): Promise<Response | undefined> {
  const origin = c.req.header('origin');
  const allowed = origin !== undefined && ports.isAllowedOrigin(origin);
  c.header('vary', 'origin');
  if (allowed) {
    c.header('access-control-allow-origin', origin);
    c.header(
      'access-control-expose-headers',
      'x-request-id, ratelimit-limit, ratelimit-remaining, ratelimit-reset, x-quota-day-remaining, retry-after',
    );
  }
  if (c.req.method === 'OPTIONS') {
    if (allowed) {
      c.header('access-control-allow-methods', 'GET, POST, PUT');
      c.header(
        'access-control-allow-headers',
        'authorization, content-type, accept-language, idempotency-key, x-organization-id',
      );
      c.header('access-control-max-age', '600');
    }
    return c.body(null, 204);
  }
  await next();
  return undefined;
}
