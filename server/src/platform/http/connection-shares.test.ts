import { EventEmitter } from 'node:events';
import type { Server } from 'node:net';
import { expect, test } from 'vitest';
import { shareConnections } from './connection-shares.ts';

class Socket extends EventEmitter {
  isCut = false;
  readonly remoteAddress: string;
  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }
  destroy() {
    this.isCut = true;
    this.emit('close');
  }
}

test('one network has its share of the connections and no more, however many it opens; others find theirs free', () => {
  const server = new EventEmitter();
  shareConnections(server as Server, 3, ['203.0.113.9']);
  const open = (address: string, count: number) =>
    Array.from({ length: count }, () => {
      const socket = new Socket(address);
      server.emit('connection', socket);
      return socket;
    });
  const alive = (sockets: Socket[]) => sockets.filter((each) => !each.isCut).length;

  const flood = open('198.51.100.7', 10);
  expect(alive(flood)).toBe(3);
  expect(alive(open('198.51.100.8', 2)), 'of another').toBe(2);
  expect(alive(open('::ffff:198.51.100.7', 1)), 'the same in another form').toBe(0);
  expect(
    alive(Array.from({ length: 5 }, (_, i) => open(`2001:db8:1:1::${i}`, 1)).flat()),
    'who has a whole network of IPv6',
  ).toBe(3);

  flood.find((each) => !each.isCut)?.destroy();
  expect(alive(open('198.51.100.7', 2)), 'what is closed makes room').toBe(1);

  // Everybody stands behind the proxy, and behind what runs on the machine itself.
  for (const address of [
    '203.0.113.9',
    '::ffff:203.0.113.9',
    '127.0.0.1',
    '127.8.8.8',
    '::1',
    '::ffff:127.0.0.1',
  ])
    expect(alive(open(address, 10)), address).toBe(10);
});
