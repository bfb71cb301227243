import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { addressPolicy } from '../platform/address-policy.ts';
import { openNameResolver } from '../platform/resolver.ts';
import type { OnBehalf } from '../ports/vsdc.ts';
import { directVsdc, usualSettings } from './direct-vsdc.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const policy = addressPolicy(['127.0.0.0/8'], openNameResolver());
const settings = {
  ...usualSettings,
  connectTimeoutMs: 500,
  answerTimeoutMs: 400,
  lateTimeoutMs: 2_000,
  answerBytesMax: 1_000,
};
const vsdc = directVsdc(policy, settings);
const request = { path: '/trnsSales/saveSales', body: '{"a":1}' };

function listen(onConnection: (socket: Socket) => void): Promise<string> {
  const server = createServer(onConnection);
  servers.push(server);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () =>
      resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}`),
    );
  });
}
const ofA = (as: OnBehalf['as'] = 'sale', mayLeave = () => true): OnBehalf => ({
  businessId: 'biz_a',
  as,
  mayLeave,
});
const send = (address: string, as?: OnBehalf['as']) =>
  vsdc.send({ address, transport: 'direct' }, request, ofA(as));

describe('never left, or in doubt', () => {
  test('a refused connection and an unknown name provably did not leave', async () => {
    expect((await send('http://127.0.0.1:1')).is).toBe('unreachable');
    expect((await send('http://no-such-host.invalid')).is).toBe('unreachable');
  });

  test('what may not leave any more once its device is found and connected did not, and is known not to have', async () => {
    const heard: string[] = [];
    let connections = 0;
    const address = await listen((socket) => {
      connections += 1;
      socket.on('data', (data) => heard.push(String(data))).on('error', () => {});
    });
    const asked: number[] = [];
    const mayLeave = () => {
      asked.push(connections);
      return false;
    };
    expect(
      await vsdc.send({ address, transport: 'direct' }, request, ofA('sale', mayLeave)),
    ).toEqual({
      is: 'unreachable',
      reason: 'too long ago since it was written down: it was not sent',
    });
    // Asked once, and only then: a slow look-up or connection counts.
    expect([asked, connections, heard]).toEqual([[1], 1, []]);
  });

  test('read and closed without an answer is a doubt, its socket closed', async () => {
    const address = await listen((socket) => socket.once('data', () => socket.destroy()));
    const sent = await send(address);
    expect(sent.is).toBe('in_doubt');
    if (sent.is === 'in_doubt') expect(await sent.late).toBeNull();
  });

  test('half an answer, too much of an answer and what is not HTTP are doubts', async () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{"resultCd"',
      `HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n${'x'.repeat(5_000)}`,
      'hello\r\n\r\n',
    ]) {
      const address = await listen((socket) => socket.once('data', () => socket.end(text)));
      expect((await send(address)).is).toBe('in_doubt');
    }
  });

  test('after the time-out the socket stays open and a late answer is delivered', async () => {
    const address = await listen((socket) =>
      socket.once('data', () =>
        setTimeout(() => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'), 900),
      ),
    );
    const sent = await send(address);
    expect(sent.is).toBe('in_doubt');
    if (sent.is === 'in_doubt') expect(await sent.late).toMatchObject({ status: 200, body: 'ok' });
  });

  test('every request has a connection of its own, and a redirect is an answer, not followed', async () => {
    let connections = 0;
    const address = await listen((socket) => {
      connections += 1;
      socket.on('data', () =>
        socket.write(
          'HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n',
        ),
      );
    });
    expect(await send(address)).toMatchObject({
      is: 'answered',
      answer: { status: 302, body: '' },
    });
    await send(address);
    expect(connections).toBe(2);
  });
});

describe('at the end', () => {
  test('nothing is sent any more, to a device that was reached before as little as to another, and that is known', async () => {
    const heard: string[] = [];
    const answers = () =>
      listen((socket) =>
        socket
          .on('data', (data) => heard.push(String(data)))
          .on('error', () => {})
          .on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')),
      );
    const [known, unknown] = [await answers(), await answers()];
    const own = directVsdc(policy, settings);
    const sendBy = (address: string, as?: OnBehalf['as']) =>
      own.send({ address, transport: 'direct' }, request, ofA(as));
    expect((await sendBy(known)).is).toBe('answered');
    // One that is just looking for its device when the end comes, too.
    const looking = sendBy(known);
    await own.close();
    const never = { is: 'unreachable', reason: 'the server ends: it was not sent' };
    expect(await looking).toEqual(never);
    for (const address of [known, unknown])
      for (const as of ['sale', 'lane', 'question'] as const)
        expect(await sendBy(address, as)).toEqual(never);
    expect(heard).toHaveLength(1);
  });

  test('the answers of devices that are just asked are waited for, late ones are not', async () => {
    const slow = await listen((socket) =>
      socket.once('data', () =>
        setTimeout(() => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'), 200),
      ),
    );
    const silent = await listen((socket) => socket.on('error', () => {}).resume());
    const own = directVsdc(policy, settings);
    const sendBy = (address: string) => own.send({ address, transport: 'direct' }, request, ofA());
    const late = await sendBy(silent);
    let answer: unknown = null;
    const asked = sendBy(slow).then((sent) => {
      answer = sent;
    });
    await own.answered();
    await asked;
    expect(answer).toMatchObject({ is: 'answered' });
    await own.close();
    expect(late.is === 'in_doubt' && (await late.late)).toBeNull();
  });
});

describe('connections of a business', () => {
  const silent = async () => {
    const sockets = new Set<Socket>();
    let most = 0;
    const address = await listen((socket) => {
      sockets.add(
        socket
          .on('error', () => {})
          .on('close', () => sockets.delete(socket))
          .resume(),
      );
      most = Math.max(most, sockets.size);
    });
    return { address, sockets, most: () => most };
  };

  test('are closed at the time-out where a late answer is worth nothing, and kept for a sale', async () => {
    const device = await silent();
    const asked = await send(device.address, 'question');
    expect(asked).toMatchObject({ is: 'in_doubt', reason: 'no answer in time' });
    if (asked.is === 'in_doubt') expect(await asked.late).toBeNull();
    await expect.poll(() => device.sockets.size).toBe(0);
    expect((await send(device.address, 'lane')).is).toBe('in_doubt');
    await expect.poll(() => device.sockets.size).toBe(0);
    expect((await send(device.address, 'sale')).is).toBe('in_doubt');
    expect(device.sockets.size).toBe(1);
  });

  test('for questions are eight, however many are asked, and none of them keeps a sale waiting', async () => {
    const device = await silent();
    const questions = Array.from({ length: 40 }, () => send(device.address, 'question'));
    await expect.poll(() => device.sockets.size).toBe(8);
    const sale = send(device.address, 'sale');
    await expect.poll(() => device.sockets.size).toBe(9);
    const sent = await Promise.all(questions);
    // Those that found no place in time never left.
    expect(new Set(sent.map((each) => each.is))).toEqual(new Set(['in_doubt', 'unreachable']));
    expect((await sale).is).toBe('in_doubt');
    expect(device.most()).toBe(9);
  });

  test('for sales are counted by device, so that a refused one provably did not leave', async () => {
    const device = await silent();
    const few = directVsdc(policy, { ...settings, lanePerDeviceMax: 2 });
    const sell = (address: string) => few.send({ address, transport: 'direct' }, request, ofA());
    const [first, second, third] = await Promise.all([
      sell(device.address),
      sell(device.address),
      sell(device.address),
    ]);
    expect([first?.is, second?.is, third?.is]).toEqual(['in_doubt', 'in_doubt', 'unreachable']);
    const other = await listen((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')),
    );
    expect((await sell(other)).is).toBe('answered');
    for (const socket of device.sockets) socket.destroy();
    if (first?.is === 'in_doubt') expect(await first.late).toBeNull();
    await expect.poll(async () => (await sell(device.address)).is).toBe('in_doubt');
    await few.close();
  });

  test('are its own: another one that has taken all of them, of the same device or for its questions, takes none of them', async () => {
    const device = await silent();
    const other = await silent();
    const few = directVsdc(policy, {
      ...settings,
      lanePerDeviceMax: 2,
      lanesMax: 3,
      questionsMax: 1,
    });
    const of = (businessId: string, address: string, as: OnBehalf['as']) =>
      few.send({ address, transport: 'direct' }, request, { ...ofA(as), businessId });
    const sell = (businessId: string, address: string) => of(businessId, address, 'sale');
    const taken = Promise.all([
      sell('biz_a', device.address),
      sell('biz_a', device.address),
      of('biz_a', other.address, 'question'),
    ]);
    await expect.poll(() => device.sockets.size + other.sockets.size).toBe(3);
    const question = of('biz_b', other.address, 'question');
    await expect.poll(() => other.sockets.size).toBe(2);
    // With the one more that it had left, the other has taken as many lanes as one may have; this
    // one has its own.
    const own = Promise.all([
      sell('biz_a', other.address),
      sell('biz_b', device.address),
      sell('biz_b', device.address),
    ]);
    expect((await sell('biz_a', other.address)).is).toBe('unreachable');
    expect((await sell('biz_b', device.address)).is).toBe('unreachable');
    expect([...(await taken), ...(await own), await question].map((each) => each.is)).toEqual(
      Array.from({ length: 7 }, () => 'in_doubt'),
    );
    expect(device.sockets.size).toBe(4);
    await few.close();
  });

  test('that drip an answer end when a silent one would', async () => {
    const quick = directVsdc(policy, { ...settings, lateTimeoutMs: 800 });
    const address = await listen((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n');
        const drip = setInterval(() => socket.write('x'), 50);
        socket.on('close', () => clearInterval(drip));
      });
    });
    const sent = await quick.send({ address, transport: 'direct' }, request, ofA());
    expect(sent.is).toBe('in_doubt');
    if (sent.is === 'in_doubt') expect(await sent.late).toBeNull();
    await quick.close();
  });
});

describe('addresses a business gives', () => {
  const strict = addressPolicy(['192.168.7.0/24'], openNameResolver());
  test.each([
    'http://127.0.0.1:8080',
    'http://0x7f.1',
    'http://[::1]/',
    'http://10.0.0.5',
    'http://169.254.169.254/latest',
    'http://[::ffff:10.0.0.5]/',
    'http://localhost:8080',
    'ftp://8.8.8.8',
    'http://user:pw@8.8.8.8',
    'http://192.168.8.1',
  ])('%s is refused', async (address) => {
    expect(await strict.resolve(address, 'a')).toHaveProperty('refused');
  });
  test('a network the operator allows and a public address are reached', async () => {
    expect(await strict.resolve('http://192.168.7.20:8080', 'a')).toMatchObject({
      address: '192.168.7.20',
    });
    expect(await strict.resolve('https://8.8.8.8/vsdc', 'a')).toMatchObject({ address: '8.8.8.8' });
  });
});
