import { createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { addressPolicy } from '../platform/address-policy.ts';
import { openNameResolver } from '../platform/resolver.ts';
import { standardWebhooks } from './standard-webhooks.ts';

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});
function listen(onData: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => onData(socket)),
  );
  open.push(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}/`),
    );
  });
}
const drip = (head: string) => (socket: Socket) => {
  socket.write(head);
  const timer = setInterval(() => socket.write('a'), 20);
  socket.on('close', () => clearInterval(timer));
};

const policy = addressPolicy(['127.0.0.0/8'], openNameResolver());
const messenger = standardWebhooks(policy, 400);
const send = (url: string, by = messenger) =>
  by.send({
    businessId: 'biz_a',
    url,
    id: 'msg_1',
    at: new Date(0),
    body: '{}',
    secrets: ['whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQ='],
  });

test('the answer is its status: a body without end is not read, and its connection is closed', async () => {
  let isClosed = false;
  const url = await listen((socket) => {
    socket.on('close', () => (isClosed = true));
    drip('HTTP/1.1 200 OK\r\ncontent-length: 65536\r\n\r\n')(socket);
  });
  expect(await send(url)).toEqual({ status: 200, error: null });
  await expect.poll(() => isClosed).toBe(true);
});

test('a head that drips has no longer than the whole exchange, and closing ends it at once', async () => {
  const url = await listen(drip('HTTP/1.1 200 OK\r\nx-slow: '));
  const began = performance.now();
  expect(await send(url)).toEqual({ status: null, error: 'no answer' });
  expect(performance.now() - began).toBeLessThan(1_500);
  const patient = standardWebhooks(policy, 60_000);
  let isAsked = false;
  const asked = await listen((socket) => {
    isAsked = true;
    drip('HTTP/1.1 200 OK\r\nx-slow: ')(socket);
  });
  const sent = send(asked, patient);
  await expect.poll(() => isAsked).toBe(true);
  patient.close();
  expect(await sent).toEqual({ status: null, error: 'no answer' });
});

test('of a port inside a network a business does not learn whether it is closed, silent or speaks something else', async () => {
  const closed = await listen(() => {});
  open.pop()?.();
  const answers = [
    await send(closed),
    await send(await listen(() => {})),
    await send(await listen((socket) => socket.end('SSH-2.0-OpenSSH\r\n'))),
  ];
  expect(new Set(answers.map(({ error }) => error))).toEqual(new Set(['no answer']));
});
