import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';

export type Resolved = { url: URL; address: string; family: 4 | 6 };
export type AddressPolicy = { resolve(address: string): Promise<Resolved | { refused: string } | { unknown: string }> };

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
  ['224.0.0.0', 3, 'ipv4'],
  // Everything that carries an IPv4 address inside, by whatever way of writing it: compatible, translated, 6to4, Teredo.
  ['::', 96, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
  ['fec0::', 10, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['2001::', 32, 'ipv6'],
  ['2001:db8::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['100::', 64, 'ipv6'],
];

/**
 * An address a business gave is hostile until shown otherwise: http or https, no credentials in it, resolved once and pinned, inner
 * networks refused unless the operator allows them (a VSDC usually stands on a LAN).
 */
export function addressPolicy(allowedNetworks: string[]): AddressPolicy {
  const refused = listOf(inner);
  const allowed = listOf(allowedNetworks.map(parseNetwork));
  return {
    async resolve(address) {
      const url = URL.parse(address);
      if (!url || !['http:', 'https:'].includes(url.protocol)) return { refused: 'not an http address' };
      if (url.username || url.password) return { refused: 'an address must not carry credentials' };
      const host = url.hostname.replace(/^\[|\]$/g, '');
      const found = isIP(host) ? { address: host, family: isIP(host) } : await lookup(host).catch(() => null);
      if (!found) return { unknown: host };
      const family = found.family === 6 ? 6 : 4;
      const plain = found.address.replace(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i, '$1');
      const kind = plain === found.address && family === 6 ? 'ipv6' : 'ipv4';
      const mapped = kind === 'ipv6' && /^::ffff:/i.test(plain);
      if ((mapped || refused.check(plain, kind)) && !allowed.check(plain, kind)) return { refused: `${plain} lies in an inner network` };
      return { url, address: found.address, family };
    },
  };
}

export function parseNetwork(text: string): [string, number, 'ipv4' | 'ipv6'] {
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
