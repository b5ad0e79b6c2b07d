import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { CustomFetch, CustomFetchOptions } from 'openid-client';
import { isLoopbackHost } from '../../common/config/index.js';
import { isPrivateAddress } from './private-hosts.js';

/** For a whole exchange, the body included. */
const TIMEOUT_MS = 5000;
const MAX_BODY_BYTES = 1024 * 1024;
/** A response with one of these has no body, and `Response` insists on it. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

/** Where requests may go. */
export interface FetchPolicy {
  /** Host names of the addresses that the operator gave. */
  readonly trustedHosts: ReadonlySet<string>;
  /** Whether other hosts may be at private addresses. */
  readonly allowsPrivateHosts: boolean;
}

/** There was no answer, or not one that is looked at. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/**
 * A `fetch` for what a provider is asked: bounded in time and size, no redirects, HTTPS unless host and configuration are of
 * this machine. Other hosts than those that the operator gave are judged by the addresses that the connection is made to,
 * so that no name that answers differently the second time gets by.
 */
export function createProviderFetch(policy: FetchPolicy): CustomFetch {
  return async (address, options) => {
    const url = new URL(address);
    const isTrusted = policy.trustedHosts.has(url.hostname);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isTrusted && isLoopbackHost(url.hostname)))
      throw new UnreachableError(`${url.origin} is not asked, because it is not HTTPS.`);
    const isOpen = isTrusted || policy.allowsPrivateHosts;
    const literal = url.hostname.replace(/^\[(.*)\]$/, '$1');
    if (!isOpen && isIP(literal) !== 0 && isPrivateAddress(literal)) throw privateHost(url);
    return exchange(url, options, isOpen ? undefined : refusePrivate(url));
  };
}

const privateHost = (url: URL): UnreachableError =>
  new UnreachableError(`${url.origin} is not asked, because it is at a private address.`);

const refusePrivate =
  (url: URL): LookupFunction =>
  (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) return callback(error, '');
      const [first] = addresses;
      if (first === undefined || addresses.some(({ address }) => isPrivateAddress(address)))
        callback(privateHost(url), '');
      else if (options.all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

function exchange(
  url: URL,
  { method, headers, body, signal: given }: CustomFetchOptions,
  lookup: LookupFunction | undefined,
): Promise<Response> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const signal = given ? AbortSignal.any([given, timeout]) : timeout;
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise<Response>((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(
        error instanceof UnreachableError
          ? error
          : new UnreachableError(`${url.origin} does not answer: ${describe(error)}`, { cause: error }),
      );
    const outgoing = request(
      url,
      { method, signal, lookup, agent: false, headers: { ...headers, 'accept-encoding': 'identity' } },
      (incoming) => {
        readBody(incoming, url)
          .then((content) => resolve(toResponse(incoming, content)))
          // Also of a status that is none.
          .catch(fail);
      },
    );
    outgoing.on('error', fail);
    outgoing.end(body instanceof URLSearchParams ? body.toString() : body);
  });
}

const describe = (error: Error): string =>
  error.name === 'AbortError' || error.name === 'TimeoutError'
    ? `nothing within ${TIMEOUT_MS} ms`
    : error.message || ((error as NodeJS.ErrnoException).code ?? error.name);

async function readBody(incoming: IncomingMessage, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      throw new UnreachableError(`${url.origin} answers with more than ${MAX_BODY_BYTES} bytes.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toResponse({ statusCode = 502, headers }: IncomingMessage, content: Buffer): Response {
  const fields = new Headers();
  for (const [name, value] of Object.entries(headers))
    for (const text of [value ?? []].flat()) fields.append(name, text);
  return new Response(BODILESS.has(statusCode) ? null : new Uint8Array(content), {
    status: statusCode,
    headers: fields,
  });
}
