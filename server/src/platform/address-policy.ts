import { BlockList, isIP } from 'node:net';
import type { NameResolver } from './resolver.ts';

/**
 * Where to connect: one address, pinned. `isInner`: in a network of the operator's, about which
 * nobody is told more than needed.
 */
export type Resolved = { url: URL; address: string; family: 4 | 6; isInner: boolean };
export type AddressPolicy = {
  /**
   * The reasons are for the business that gave the address: they say nothing of what an inner name
   * or network holds.
   */
  resolve(
    address: string,
    asker: string,
  ): Promise<Resolved | { refused: string } | { unknown: string }>;
};

// Loopback, private, link-local, carrier, test and multicast ranges, and their IPv6 sisters.
const inner: [string, number, 'ipv4' | 'ipv6'][] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.0.2.0', 24, 'ipv4'],
  ['192.88.99.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['198.51.100.0', 24, 'ipv4'],
  ['203.0.113.0', 24, 'ipv4'],
  // A cloud's own services behind a public address.
  ['168.63.129.16', 32, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  // Everything that carries an IPv4 address inside, by whatever way of writing it: compatible,
  // translated, 6to4, Teredo.
  ['::', 96, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  // What is set apart for protocols and trials: Teredo, benchmarks, names that look like addresses.
  ['2001::', 23, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['3fff::', 20, 'ipv6'],
  // Segment routing inside one operator's network.
  ['5f00::', 16, 'ipv6'],
  ['100::', 63, 'ipv6'],
  // Nobody has been given any of these: whoever reaches one is inside a network of somebody's own
  // making.
  ['4000::', 2, 'ipv6'],
  ['8000::', 1, 'ipv6'],
];

/**
 * Ports on which something else than a device or a web server listens: mail, files, shells,
 * directories, databases, queues, and what runs a cluster. An allowed network is the operator's
 * own, and a business that may reach a device there must not talk to these.
 */
const foreignPorts = new Set(
  `20 21 22 23 25 37 42 43 53 69 79 109 110 111 113 115 119 123 135 137 138 139 143 161 162 177 179 194 389 427 445 464 465 500 512 513 514 515
   526 530 531 532 540 543 544 548 554 556 563 587 593 601 623 631 636 646 860 873 902 989 990 993 995 1080 1099 1194 1433 1434 1521 1719 1720
   1723 1883 2049 2181 2375 2376 2377 2379 2380 3128 3260 3268 3269 3306 3389 3659 4045 4190 4505 4506 4789 5060 5061 5222 5432 5433 5555 5601
   5671 5672 5900 5901 5984 5985 5986 6000 6379 6380 6443 6566 6660 6665 6666 6667 6668 6669 6679 6697 7199 7473 7474 7687 8125 8300 8301 8500
   8600 9042 9092 9160 9200 9300 9418 10080 10249 10250 10255 10256 10257 10259 11211 15672 16379 26257 26379 27017 27018 27019 28015 28017
   61616`
    .split(/\s+/)
    .map(Number),
);

/**
 * An address a business gave is hostile until shown otherwise: http or https, no credentials in it,
 * no port of another service, every address of its name looked at and one pinned, inner networks
 * refused unless the operator allows them (a VSDC usually stands on a LAN).
 */
export function addressPolicy(allowedNetworks: string[], names: NameResolver): AddressPolicy {
  const refused = listOf(inner);
  const allowed = listOf(allowedNetworks.map(parseNetwork));
  const judge = (address: string, family: 4 | 6): 'outer' | 'allowed' | 'refused' => {
    const plain = address.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1');
    const kind = plain === address && family === 6 ? 'ipv6' : 'ipv4';
    const isMapped = kind === 'ipv6' && /^::ffff:/i.test(plain);
    if (allowed.check(plain, kind)) return 'allowed';
    return isMapped || refused.check(plain, kind) ? 'refused' : 'outer';
  };
  return {
    async resolve(address, asker) {
      const url = URL.parse(address);
      if (!url || !['http:', 'https:'].includes(url.protocol))
        return { refused: 'not an http address' };
      if (url.username || url.password) return { refused: 'an address must not carry credentials' };
      if (foreignPorts.has(Number(url.port)))
        return { refused: 'this port belongs to another service' };
      const found = await names.find(url.hostname.replace(/^\[|\]$/g, ''), asker);
      if (found.is === 'unknown') return { unknown: `the name ${url.hostname} is not known` };
      if (found.is === 'silent')
        return { unknown: `no name server answered for ${url.hostname} in time` };
      const judged = found.addresses.map((each) => judge(each.address, each.family));
      const [first] = found.addresses;
      if (!first || judged.includes('refused')) return { refused: 'inner network' };
      return { url, ...first, isInner: judged.includes('allowed') };
    },
  };
}

function parseNetwork(text: string): [string, number, 'ipv4' | 'ipv6'] {
  const [address = '', prefix] = text.trim().split('/');
  const version = isIP(address);
  const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix);
  if (!version || !Number.isInteger(bits) || bits < 0 || bits > (version === 6 ? 128 : 32))
    throw new Error(`"${text}" is not a network such as 192.168.1.0/24`);
  return [address, bits, version === 6 ? 'ipv6' : 'ipv4'];
}

function listOf(networks: [string, number, 'ipv4' | 'ipv6'][]): BlockList {
  const list = new BlockList();
  for (const network of networks) list.addSubnet(...network);
  return list;
}
