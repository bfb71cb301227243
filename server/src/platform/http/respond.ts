import type { Context as HonoContext } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { FileResponse, WithStatus } from './route.ts';

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

export function respond(c: HonoContext, result: unknown): Response {
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
