import { createServer } from 'node:net';

/**
 * Below those the system gives to connections that go out: another process's call would take one
 * between our asking and our listening.
 */
const lowest = 11_000;
const many = 19_000;
let next = (process.pid * 47) % many;

/** A port nobody listens at, and that this process has not been given before. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + next;
    next = (next + 1) % many;
    if (await isFree(port)) return port;
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
