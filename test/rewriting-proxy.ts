import { type Answered, type Listening, listen } from './simulators/kit/server.ts';

export type Rewrite = (answer: Answered & { body: Buffer }, path: string) => Answered | null;

/**
 * Stands before a server and says its answers otherwise, byte for byte as told; null: it says
 * nothing.
 */
export async function rewritingProxy(
  to: string,
): Promise<Listening & { rewrite(how: Rewrite | null): void }> {
  let rewrite: Rewrite | null = null;
  const proxy = await listen(async (asked) => {
    const search = asked.query.size > 0 ? `?${asked.query}` : '';
    const {
      host: _host,
      connection: _connection,
      'content-length': _length,
      'transfer-encoding': _encoding,
      ...headers
    } = asked.headers;
    const answer = await fetch(`${to}${asked.path}${search}`, {
      method: asked.method,
      headers: headers as Record<string, string>,
      ...(asked.method === 'GET' ? {} : { body: new Uint8Array(asked.bytes) }),
    });
    const said = {
      status: answer.status,
      type: answer.headers.get('content-type') ?? '',
      body: Buffer.from(await answer.arrayBuffer()),
    };
    return rewrite ? rewrite(said, asked.path) : said;
  });
  return {
    ...proxy,
    rewrite(how) {
      rewrite = how;
    },
  };
}
