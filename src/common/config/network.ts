import { isIP } from 'node:net';

/** Addresses that have their first `prefix` bits in common. */
export interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/**
 * Reads `10.0.0.0/8`, `2001:db8::/32`, a single address, `loopback` or `private`; null for anything else. Networks of all
 * addresses are none: whoever trusts everybody trusts what every client claims.
 */
export function parseNetwork(text: string): readonly Network[] | null {
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named) return named.flatMap((part) => parseNetwork(part) ?? []);
  const [address = '', prefixText, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || address.includes('%')) return null;
  const bits = version === 4 ? 32 : 128;
  if (prefixText !== undefined && !/^[1-9]\d{0,2}$/.test(prefixText)) return null;
  const prefix = prefixText === undefined ? bits : Number(prefixText);
  return prefix > bits ? null : [{ address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }];
}
