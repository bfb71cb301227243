import type { Endpoint } from '@muhuri/shared/contract/index';
import type { Context as HonoContext } from 'hono';
import { AppError } from '../app-error.ts';
import { randomHex } from '../random-hex.ts';
import { authenticate, bearer, type Caller, nameOf } from './authenticate.ts';
import { bytesSent, ownerOfBytes } from './body-share.ts';
import { addressOf } from './caller-address.ts';
import type { HttpPorts, RequestInfo } from './http-ports.ts';
import { answerOnce } from './idempotent.ts';
import { type Arriving, makeCall } from './request-context.ts';
import { arrived, bodyOf, jsonOf, parse, readable } from './parse-request.ts';
import { languageOf } from './problem-response.ts';
import { respond } from './respond.ts';
import type { Call, Given, Route } from './route.ts';

/** One request on its way through: what was asked, who asks, and what its handler is given. */
type Exchange = {
  c: HonoContext;
  route: Route;
  ports: HttpPorts;
  info: RequestInfo;
  caller: Caller;
  body: Arriving;
  call: Call;
};

/** Handles one request: who asks, may they, what did they send, and then their answer. */
export async function handle(c: HonoContext, route: Route, ports: HttpPorts): Promise<Response> {
  const { endpoint } = route;
  const started = performance.now();
  const info = describe(c, ports);
  const caller = await authenticate(c, endpoint, info, ports);
  refuseLongPath(c);
  const body: Arriving = { bytes: Buffer.alloc(0) };
  const call = makeCall(c, caller, info, body, ports);
  const owner = await ownerOfBytes(c, route, call, caller, info.origin);
  const release = ports.bytes.hold(bytesSent(c, endpoint), owner);
  let result: unknown;
  try {
    result = await answer({ c, route, ports, info, caller, body, call });
  } finally {
    release();
  }
  ports.log.info(
    {
      request_id: info.requestId,
      business_id: caller.ctx?.businessId,
      route: nameOf(endpoint),
      ms: Math.round(performance.now() - started),
    },
    'answered',
  );
  return respond(c, result);
}

/** Gives a request its id, and says so in its answer, which nobody on the way may keep. */
function describe(c: HonoContext, ports: HttpPorts): RequestInfo {
  const requestId = `req_${randomHex(8)}`;
  c.header('x-request-id', requestId);
  c.header('cache-control', 'no-store');
  c.set('requestId', requestId);
  return { language: languageOf(c), requestId, origin: addressOf(c, ports.trustedProxies) };
}

const pathMost = 500;

/**
 * Throws if a path is longer than any address of ours: it would be kept with a repeated request, or
 * looked for, at the length its caller chose.
 */
function refuseLongPath(c: HonoContext): void {
  if (c.req.path.length <= pathMost) return;
  c.header('connection', 'close');
  throw new AppError('not_found');
}

/** Reads what came, runs the handler in its turn, and notes the ids of what is refused. */
async function answer(exchange: Exchange): Promise<unknown> {
  const { route, ports, caller } = exchange;
  const raw = await readBody(exchange);
  const given = parseGiven(exchange, raw);
  try {
    const answered = () => run(exchange, raw, given);
    return route.endpoint.heavy && caller.session
      ? await ports.heavy(caller.ctx?.businessId ?? caller.session.person.id, answered)
      : await answered();
  } catch (error) {
    if (error instanceof AppError) recordDenied(exchange, raw);
    throw error;
  }
}

/** Runs the handler; once, if the caller gave the request a key. */
function run({ c, route, ports, caller, call }: Exchange, raw: string, given: Given) {
  const key = keyOf(c, route.endpoint);
  return key && caller.ctx
    ? answerOnce(
        { route, call, ctx: caller.ctx, key, path: c.req.path, raw, given },
        ports.idempotency,
      )
    : route.handle(call, given);
}

/** Returns the key under which a request may be repeated, for endpoints that change something. */
const keyOf = (c: HonoContext, endpoint: Endpoint): string | undefined =>
  endpoint.method === 'GET' || endpoint.guard === 'anyone' || endpoint.path.startsWith('/auth/')
    ? undefined
    : c.req.header('idempotency-key');

/** Reads the body: bytes into the call for an endpoint that takes them, else the text of JSON. */
async function readBody({ c, route, ports, info, caller, body }: Exchange): Promise<string> {
  const { endpoint } = route;
  if (endpoint.raw) {
    body.bytes = await arrived(bodyOf(c, endpoint));
    return '';
  }
  if (endpoint.method === 'GET') return '';
  const begun = performance.now();
  const raw = (await arrived(bodyOf(c, endpoint))).toString('utf8');
  if (caller.session && performance.now() - begun > slowBodyMs)
    await checkStillAllowed(ports, bearer(c), info.origin, endpoint);
  return raw;
}

function parseGiven({ c, route }: Exchange, raw: string): Given {
  const { endpoint } = route;
  return {
    input: endpoint.input ? parse(endpoint.input, jsonOf(raw), 'body') : undefined,
    query: endpoint.query
      ? parse(endpoint.query, readable(c.req.query(), 'query'), 'query')
      : undefined,
  };
}

/**
 * A body may take half a minute to arrive. Whoever was put out meanwhile must not have begun in
 * time what they end now.
 */
const slowBodyMs = 100;

async function checkStillAllowed(
  ports: HttpPorts,
  token: string,
  address: string | null,
  endpoint: Endpoint,
): Promise<void> {
  const refusal = ports.refusalOf(await ports.tokens.read(token, address ?? ''), endpoint);
  if (refusal) throw new AppError(refusal);
}

/**
 * Notes the ids that a refused request asked for, whatever they are: only a job finds out later
 * whether one is another business's.
 */
function recordDenied({ c, route, ports, caller, call }: Exchange, raw: string): void {
  const { ctx } = caller;
  if (!ctx) return;
  const asked = [call.params, c.req.query(), insideOf(c.req.query('cursor')), jsonOf(raw)];
  ports.walls.recordDeniedLookups(
    ctx,
    nameOf(route.endpoint),
    ports.walls.idsInRequest(asked, ctx.businessId),
  );
}

/** Returns what a cursor holds: an id can stand there too. */
const insideOf = (cursor: string | undefined): string =>
  cursor ? Buffer.from(cursor, 'base64url').toString('utf8') : '';
