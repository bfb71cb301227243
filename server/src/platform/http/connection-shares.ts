import type { Server, Socket } from 'node:net';
import { networkOf } from './client-network.ts';

/**
 * One network has so many connections and no more: a connection costs its opener nothing, and
 * whoever held all there may be would keep everybody else out. A proxy that is trusted brings
 * everybody, and so does one on the machine itself.
 */
export function shareConnections(server: Server, most: number, trustedProxies: string[]): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '');
    if (isOfProxy(network, socket.remoteAddress ?? '', trustedProxies)) return;
    const now = open.get(network) ?? 0;
    if (now >= most) {
      socket.destroy();
      return;
    }
    open.set(network, now + 1);
    socket.once('close', () => {
      const left = (open.get(network) ?? 1) - 1;
      if (left > 0) open.set(network, left);
      else open.delete(network);
    });
  });
}

const isOfProxy = (network: string, address: string, trusted: string[]): boolean =>
  network.startsWith('127.') ||
  address === '::1' ||
  trusted.some((each) => each === address || each === network);
