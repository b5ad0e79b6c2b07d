import { isIPv6 } from 'node:net';

/**
 * What addresses count as one client: an IPv4 address by itself, an IPv6 address with its /64 network, because a single
 * subscriber has all of that.
 */
export function addressGroup(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail] = address.split('%', 1)[0]?.split('::') ?? [];
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    // An IPv4 address at the end stands for two groups.
    const after = tail === '' ? 0 : tail.split(':').length + (tail.includes('.') ? 1 : 0);
    const missing = 8 - groups.length - after;
    groups.push(...Array<string>(missing).fill('0'), ...(tail === '' ? [] : tail.split(':')));
  }
  const network = groups.slice(0, 4).map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`;
}
