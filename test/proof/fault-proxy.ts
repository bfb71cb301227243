import { spawn } from 'node:child_process';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { checkout } from '../world.ts';
import type { Fault, Point } from './exchange.ts';

/**
 * What happens on one connection: a fault at a point of the exchange, an answer with a code that
 * asks no device, or nothing.
 */
export type Step = { point: Point; fault: Fault } | { code: string } | 'pass';

/**
 * What a device can be made to say: its own answer, one to alter, and how much of it is said before
 * a break.
 */
type Word = { whole(): Promise<Buffer>; alterable: Buffer; begun: Buffer };

/** What an answer that cannot be ours is made of. */
export type Known = { sdcId: string; total: number; signature: string };

export type Way = {
  url: string;
  /** The next connections; after them everything passes. */
  next(steps: Step[], known: Known): void;
  close(): Promise<void>;
};

const lateMs = 200;
const dripMs = 15;

/**
 * A way to a device, of its own address, on which an exchange breaks where it is told to.
 * `answerTimeoutMs`: how long the asker waits.
 */
export async function openWay(deviceUrl: string, answerTimeoutMs: number): Promise<Way> {
  const device = new URL(deviceUrl);
  let steps: Step[] = [];
  let known: Known = { sdcId: '', total: 0, signature: '' };
  const sockets = new Set<Socket>();
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    void act(socket, steps.shift() ?? 'pass').catch(() => socket.destroy());
  });

  async function act(socket: Socket, step: Step): Promise<void> {
    if (step === 'pass') return pass(socket);
    if ('code' in step) {
      await readRequest(socket);
      socket.end(http(200, envelope(step.code)));
      return;
    }
    const { point, fault } = step;
    if (point === 'after_connect') return say(socket, fault, unasked(socket, Buffer.alloc(0)));
    if (point === 'mid_request') return say(socket, fault, unasked(socket, await readHalf(socket)));
    const request = await readRequest(socket);
    if (point === 'after_request') return say(socket, fault, unasked(socket, request));
    const answer = await ask(request);
    if (point === 'mid_response') return say(socket, fault, told(answer));
    socket.write(answer);
    await pause(1);
    return breakOff(socket, fault);
  }

  /**
   * The device has heard nothing, or not all of it; it is asked only where the fault is that its
   * answer is late or slow.
   */
  const unasked = (socket: Socket, heard: Buffer): Word => ({
    whole: async () => ask(Buffer.concat([heard, await readRequest(socket, heard)])),
    alterable: Buffer.from(http(200, envelope('000', forged()))),
    begun: Buffer.alloc(0),
  });
  /** In the middle of the answer: the device has done its work. */
  const told = (answer: Buffer): Word => ({
    whole: async () => answer,
    alterable: answer,
    begun: answer.subarray(0, answer.length >> 1),
  });

  async function say(socket: Socket, fault: Fault, word: Word): Promise<void> {
    switch (fault) {
      case 'late_answer':
        await pause(answerTimeoutMs + lateMs);
        socket.end(await word.whole());
        return;
      case 'slow_drip':
        return drip(socket, await word.whole());
      case 'empty_success':
        socket.end(http(200, envelope('000')));
        return;
      case 'total_not_above':
      case 'signature_held':
      case 'other_sdc':
        socket.end(http(200, altered(word.alterable, fault)));
        return;
      default:
        if (word.begun.length > 0) {
          socket.write(word.begun);
          await pause(1);
        }
        return breakOff(socket, fault);
    }
  }

  function breakOff(socket: Socket, fault: Fault): void {
    if (fault === 'drop') socket.destroy();
    else if (fault === 'reset') socket.resetAndDestroy();
    else if (fault === 'http_500')
      socket.end(
        'HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nError',
      );
    else if (fault === 'garbage')
      socket.end(http(200, '{"resultCd":"000","resultMsg":"It is succ'));
    else if (fault === 'html')
      socket.end(
        'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 32\r\n\r\n<html><body>Tomcat</body></html>',
      );
    // A stall: nothing more is said until the other side gives up.
  }

  async function drip(socket: Socket, answer: Buffer): Promise<void> {
    for (let at = 0; at < answer.length; at += Math.ceil(answer.length / 10)) {
      socket.write(answer.subarray(at, at + Math.ceil(answer.length / 10)));
      await pause(dripMs);
    }
    socket.end();
  }

  function pass(socket: Socket): void {
    const upstream = connect(Number(device.port), device.hostname);
    upstream.on('error', () => socket.destroy());
    upstream.on('close', () => socket.end());
    socket.on('close', () => upstream.destroy());
    socket.pipe(upstream);
    upstream.pipe(socket);
    socket.resume();
  }

  const ask = (request: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      const upstream = connect(Number(device.port), device.hostname);
      upstream.on('data', (part) => {
        parts.push(part);
        const whole = Buffer.concat(parts);
        if (lengthOf(whole) <= whole.length) {
          upstream.destroy();
          resolve(whole);
        }
      });
      upstream.on('error', reject);
      upstream.write(request);
    });

  const forged = () => ({
    rcptNo: 1,
    totRcptNo: known.total + 1,
    intrlData: 'FORGEDFORGEDFORGEDFORGED22',
    rcptSign: 'FORGEDFORGED2222',
    vsdcRcptPbctDate: '20261120101533',
    sdcId: known.sdcId,
    mrcNo: 'WIS00000001',
    // An item or an initialisation answers otherwise; what cannot be ours there is another SDC id.
    info: { sdcId: '', mrcNo: '' },
  });

  function altered(answer: Buffer, fault: Fault): string {
    const text = answer.toString('utf8');
    const body = JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4)) as {
      data: Record<string, unknown> | null;
    };
    const change =
      fault === 'total_not_above'
        ? { totRcptNo: Math.max(1, known.total) }
        : fault === 'signature_held'
          ? { rcptSign: known.signature }
          : { sdcId: 'SDC019999999' };
    return JSON.stringify({ ...body, data: body.data && { ...body.data, ...change } });
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    next(given, of) {
      steps = [...given];
      known = of;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

const envelope = (code: string, data: unknown = null) =>
  JSON.stringify({
    resultCd: code,
    resultMsg: code === '000' ? 'It is succeeded' : `Said ${code}`,
    resultDt: '20261120101533',
    data,
  });
const http = (status: number, body: string) =>
  `HTTP/1.1 ${status} OK\r\ncontent-type: application/json;charset=UTF-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;

/** How long a message is by its own word; infinite until its head is there. */
function lengthOf(message: Buffer): number {
  const head = message.indexOf('\r\n\r\n');
  if (head < 0) return Number.POSITIVE_INFINITY;
  return (
    head +
    4 +
    Number(/content-length: (\d+)/i.exec(message.subarray(0, head).toString('latin1'))?.[1] ?? 0)
  );
}

/** The rest of a request of which some was heard. */
async function readRequest(socket: Socket, heard: Buffer = Buffer.alloc(0)): Promise<Buffer> {
  let whole = heard;
  while (whole.length < lengthOf(whole)) whole = Buffer.concat([whole, await read(socket)]);
  return whole.subarray(heard.length);
}

async function readHalf(socket: Socket): Promise<Buffer> {
  const part = await read(socket);
  socket.unshift(part.subarray(part.length >> 1));
  return part.subarray(0, part.length >> 1);
}

const read = (socket: Socket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const look = () => {
      const part = socket.read() as Buffer | null;
      if (!part) return socket.once('readable', look);
      socket.off('close', gone);
      resolve(part);
    };
    const gone = () => reject(new Error('closed'));
    socket.once('close', gone);
    look();
  });

/**
 * An address at which nobody answers: its queue of connections is full, and what else comes is not
 * even refused.
 */
export async function openDeafAddress(): Promise<{ url: string; close(): void }> {
  const child = spawn(
    process.execPath,
    [
      '-e',
      "const s=require('node:net').createServer();s.listen({port:0,host:'127.0.0.1',backlog:1},()=>{console.log(s.address().port);setTimeout(()=>process.kill(process.pid,'SIGSTOP'),50)})",
    ],
    { cwd: checkout, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const port = await new Promise<number>((resolve) =>
    child.stdout?.once('data', (text: Buffer) => resolve(Number(text.toString()))),
  );
  await pause(200);
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}));
  await pause(50);
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      for (const each of fillers) each.destroy();
      child.kill('SIGKILL');
    },
  };
}

/** An address where a connection is refused. */
export const closedAddress = async (): Promise<string> => `http://127.0.0.1:${await freePort()}`;
