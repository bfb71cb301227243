import { bodyKbOf } from '@muhuri/shared/contract/index';
import type { Context as HonoContext, Hono, MiddlewareHandler } from 'hono';
import { withRequestTimeout } from '../db/database.ts';
import { cors } from './cors.ts';
import type { HttpPorts } from './http-ports.ts';
import { limitOf } from './over-limit.ts';
import { handle } from './pipeline.ts';
import { failure, problemAnswer } from './problem-response.ts';
import type { Route } from './route.ts';

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
