import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';

export type Asked = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
  bytes: Buffer;
  socket: IncomingMessage['socket'];
};
export type Answered = {
  status: number;
  type: string;
  body: string | Buffer;
  headers?: Record<string, string>;
};
/** Null: the connection is dropped without a word. */
export type Handler = (asked: Asked) => Promise<Answered | null> | Answered | null;

export type Listening = { url: string; port: number; close(): Promise<void> };

/** A small HTTP server on the wished port, or on a free one where that is taken. */
export async function listen(
  handler: Handler,
  options: { port?: number; host?: string; onTaken?: (port: number) => void } = {},
): Promise<Listening> {
  const host = options.host ?? '127.0.0.1';
  const server = createServer((request, response) => void respond(handler, request, response));
  // Longer than its callers keep one: a connection closed just as it is used would fail a call that
  // no test meant to fail.
  server.keepAliveTimeout = 20_000;
  const port = await bind(server, options.port ?? 0, host, options.onTaken);
  return {
    url: `http://${host}:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(
  handler: Handler,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
    const url = new URL(request.url ?? '/', 'http://sim');
    const answered = await handler({
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(parts).toString('utf8'),
      bytes: Buffer.concat(parts),
      socket: request.socket,
    });
    if (!answered) {
      request.socket.destroy();
      return;
    }
    response.writeHead(answered.status, { 'content-type': answered.type, ...answered.headers });
    response.end(answered.body);
  } catch (error) {
    if (request.socket.destroyed) return;
    response.writeHead(500, { 'content-type': 'text/plain' });
    response.end(`simulator: ${(error as Error).stack}`);
  }
}

function bind(
  server: Server,
  port: number,
  host: string,
  onTaken?: (port: number) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' || port === 0) return reject(error);
      onTaken?.(port);
      bind(server, 0, host).then(resolve, reject);
    });
    server.listen(port, host, () => {
      server.removeAllListeners('error');
      resolve((server.address() as { port: number }).port);
    });
  });
}

export const jsonAnswer = (
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): Answered => ({
  status,
  type: 'application/json;charset=UTF-8',
  body: JSON.stringify(body),
  headers,
});

/** A state kept in a file that is written whole before anything is answered. */
export function keptState<S>(
  file: string | null,
  fresh: () => S,
): { value: S; save(): void; reset(): void } {
  const kept = {
    value: file && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as S) : fresh(),
    save() {
      if (!file) return;
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(`${file}.new`, JSON.stringify(kept.value));
      renameSync(`${file}.new`, file);
    },
    reset() {
      kept.value = fresh();
      kept.save();
    },
  };
  return kept;
}
