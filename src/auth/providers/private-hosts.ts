import { BlockList, isIP } from 'node:net';

/** Where the public internet is not: RFC 6890 and its later additions. */
const PRIVATE: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Of IPv6 only this is public, and not all of it: documentation, tunnels that hold an IPv4 address. */
const PUBLIC_IPV6: readonly (readonly [string, number])[] = [['2000::', 3]];
const PRIVATE_IPV6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const listOf = (networks: readonly (readonly [string, number])[], family: 'ipv4' | 'ipv6'): BlockList => {
  const list = new BlockList();
  for (const [address, prefix] of networks) list.addSubnet(address, prefix, family);
  return list;
};

const privateIpv4 = listOf(PRIVATE, 'ipv4');
const publicIpv6 = listOf(PUBLIC_IPV6, 'ipv6');
const privateIpv6 = listOf(PRIVATE_IPV6, 'ipv6');

/** Whether an IP address is of this machine, of a network of one's own, or of nobody. What is no address is private. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return privateIpv4.check(address, 'ipv4');
  if (version !== 6 || address.includes('%')) return true;
  return !publicIpv6.check(address, 'ipv6') || privateIpv6.check(address, 'ipv6');
}
