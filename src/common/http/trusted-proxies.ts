import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { parseNetwork } from '../config/index.js';
import { createLruCache } from '../lru-cache.js';

/** Addresses that were looked up lately: proxies are few, and ask often. */
const MAX_REMEMBERED = 1000;

/** Where the address of a client cannot be known: a socket of another kind, or one that is gone. */
const UNKNOWN = 'unknown';

/**
 * Tells who a request comes from. What a request says of itself in `X-Forwarded-*` counts only as far as proxies of the
 * configuration vouch for it: the nearest address that is not one of theirs is the client's.
 *
 * RFC 7239's `Forwarded` is not read: a proxy that writes only `X-Forwarded-For` passes a client's own `Forwarded` on, and
 * nothing tells the two apart.
 */
export class TrustedProxies {
  private readonly networks = new BlockList();
  private readonly remembered = createLruCache<boolean>(MAX_REMEMBERED);
  readonly isEmpty: boolean;

  /** @param networks as of `parseNetwork` */
  constructor(networks: readonly string[]) {
    this.isEmpty = networks.length === 0;
    for (const text of networks) {
      for (const { address, prefix, family } of parseNetwork(text) ?? []) {
        this.networks.addSubnet(address, prefix, family);
      }
    }
  }

  /** Whether an address is a proxy's. */
  includes(address: string | undefined): boolean {
    if (this.isEmpty || address === undefined) return false;
    let isTrusted = this.remembered.get(address);
    if (isTrusted === undefined) {
      const plain = withoutMapping(address);
      const version = isIP(plain);
      isTrusted = version !== 0 && this.networks.check(plain, version === 6 ? 'ipv6' : 'ipv4');
      this.remembered.set(address, isTrusted);
    }
    return isTrusted;
  }

  /** The client's address, without a port; `unknown` where there is none. */
  clientAddress(request: FastifyRequest): string {
    const peer = request.raw.socket.remoteAddress;
    if (peer === undefined) return UNKNOWN;
    if (!this.includes(peer)) return withoutMapping(peer);
    const forwarded = request.headers['x-forwarded-for'];
    const hops = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '')).split(',');
    let nearest = peer;
    for (let hop = hops.pop(); hop !== undefined; hop = hops.pop()) {
      const address = readHop(hop);
      // What a trusted proxy cannot have seen ends the chain: everything before it may be made up.
      if (address === null) break;
      nearest = address;
      if (!this.includes(address)) break;
    }
    return withoutMapping(nearest);
  }
}

/** `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7`, `[2001:db8::7]:4711`; null for anything else. */
function readHop(text: string): string | null {
  const hop = text.trim();
  if (isIP(hop) !== 0) return hop;
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([0-9.]+))(?::\d{1,5})?$/i.exec(hop) ?? [];
  const address = bracketed ?? plain ?? '';
  return isIP(address) === 0 ? null : address;
}

/** A dual-stack socket shows IPv4 clients as `::ffff:203.0.113.7`. */
const withoutMapping = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
