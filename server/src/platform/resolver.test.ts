import { mkdtempSync, writeFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addressPolicy } from './address-policy.ts';
import { type ResolverSettings, openNameResolver } from './resolver.ts';
import { type NameServer, startNameServer } from './resolver.samples.ts';

let server: NameServer;
let folder: string;
beforeAll(async () => {
  server = await startNameServer({
    'device.example': { four: ['192.0.2.7', '192.0.2.8'], six: ['2606:4700::7'] },
    'six.example': { six: ['2606:4700::9'] },
    'half.example': { four: ['203.0.113.9'], silent: [6] },
    'mixed.example': { four: ['8.8.8.8', '10.0.0.5'] },
    'behind.example': { four: ['8.8.8.8'], six: ['fd00::5'] },
    'counter.shop.example': { four: ['192.0.2.20'] },
    '*.silent.example': { silent: [4, 6] },
  });
  folder = mkdtempSync(join(tmpdir(), 'names-'));
  writeFileSync(
    join(folder, 'hosts'),
    '127.0.0.1 localhost\n# a comment\n192.168.1.20\tvsdc.shop VSDC # the box under the counter\n',
  );
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 127.0.0.1\nsearch shop.example\n');
});
afterAll(() => server.close());

const open = (instead: Partial<ResolverSettings> = {}) =>
  openNameResolver({
    servers: [server.address],
    hostsFile: join(folder, 'hosts'),
    resolverFile: join(folder, 'resolv.conf'),
    questionMs: 300,
    deadlineMs: 400,
    graceMs: 50,
    ...instead,
  });
const addressesOf = (answer: Awaited<ReturnType<ReturnType<typeof open>['find']>>) =>
  answer.is === 'found' ? answer.addresses.map(({ address }) => address) : answer.is;

describe('a name', () => {
  test('has every address of both families, those of IPv4 first, kept for a while', async () => {
    const names = open();
    expect(addressesOf(await names.find('Device.example.', 'a'))).toEqual([
      '192.0.2.7',
      '192.0.2.8',
      '2606:4700::7',
    ]);
    const before = server.asked.length;
    expect(addressesOf(await names.find('device.example', 'b'))).toHaveLength(3);
    expect(server.asked).toHaveLength(before);
    expect(addressesOf(await names.find('six.example', 'a'))).toEqual(['2606:4700::9']);
  });

  test('in the hosts file, a name of this machine and a name without a dot are found as the system finds them', async () => {
    const names = open();
    expect(addressesOf(await names.find('vsdc', 'a'))).toEqual(['192.168.1.20']);
    expect(addressesOf(await names.find('vsdc.shop', 'a'))).toEqual(['192.168.1.20']);
    expect(addressesOf(await names.find('localhost', 'a'))).toEqual(['127.0.0.1', '::1']);
    expect(addressesOf(await names.find('counter', 'a'))).toEqual(['192.0.2.20']);
    expect(addressesOf(await names.find('192.0.2.1', 'a'))).toEqual(['192.0.2.1']);
  });

  test('that nobody knows is unknown, and one whose server is silent for one family has the other', async () => {
    const names = open();
    expect(await names.find('nowhere.example', 'a')).toEqual({ is: 'unknown' });
    expect(addressesOf(await names.find('half.example', 'a'))).toEqual(['203.0.113.9']);
  });
});

describe('a name server that never answers', () => {
  test('ends its own lookups at the deadline, those that wait for their turn among them, and holds up nobody else', async () => {
    const names = open({ questionMs: 700, deadlineMs: 1_000 });
    const began = performance.now();
    let ended = 0;
    const silent = Array.from({ length: 12 }, (_, i) =>
      names.find(`host-${i}.silent.example`, 'b').finally(() => (ended += 1)),
    );
    await expect
      .poll(() => server.asked.filter(({ name }) => name.endsWith('silent.example')).length)
      .toBeGreaterThan(0);
    expect(addressesOf(await names.find('device.example', 'a'))).toHaveLength(3);
    // The system's own lookups, which everything else of the process may use, are not touched
    // either.
    await lookup('localhost');
    expect(ended, 'of those that are held up').toBe(0);
    expect((await Promise.all(silent)).every((each) => each.is === 'silent')).toBe(true);
    expect(performance.now() - began).toBeLessThan(1_900);
    // Two at a time, and those whose time was over while they waited were never asked.
    expect(
      new Set(
        server.asked.filter(({ name }) => name.endsWith('silent.example')).map(({ name }) => name),
      ).size,
    ).toBeLessThanOrEqual(4);
  });

  test('is not asked by connections of our own for longer either', async () => {
    const names = open();
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) =>
      names.lookup('own.silent.example', {}, (failed) => resolve(failed)),
    );
    expect(error).toMatchObject({ code: 'EAI_AGAIN' });
    const found = await new Promise((resolve) =>
      names.lookup('device.example', { all: true }, (_error, addresses) => resolve(addresses)),
    );
    expect(found).toHaveLength(3);
  });
});

test('one address in an inner network is enough for a name to be refused, whichever of them comes first', async () => {
  const policy = addressPolicy([], open());
  for (const host of ['mixed.example', 'behind.example'])
    expect(await policy.resolve(`http://${host}/`, 'a')).toEqual({ refused: 'inner network' });
  expect(await policy.resolve('http://six.example/', 'a')).toMatchObject({
    address: '2606:4700::9',
    family: 6,
  });
  expect(await policy.resolve('http://x.silent.example/', 'a')).toHaveProperty('unknown');
});
