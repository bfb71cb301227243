import { createHash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { describeProblem, type StoredProblem } from '@muhuri/shared/problems';
import { type Context as HonoContext, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import type { Context, Session } from '../../context.ts';
import { AppError } from '../app-error.ts';
import type { Log } from '../log.ts';
import { type Call, FileAnswer, type Route, WithStatus } from './answer.ts';

export type HttpPorts = {
  log: Log;
  readSession(token: string): Promise<Session>;
  contextOf(session: Session, about: { language: string; requestId: string; origin: string | null }): Context;
  mayPass(session: Session | null, guard: string): boolean;
  /** Remembers an Idempotency-Key; says whether it is new, a repetition, or used for something else. */
  remember(ctx: Context, route: string, key: string, bodyHash: string): Promise<{ is: 'new' } | { is: 'replay'; response: unknown } | { is: 'conflict' }>;
  keepResponse(ctx: Context, route: string, key: string, response: unknown): Promise<void>;
  isAllowedOrigin(origin: string): boolean;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  trustedProxies: string[];
};

const bodyBytesMax = 256 * 1024;

/** The HTTP edge: who asks, is it well formed, may they, and one shape for whatever goes wrong. */
export function mount(app: Hono, routes: Route[], ports: HttpPorts): void {
  app.use('/api/*', (c, next) => cors(c, next, ports));
  app.use('/api/*', bodyLimit({ maxSize: bodyBytesMax, onError: tooLarge }));
  for (const route of routes) {
    const path = `/api/v1${route.endpoint.path.replace(/\{(\w+)\}/g, ':$1')}`;
    app.on(route.endpoint.method, path, (c) => handle(c, route, ports));
  }
  app.notFound((c) => problemAnswer(c, { code: 'not_found' }));
  app.onError((error, c) => failure(c, error, ports.log));
}

/** What was sent is taken off the wire, bounded, before it is refused: a caller still writing would see a broken connection instead. */
async function tooLarge(c: HonoContext): Promise<Response> {
  let bytes = 0;
  const body = c.req.raw.body;
  if (body && !body.locked) for await (const part of body) if ((bytes += part.byteLength) > 40 * bodyBytesMax) break;
  return problemAnswer(c, { code: 'too_large' });
}

async function handle(c: HonoContext, route: Route, ports: HttpPorts): Promise<Response> {
  const { endpoint } = route;
  const started = performance.now();
  const requestId = `req_${randomBytes(8).toString('hex')}`;
  c.header('x-request-id', requestId);
  c.header('cache-control', 'no-store');
  c.set('requestId', requestId);
  const language = languageOf(c);
  const session = endpoint.guard === 'anyone' ? null : await ports.readSession(bearer(c));
  if (session && !ports.mayPass(session, endpoint.guard)) throw new AppError('not_allowed');
  const raw = endpoint.method === 'GET' ? '' : await c.req.text();
  const input = endpoint.input ? parse(endpoint.input, jsonOf(raw), 'body') : undefined;
  const query = endpoint.query ? parse(endpoint.query, c.req.query(), 'query') : undefined;
  const ctx = session?.business ? ports.contextOf(session, { language, requestId, origin: addressOf(c, ports.trustedProxies) }) : null;
  const call: Call = {
    params: c.req.param() as Record<string, string>,
    language,
    isReplay: false,
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
  const key = endpoint.method === 'GET' || endpoint.guard === 'anyone' || endpoint.path.startsWith('/auth/') ? undefined : c.req.header('idempotency-key');
  const result = key && ctx ? await once(route, call, ctx, key, c.req.path, raw, { input, query }, ports) : await route.handle(call, { input, query });
  ports.log.info(
    { request_id: requestId, business_id: ctx?.businessId, route: `${endpoint.method} ${endpoint.path}`, ms: Math.round(performance.now() - started) },
    'answered',
  );
  return respond(c, result);
}

/** A repeated key answers as before; for receipts the document itself is the key, so those answer with the present state. */
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
  const seen = await ports.remember(ctx, name, key, createHash('sha256').update(raw).digest('hex'));
  if (seen.is === 'conflict') throw new AppError('idempotency_conflict');
  const answersPresent = route.endpoint.path === '/receipts';
  if (seen.is === 'replay' && !answersPresent && seen.response) return seen.response;
  const replaying: Call = Object.create(call, { isReplay: { value: seen.is === 'replay' } });
  const result = await route.handle(replaying, given);
  if (!answersPresent && !(result instanceof FileAnswer)) await ports.keepResponse(ctx, name, key, result instanceof WithStatus ? result.body : result);
  return result;
}

function respond(c: HonoContext, result: unknown): Response {
  if (result instanceof FileAnswer) {
    c.header('content-type', result.type);
    c.header('x-content-type-options', 'nosniff');
    if (result.name) c.header('content-disposition', `inline; filename="${result.name}"`);
    return c.body(result.body as never);
  }
  if (result instanceof WithStatus) return c.json(result.body as object, result.status as ContentfulStatusCode);
  return c.json(result as object);
}

function parse(schema: z.ZodType, value: unknown, where: 'body' | 'query'): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const field = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])].join('.');
  throw new AppError('malformed', { field: field || where, reason: issue?.message ?? 'malformed' });
}

function jsonOf(raw: string): unknown {
  if (raw === '') return {};
  try {
    return JSON.parse(raw);
  } catch {
    throw new AppError('malformed', { field: 'body', reason: 'the body is not JSON' });
  }
}

function failure(c: HonoContext, error: Error, log: Log): Response {
  if (error instanceof AppError) {
    if (error.cause) log.warn({ request_id: c.get('requestId' as never), code: error.code, cause: String(error.cause) }, 'problem');
    return problemAnswer(c, error.problem);
  }
  log.error({ request_id: c.get('requestId' as never), error: error.stack ?? String(error) }, 'unexpected');
  return problemAnswer(c, { code: 'internal', request_id: c.get('requestId' as never) });
}

function problemAnswer(c: HonoContext, stored: StoredProblem): Response {
  const problem = describeProblem(translateNested(stored, languageOf(c)), languageOf(c));
  return c.body(JSON.stringify(problem), problem.status as ContentfulStatusCode, { 'content-type': 'application/problem+json', 'cache-control': 'no-store' });
}

const translateNested = (stored: StoredProblem, language: string): StoredProblem =>
  Array.isArray(stored.findings) ? { ...stored, findings: (stored.findings as StoredProblem[]).map((each) => describeProblem(each, language)) } : stored;

function bearer(c: HonoContext): string {
  const header = c.req.header('authorization') ?? '';
  const token = /^Bearer ([\x21-\x7e]{20,200})$/.exec(header)?.[1];
  if (!token) throw new AppError('not_signed_in');
  return token;
}

const languageOf = (c: HonoContext) => (/^[a-z]{2}/i.exec(c.req.header('accept-language') ?? '')?.[0] ?? 'en').toLowerCase();

/** The client's address: the socket's, unless a configured proxy stands there. */
function addressOf(c: HonoContext, trusted: string[]): string | null {
  const socket = (c.env as { incoming?: { socket?: { remoteAddress?: string } } } | undefined)?.incoming?.socket?.remoteAddress ?? null;
  if (!socket || !trusted.includes(socket.replace(/^::ffff:/, ''))) return socket;
  const forwarded = (c.req.header('x-forwarded-for') ?? '').split(',').at(-1)?.trim() ?? '';
  return isIP(forwarded) ? forwarded : socket;
}

/** By pattern, without credentials: every Zoho widget has an origin of this kind, so an origin proves nothing. */
async function cors(c: HonoContext, next: () => Promise<void>, ports: HttpPorts): Promise<Response | undefined> {
  const origin = c.req.header('origin');
  const allowed = origin !== undefined && ports.isAllowedOrigin(origin);
  c.header('vary', 'origin');
  if (allowed) {
    c.header('access-control-allow-origin', origin);
    c.header('access-control-expose-headers', 'x-request-id');
  }
  if (c.req.method === 'OPTIONS') {
    if (allowed) {
      c.header('access-control-allow-methods', 'GET, POST, PUT');
      c.header('access-control-allow-headers', 'authorization, content-type, accept-language, idempotency-key');
      c.header('access-control-max-age', '600');
    }
    return c.body(null, 204);
  }
  await next();
  return undefined;
}
