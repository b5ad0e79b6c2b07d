import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from 'vitest';
import { addressGroup } from './address-group.js';
import { TrustedProxies } from './trusted-proxies.js';

const requestFrom = (peer: string | undefined, forwarded?: string | string[]): FastifyRequest =>
  ({
    raw: { socket: { remoteAddress: peer } },
    headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
  }) as unknown as FastifyRequest;

describe('the address of a client', () => {
  const proxies = new TrustedProxies(['10.0.0.0/8', '2001:db8:aaaa::/48', 'loopback']);

  it.each<[what: string, peer: string, forwarded: string | string[] | undefined, client: string]>([
    ['is its own where it connects itself', '203.0.113.7', undefined, '203.0.113.7'],
    ['is its own whatever it claims', '203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['is its own though it claims to be a proxy', '203.0.113.7', '10.0.0.1', '203.0.113.7'],
    ['is what a proxy saw', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['is what a proxy saw, and not what it was told', '10.0.0.1', '198.51.100.1, 203.0.113.7', '203.0.113.7'],
    [
      'is what the outermost of several proxies saw',
      '10.0.0.1',
      '203.0.113.7, 10.2.2.2, 127.0.0.1',
      '203.0.113.7',
    ],
    [
      'is not taken from before an untrusted hop',
      '10.0.0.1',
      '1.1.1.1, 203.0.113.7, 10.0.0.2',
      '203.0.113.7',
    ],
    ["is the proxy's where it names none", '10.0.0.1', undefined, '10.0.0.1'],
    ["is the outermost proxy's where all are proxies", '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['is taken without its port', '10.0.0.1', '203.0.113.7:4711', '203.0.113.7'],
    ['is taken without brackets', '10.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['is taken from several headers', '10.0.0.1', ['198.51.100.1', '203.0.113.7'], '203.0.113.7'],
    ['is seen through a dual-stack socket', '::ffff:10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['is seen through an IPv6 proxy', '2001:db8:aaaa::1', '2001:db8:bbbb::7', '2001:db8:bbbb::7'],
    ['is its own from a neighbouring network', '2001:db8:aaab::1', '203.0.113.7', '2001:db8:aaab::1'],
    ["is the proxy's where the name is no address", '10.0.0.1', 'unknown', '10.0.0.1'],
    ['ends at what is no address', '10.0.0.1', '203.0.113.7, garbage, 10.0.0.2', '10.0.0.2'],
    ['is not the first part of a list with a hole', '10.0.0.1', '203.0.113.7,, ', '10.0.0.1'],
    ['is not an address in decimal', '10.0.0.1', '3405803783', '10.0.0.1'],
    ['is not an address in octal', '10.0.0.1', '0313.0.0161.07', '10.0.0.1'],
    ['is not an address with a zone', '10.0.0.1', 'fe80::1%eth0', 'fe80::1%eth0'],
    ['is not an address with more behind it', '10.0.0.1', '203.0.113.7 <script>', '10.0.0.1'],
    ['is not a header that goes on', '10.0.0.1', '203.0.113.7\r\nX: y', '10.0.0.1'],
    ['is not a name', '10.0.0.1', 'localhost', '10.0.0.1'],
    ['is not an obfuscated one', '10.0.0.1', '_hidden', '10.0.0.1'],
  ])('%s', (_what, peer, forwarded, client) => {
    expect(proxies.clientAddress(requestFrom(peer, forwarded))).toBe(client);
  });

  it('is found at once in a header of any length', () => {
    const chain = `${'127.0.0.1, '.repeat(5000)}203.0.113.7`;
    expect(proxies.clientAddress(requestFrom('10.0.0.1', chain))).toBe('203.0.113.7');
  });

  it('is told to be unknown where there is none', () => {
    expect(proxies.clientAddress(requestFrom(undefined, '203.0.113.7'))).toBe('unknown');
  });

  it('is its own, always, where no proxy is trusted', () => {
    const none = new TrustedProxies([]);
    for (const peer of ['127.0.0.1', '::1', '10.0.0.1']) {
      expect(none.clientAddress(requestFrom(peer, '203.0.113.7'))).toBe(peer);
      expect(none.includes(peer)).toBe(false);
    }
  });
});

describe('addresses that count as one', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['1:2:3::5:6:7:8', '1:2:3:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
    ['not:an:address', 'not:an:address'],
  ])('%s is of %s', (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });
});
