import { isIPv4, isIPv6 } from 'node:net';

/**
 * Whom a limit counts when it counts by address: an IPv4 address is itself, of IPv6 the first 64
 * bits, because one customer of a provider has all the addresses behind them. What is no address
 * counts as one caller.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '');
  if (isIPv4(plain)) return plain;
  if (!isIPv6(plain)) return 'unknown';
  const groups = groupsOf(plain);
  // An IPv4 address in the form that a socket for both has of it.
  if (groups.slice(0, 5).every((each) => each === 0) && groups[5] === 0xffff) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  }
  return `${groups
    .slice(0, 4)
    .map((each) => each.toString(16))
    .join(':')}::/64`;
}

/** The eight groups of an IPv6 address, however it was written. */
function groupsOf(address: string): number[] {
  const written = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [(Number(a) << 8) | Number(b), (Number(c) << 8) | Number(d)]
      .map((each) => each.toString(16))
      .join(':'),
  );
  const [head = '', tail] = written.split('::');
  const numbers = (text: string) =>
    text === '' ? [] : text.split(':').map((each) => Number.parseInt(each, 16));
  const [first, last] = [numbers(head), numbers(tail ?? '')];
  return tail === undefined
    ? first
    : [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}
