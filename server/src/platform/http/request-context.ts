import type { Context as HonoContext } from 'hono';
import { AppError } from '../app-error.ts';
import { bearer, type Caller } from './authenticate.ts';
import type { HttpPorts, RequestInfo } from './http-ports.ts';
import { readable } from './parse-request.ts';
import type { Call } from './route.ts';

/** The bytes of a body, once they have arrived. */
export type Arriving = { bytes: Buffer };

/** Makes what a handler knows of its call; what its guard does not give throws when asked for. */
export function makeCall(
  c: HonoContext,
  { session, ctx }: Caller,
  info: RequestInfo,
  body: Arriving,
  ports: Pick<HttpPorts, 'operatorContextOf'>,
): Call {
  const params = readable(c.req.param(), 'path') as Record<string, string>;
  return {
    params,
    raw: {
      get bytes() {
        return body.bytes;
      },
      contentType: c.req.header('content-type') ?? '',
      query: [...new URL(c.req.url).searchParams],
      header: (name) => c.req.header(name) ?? '',
    },
    language: info.language,
    requestId: info.requestId,
    isReplay: false,
    from: {
      address: info.origin ?? '',
      userAgent: c.req.header('user-agent')?.slice(0, 200) ?? null,
    },
    get onBusiness() {
      if (!session?.isOperator) throw new AppError('not_allowed');
      if (!/^biz_[0-9a-f]{32}$/.test(params.id ?? '')) throw new AppError('not_found');
      return ports.operatorContextOf(session, params.id as string, info);
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
}
