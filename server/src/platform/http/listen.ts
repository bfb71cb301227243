import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import type { Hono } from 'hono';
import { shareConnections } from './connection-shares.ts';

/**
 * How long a client may take to say what it wants, and how often that is looked at, in
 * milliseconds; how many connections there may be, and of one network.
 */
export type Patience = {
  headersMs: number;
  requestMs: number;
  checkMs: number;
  connectionsMost: number;
  perNetworkMost: number;
};

export const defaultPatience: Patience = {
  headersMs: 15_000,
  requestMs: 30_000,
  checkMs: 5_000,
  connectionsMost: 5_000,
  perNetworkMost: 1_000,
};

/** Takes calls at that address, on a free port where it is 0. */
export function listen(
  http: Hono,
  at: { host: string; port: number; trustedProxies: string[] },
  patience: Patience,
): Promise<{ server: Server; port: number }> {
  return new Promise((resolve, reject) => {
    const serverOptions = {
      requestTimeout: patience.requestMs,
      headersTimeout: patience.headersMs,
      connectionsCheckingInterval: patience.checkMs,
    };
    const server = serve(
      { fetch: http.fetch, hostname: at.host, port: at.port, serverOptions },
      (info) => resolve({ server: server as Server, port: info.port }),
    ) as Server;
    // Longer than the usual proxy keeps a connection, so that it is never the server that closes
    // one just being used.
    server.keepAliveTimeout = 75_000;
    // Beyond that a connection is closed at once: each takes some of the memory and of the
    // descriptors that the others need.
    server.maxConnections = patience.connectionsMost;
    shareConnections(server, patience.perNetworkMost, at.trustedProxies);
    server.once('error', reject);
  });
}

/** How long what runs may take once the server closes. */
export const closeServerMs = 10_000;

/**
 * Answers what runs, lets idle keep-alive connections go at once, and ends the rest at the
 * deadline.
 */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), 100);
    const deadline = setTimeout(() => server.closeAllConnections(), closeServerMs);
    server.close(() => {
      clearInterval(idle);
      clearTimeout(deadline);
      resolve();
    });
    server.closeIdleConnections();
  });
}
