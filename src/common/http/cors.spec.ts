import { describe, expect, it } from 'vitest';
import { isOrigin } from '../config/origin.js';
import { Cors } from './cors.js';

/** Whether an origin is allowed, as the headers say it. */
function allowed(origins: readonly string[], origin: string): boolean {
  const headers = new Map<string, string>();
  const reply = { header: (name: string, value: string) => (headers.set(name, value), reply) };
  new Cors(origins).apply({ method: 'GET', headers: { origin } } as never, reply as never);
  return headers.has('access-control-allow-origin');
}

describe('an origin', () => {
  const origins = [
    'https://app.example.com',
    'http://localhost:5173',
    'https://*.example.org',
    'https://*.example.net:8443',
  ];
  it('is written as browsers send it', () => {
    for (const origin of origins) expect([origin, isOrigin(origin)]).toEqual([origin, true]);
  });

  it.each([
    'https://app.example.com',
    'http://localhost:5173',
    'https://a.example.org',
    'https://a.b-c.example.org',
    'https://xn--bcher-kva.example.org',
    'https://a.example.net:8443',
  ])('%s is allowed', (origin) => {
    expect(allowed(origins, origin)).toBe(true);
  });

  it.each([
    'http://app.example.com',
    'https://app.example.com:444',
    'https://app.example.com.evil.com',
    'https://evil.com/https://app.example.com',
    'https://APP.example.com',
    'https://app.example.co',
    'https://example.org',
    'https://.example.org',
    'https://evilexample.org',
    'https://evil.com#.example.org',
    'https://evil.com/.example.org',
    'https://evil.com?.example.org',
    'https://evil.com\\.example.org',
    'https://user@a.example.org',
    'https://evil.com:443@.example.org',
    'https://a.example.org:8443',
    'https://a.example.net',
    'https://a.example.org.',
    'https://a_b.example.org',
    'https://a%2f.example.org',
    'http://localhost',
    'http://localhost:5173/',
    'null',
    '*',
    '',
    'file://',
  ])('%j is not', (origin) => {
    expect(allowed(origins, origin)).toBe(false);
  });
});
