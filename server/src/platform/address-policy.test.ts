import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressPolicy } from './address-policy.ts';
import { type NameResolver, openNameResolver } from './resolver.ts';
import { type NameServer, startNameServer } from './resolver.samples.ts';

let server: NameServer;
let names: NameResolver;
beforeAll(async () => {
  server = await startNameServer({
    'example.com': { four: ['93.184.215.14'] },
    'two.example.com': { four: ['93.184.215.14', '10.0.0.1'] },
    'both.example.com': { four: ['93.184.215.14'], six: ['fd12:3456::1'] },
  });
  names = openNameResolver({ servers: [server.address] });
});
afterAll(() => server.close());

/**
 * Addresses nobody but the operator may let a business reach: loopback, private, link-local (clouds
 * keep keys there), carrier, tests, multicast.
 */
const blocked = [
  '0.0.0.0',
  '10.0.0.1',
  '10.255.255.254',
  '100.64.0.1',
  '100.127.255.254',
  '168.63.129.16',
  '127.0.0.1',
  '127.1.2.3',
  '127.255.255.254',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.254',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.255.254',
  '198.18.0.1',
  '198.19.255.254',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
];

const parts = (ip: string) => ip.split('.').map(Number) as [number, number, number, number];
const whole = (ip: string) => parts(ip).reduce((sum, part) => sum * 256 + part, 0);
const hex = (n: number, length = 2) => n.toString(16).padStart(length, '0');
const hexPair = (ip: string) => {
  const [a, b, c, d] = parts(ip);
  return `${hex(a)}${hex(b)}:${hex(c)}${hex(d)}`;
};
const fullWidth = (text: string) =>
  [...text]
    .map((digit) => (digit === '.' ? '。' : String.fromCodePoint(0xff10 + Number(digit))))
    .join('');

/** Every way of writing an IPv4 address that some program somewhere reads as that address. */
const forms: [name: string, write: (ip: string) => string][] = [
  ['plain', (ip) => ip],
  ['with a trailing dot', (ip) => `${ip}.`],
  ['as one decimal number', (ip) => String(whole(ip))],
  ['as one hexadecimal number', (ip) => `0x${whole(ip).toString(16)}`],
  ['as one octal number', (ip) => `0${whole(ip).toString(8)}`],
  [
    'octal by part',
    (ip) =>
      parts(ip)
        .map((part) => `0${part.toString(8)}`)
        .join('.'),
  ],
  [
    'hexadecimal by part',
    (ip) =>
      parts(ip)
        .map((part) => `0x${hex(part)}`)
        .join('.'),
  ],
  [
    'padded hexadecimal by part',
    (ip) =>
      parts(ip)
        .map((part) => `0x00000${hex(part)}`)
        .join('.'),
  ],
  ['short', (ip) => `${parts(ip)[0]}.${whole(ip) % 2 ** 24}`],
  ['percent-encoded', (ip) => [...ip].map((each) => `%${hex(each.charCodeAt(0))}`).join('')],
  ['in full-width digits', (ip) => fullWidth(ip)],
  ['with a name in front', (ip) => `user@${ip}`],
  ['with a name and a password in front', (ip) => `vsdc.example:80@${ip}`],
  ['mapped into IPv6', (ip) => `[::ffff:${ip}]`],
  ['mapped into IPv6, in hexadecimal', (ip) => `[::ffff:${hexPair(ip)}]`],
  ['mapped into IPv6, at length', (ip) => `[0:0:0:0:0:ffff:${hexPair(ip)}]`],
  ['compatible IPv6', (ip) => `[::${ip}]`],
  ['translated (64:ff9b)', (ip) => `[64:ff9b::${ip}]`],
  ['translated by a network of one’s own', (ip) => `[64:ff9b:1::${hexPair(ip)}]`],
  ['6to4', (ip) => `[2002:${hexPair(ip)}::1]`],
  ['with a zone', (ip) => `[::ffff:${ip}%25eth0]`],
];

const others = [
  'http://[::1]/',
  'http://[::]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25lo]/',
  'http://[fc00::1]/',
  'http://[fd12:3456::1]/',
  'http://[ff02::1]/',
  'http://[fec0::1]/',
  'http://[5f00::1]/',
  'http://[5f00:ffff::1]/',
  'http://[3fff::1]/',
  'http://[3fff:fff::1]/',
  'http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/',
  'http://[2001:2::1]/',
  'http://[2001:20::1]/',
  'http://[2001:1ff:ffff::1]/',
  'http://[100:0:0:1::1]/',
  'http://[4000::1]/',
  'http://[8000::1]/',
  'http://[e000::1]/',
  'http://localhost/',
  'http://LOCALHOST:8080/',
  'http://localhost./',
  'ftp://example.com/',
  'file:///etc/passwd',
  'gopher://127.0.0.1/',
  'data:text/plain,x',
  'javascript:alert(1)',
  '//127.0.0.1/',
  'http:///127.0.0.1',
  'http:127.0.0.1',
  'http:\\\\127.0.0.1',
  'http://127.0.0.1\\@example.com/',
  'http://example.com#@127.0.0.1/',
  '',
  ' ',
  'not an address',
];

describe('an address a business gives', () => {
  const addresses = [
    ...blocked.flatMap((ip) =>
      forms.map(([name, write]): [string, string] => [
        `${ip} ${name}`,
        `http://${write(ip)}:8080/vsdc`,
      ]),
    ),
    ...others.map((each): [string, string] => [each, each]),
  ];

  test('leads to no inner network, however it is written', async () => {
    expect(addresses.length).toBeGreaterThan(300);
    const policy = addressPolicy([], names);
    const through: string[] = [];
    for (const [name, address] of addresses) {
      const resolved = await policy.resolve(address, 'a');
      // A name after `#` is not where it goes; nothing else may resolve at all.
      if ('url' in resolved && resolved.url.hostname !== 'example.com')
        through.push(`${name}: ${resolved.address}`);
    }
    expect(through).toEqual([]);
    console.info(`addresses: ${addresses.length} ways to write a blocked one tried`);
  });

  test('by a name with several addresses is reached only where each of them may be, whichever comes first', async () => {
    const policy = addressPolicy([], names);
    for (const name of ['two', 'both'])
      expect(await policy.resolve(`http://${name}.example.com/`, 'a'), name).toEqual({
        refused: 'inner network',
      });
    expect(
      await addressPolicy(['10.0.0.0/8'], names).resolve('http://two.example.com/', 'a'),
    ).toMatchObject({ address: '93.184.215.14', isInner: true });
  });

  test('in a network the operator allows is reached, and its neighbours are not', async () => {
    const allowing = addressPolicy(['192.168.1.0/24', 'fd12:3456::/64'], names);
    expect(await allowing.resolve('http://192.168.1.20:8080/', 'a')).toMatchObject({
      address: '192.168.1.20',
      family: 4,
    });
    expect(await allowing.resolve('http://[fd12:3456::20]/', 'a')).toMatchObject({
      address: 'fd12:3456::20',
      family: 6,
    });
    for (const near of [
      'http://192.168.2.20/',
      'http://192.168.0.255/',
      'http://[fd12:3457::1]/',
      'http://127.0.0.1/',
    ])
      expect(await allowing.resolve(near, 'a')).toHaveProperty('refused');
  });

  test('in an allowed network is reached at no port of another service, and a refusal names no address', async () => {
    const allowing = addressPolicy(['192.168.1.0/24', '10.0.0.0/8'], names);
    for (const port of [
      22, 23, 25, 445, 1433, 2375, 3306, 5432, 6379, 6443, 9200, 10250, 11211, 27017,
    ])
      expect(
        await allowing.resolve(`http://192.168.1.20:${port}/`, 'a'),
        String(port),
      ).toHaveProperty('refused');
    for (const port of [80, 443, 8080, 8081, 8443, 8888])
      expect(await allowing.resolve(`http://192.168.1.20:${port}/`, 'a')).toHaveProperty('address');
    expect(await addressPolicy([], names).resolve('http://10.1.2.3:8080/', 'a')).toEqual({
      refused: 'inner network',
    });
  });
});
