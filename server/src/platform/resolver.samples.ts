import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

export type NameServer = {
  /** As a resolver wants it. */
  address: string;
  /** Every name it was asked for, in order, with the family. */
  asked: { name: string; family: 4 | 6 }[];
  close(): void;
};

/**
 * What it says of a name: its addresses, or nothing ever. A name it does not know does not exist.
 */
export type Zone = Record<string, { four?: string[]; six?: string[]; silent?: (4 | 6)[] }>;

/**
 * A name server (RFC 1035) on a free port of this machine, as true, as wrong or as silent as its
 * zone.
 */
export async function startNameServer(zone: Zone): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: NameServer['asked'] = [];
  socket.on('message', (question, from) => {
    const { name, type, end } = read(question);
    const family = type === 28 ? 6 : 4;
    asked.push({ name, family });
    const known = zone[name] ?? zone[`*.${name.split('.').slice(1).join('.')}`];
    if (known?.silent?.includes(family)) return;
    const found = (family === 4 ? known?.four : known?.six) ?? [];
    const head = Buffer.alloc(12);
    question.copy(head, 0, 0, 2);
    head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(found.length, 6);
    const answers = found.map((address) => {
      const bytes = family === 4 ? Buffer.from(address.split('.').map(Number)) : sixteen(address);
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0);
      record.writeUInt16BE(type, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(60, 6);
      record.writeUInt16BE(bytes.length, 10);
      return Buffer.concat([record, bytes]);
    });
    socket.send(
      Buffer.concat([head, question.subarray(12, end), ...answers]),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(socket.address() as AddressInfo).port}`,
    asked,
    close: () => socket.close(),
  };
}

function read(question: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] as number; length > 0; length = question[at] as number) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: question.readUInt16BE(at + 1), end: at + 5 };
}

/** The bytes of an IPv6 address written with at most one `::`. */
function sixteen(address: string): Buffer {
  const [front = '', back = ''] = address.split('::');
  const words = (text: string) => text.split(':').filter(Boolean);
  const middle = Array.from({ length: 8 - words(front).length - words(back).length }, () => '0');
  return Buffer.from(
    [...words(front), ...middle, ...words(back)].map((word) => word.padStart(4, '0')).join(''),
    'hex',
  );
}
