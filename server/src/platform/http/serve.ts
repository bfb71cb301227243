import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { bodyKbOf, type Endpoint } from '@muhuri/shared/contract/index';
import { describeProblem, type ProblemCode, type StoredProblem } from '@muhuri/shared/problems';
import { clean, cut, firstNul, mapStrings } from '@muhuri/shared/text';
import { type Context as HonoContext, Hono, type MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import type { Context, Session } from '../../context.ts';
import { AppError } from '../app-error.ts';
import { withRequestTimeout } from '../db/database.ts';
import type { Log } from '../log.ts';
import { randomHex } from '../random-hex.ts';
import type { FairQueue } from '../fair-queue.ts';
import { type Call, FileResponse, type Route, WithStatus } from './route.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { RequestOutcome, IdempotencyKeys } from './idempotency.store.ts';
import { networkOf } from './network-of.ts';
import type { TokenGate } from './token-gate.ts';

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

type Spent = { limit: number; left: number; resetSeconds: number; dayLeft: number | null };

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

/**
 * No body that says it is above so many bytes, which the HTTP parser holds a client to. One that
 * does not say is counted while it is read.
 */
function limitOf(maxSize: number): MiddlewareHandler {
  return async (c, next) =>
    Number(c.req.header('content-length') ?? 0) > maxSize ? tooLarge(c) : next();
}

/**
 * What was sent is taken off the wire, bounded, before it is refused: a caller still writing would
 * see a broken connection instead.
 */
async function tooLarge(c: HonoContext): Promise<Response> {
  let bytes = 0;
  const body = c.req.raw.body;
  if (body && !body.locked)
    for await (const part of body) if ((bytes += part.byteLength) > 10 << 20) break;
  return problemAnswer(c, { code: 'too_large' });
}

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

/**
 * Tokens that were over their limit a moment ago, until when. They are turned away before anything
 * is read, so that whoever floods costs the others next to nothing. Only a token that was found to
 * be real stands here: a made-up one learns nothing from it.
 */
const overLimit = new Map<string, number>();

async function stillLimited(token: string): Promise<void> {
  const seconds = Math.ceil(((overLimit.get(token) ?? 0) - performance.now()) / 1000);
  if (seconds <= 0) return;
  // A caller that waits for its answer before it calls again is slowed down by a late one; one that
  // does not gets no more than these held open.
  if (heldBack < heldBackMost) {
    heldBack++;
    await delay(heldBackMs).finally(() => heldBack--);
  }
  throw new AppError('rate_limited', { retry_after_s: seconds });
}

const heldBackMs = 250;
const heldBackMost = 200;
let heldBack = 0;

async function limited<T>(token: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'rate_limited') {
      if (overLimit.size > 10_000) overLimit.clear();
      // Looked at again soon: a limit that was raised, or another process's, must not be waited
      // for.
      overLimit.set(
        token,
        performance.now() + Math.min(2, Number(error.problem.retry_after_s)) * 1000,
      );
    }
    throw error;
  }
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

/** Sent as fast as it is read, and let go of once nobody reads any more. */
const streamOf = (parts: AsyncIterable<string>): ReadableStream<Uint8Array> => {
  const encoder = new TextEncoder();
  const iterator = parts[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
};

function respond(c: HonoContext, result: unknown): Response {
  if (result instanceof FileResponse) {
    c.header('content-type', result.type);
    if (result.name) c.header('content-disposition', `inline; filename="${result.name}"`);
    if (result.policy) {
      c.header('content-security-policy', result.policy);
      // A page that is opened out of Zoho's sandboxed frame is refused by browsers where it asks
      // for an opener of its own origin.
      c.header('cross-origin-opener-policy', 'unsafe-none');
    }
    const { body } = result;
    return c.body(
      (typeof body === 'string' || Buffer.isBuffer(body) ? body : streamOf(body)) as never,
    );
  }
  if (result instanceof WithStatus)
    return c.json(result.body as object, result.status as ContentfulStatusCode);
  return c.json(result as object);
}

/**
 * People's own text: U+0000, which nobody types, is refused with the field it stands in; half of a
 * surrogate pair, as an editor leaves it that cuts an emoji in two, becomes U+FFFD. Other controls
 * are the field's: it may refuse them, and what it lets pass comes in as blanks.
 */
function readable(value: unknown, where: 'body' | 'query' | 'path'): unknown {
  if (!isWithin(value, depthMost))
    throw malformed(where, `it is nested deeper than ${depthMost} levels`);
  const nul = firstNul(value);
  if (nul !== null) throw malformed(nul || where, 'it holds the character U+0000');
  return mapStrings(value, (text) => text.toWellFormed());
}

const depthMost = 64;

/**
 * Names of fields are the caller's own where they are wrong: no answer, log or sentence grows with
 * them.
 */
const malformed = (field: string, reason: string): AppError =>
  new AppError('malformed', { field: cut(field, namedMost), reason: cut(reason, namedMost) });
const namedMost = 300;

/** Whether a value is nested no deeper than that. */
const isWithin = (value: unknown, levels: number): boolean =>
  typeof value !== 'object' ||
  value === null ||
  (levels > 0 && Object.values(value).every((each) => isWithin(each, levels - 1)));

/** Passwords and tokens are compared, never shown or printed: they stay as they were given. */
const isSecret = (key: string) => /password|secret|token/.test(key);

/**
 * Tabs, line breaks and other controls of a text that its field let pass, as blanks: it goes into
 * tables of one line each and on paper. A text of nothing else is none.
 */
function onOneLine(value: unknown, path = ''): unknown {
  if (typeof value === 'string') {
    const text = clean(value);
    if (text !== value && text.trim() === '')
      throw malformed(path, 'it holds nothing but control characters');
    return text;
  }
  if (typeof value !== 'object' || value === null) return value;
  const within = (key: string | number, each: unknown) =>
    onOneLine(each, path === '' ? String(key) : `${path}.${key}`);
  if (Array.isArray(value)) return value.map((each, i) => within(i, each));
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, isSecret(key) ? each : within(key, each)]),
  );
}

function parse(schema: z.ZodType, value: unknown, where: 'body' | 'query'): unknown {
  // A list would be said to lack the fields of an object, which nobody who sent one looks for.
  if (
    schema instanceof z.ZodObject &&
    (typeof value !== 'object' || value === null || Array.isArray(value))
  )
    throw new AppError('malformed', {
      field: where,
      reason: `the ${where} is ${Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 20)}, not an object`,
    });
  const parsed = schema.safeParse(value);
  if (parsed.success) return onOneLine(parsed.data);
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.');
  throw malformed(field || where, issue?.message ?? 'malformed');
}

/**
 * The body. One in chunks does not say how long it is: it is counted while it is read, which begins
 * only here, where its caller is known and has a share of the memory for it. What goes beyond is
 * taken off the wire, bounded, but not kept.
 */
async function bodyOf(c: HonoContext, endpoint: Endpoint): Promise<Buffer<ArrayBuffer>> {
  if (c.req.header('transfer-encoding') === undefined)
    return Buffer.from(await c.req.arrayBuffer());
  const most = bodyKbOf(endpoint) * 1024;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of c.req.raw.body ?? []) {
    bytes += part.byteLength;
    if (bytes <= most) parts.push(part);
    if (bytes > 10 << 20) break;
  }
  if (bytes > most) throw new AppError('too_large');
  return Buffer.concat(parts);
}

/**
 * What was sent; a client that hung up, or was dropped for being slow, sent half of it, and that is
 * nobody's fault here.
 */
async function arrived<T>(body: Promise<T>): Promise<T> {
  try {
    return await body;
  } catch (error) {
    if (error instanceof Error && (error.name === 'AbortError' || error.message === 'aborted'))
      throw new AppError('malformed', { field: 'body', reason: 'it did not arrive whole' });
    throw error;
  }
}

function jsonOf(raw: string): unknown {
  if (raw === '') return {};
  let body: unknown;
  try {
    body = JSON.parse(raw.replace(/^\ufeff/, ''));
  } catch {
    throw new AppError('malformed', { field: 'body', reason: `the body is ${nameOfForm(raw)}` });
  }
  return readable(body, 'body');
}

/** What was sent instead of JSON, as far as it shows. */
function nameOfForm(raw: string): string {
  if (/^\s*--\S+\r?\n/.test(raw)) return 'multipart, not JSON';
  return /^[\w.%[\]+-]+=/.test(raw) ? 'a form, not JSON' : 'not JSON';
}

function failure(c: HonoContext, error: Error, log: Log): Response {
  if (error instanceof AppError) {
    if (error.cause)
      log.warn(
        { request_id: c.get('requestId' as never), code: error.code, cause: String(error.cause) },
        'problem',
      );
    return problemAnswer(c, error.problem);
  }
  log.error(
    { request_id: c.get('requestId' as never), error: error.stack ?? String(error) },
    'unexpected',
  );
  return problemAnswer(c, { code: 'internal', request_id: c.get('requestId' as never) });
}

function problemAnswer(c: HonoContext, stored: StoredProblem): Response {
  if (typeof stored.retry_after_s === 'number')
    c.header('retry-after', String(stored.retry_after_s));
  const problem = describeProblem(translateNested(stored, languageOf(c)), languageOf(c));
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
  });
}

const translateNested = (stored: StoredProblem, language: string): StoredProblem =>
  Array.isArray(stored.findings)
    ? {
        ...stored,
        findings: (stored.findings as StoredProblem[]).map((each) =>
          describeProblem(each, language),
        ),
      }
    : stored;

function bearer(c: HonoContext): string {
  const header = c.req.header('authorization') ?? '';
  const token = /^Bearer ([\x21-\x7e]{20,200})$/.exec(header)?.[1];
  if (!token) throw new AppError('not_signed_in');
  return token;
}

const languageOf = (c: HonoContext) =>
  (/^[a-z]{2}/i.exec(c.req.header('accept-language') ?? '')?.[0] ?? 'en').toLowerCase();

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
