import type { Server } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { PlinthConfig } from '../config/index.js';
import type { ConnectionLimit } from './connection-limit.js';
import type { TlsCertificate } from './tls-certificate.js';
import { TrustedProxies } from './trusted-proxies.js';
import { disconnectUnread } from './unread-answers.js';

/** How often Node looks for requests that take too long to arrive: often enough for their limits to mean something. */
const CHECKS_PER_TIMEOUT = 4;
const MAX_CHECK_MS = 5000;

/** Fastify's options: limits and time of connections, and TLS where there is a certificate. */
export function serverOptions(config: PlinthConfig, certificate: TlsCertificate | null) {
  const proxies = new TrustedProxies(config.trustedProxies);
  const node = {
    // Of the first line and the headers together.
    maxHeaderSize: config.headerLimitBytes,
    headersTimeout: config.headersTimeoutMs,
    requestTimeout: config.requestTimeoutMs,
    connectionsCheckingInterval: Math.min(
      MAX_CHECK_MS,
      Math.ceil(config.headersTimeoutMs / CHECKS_PER_TIMEOUT),
    ),
  };
  return {
    bodyLimit: config.bodyLimitBytes,
    trustProxy: proxies.isEmpty ? false : (address: string) => proxies.includes(address),
    logger: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: config.keepAliveTimeoutMs,
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false, caseSensitive: true },
    http: node,
    https:
      certificate === null
        ? null
        : { ...node, ...certificate.pair, minVersion: 'TLSv1.2', handshakeTimeout: config.headersTimeoutMs },
  } as const;
}

/** The same for what is no option but a property of the server. */
export function watchServer(
  server: Server | HttpsServer,
  config: PlinthConfig,
  connections: ConnectionLimit,
  certificate: TlsCertificate | null,
): void {
  // One more than is allowed, so that it shows; Node drops the rest without a word.
  server.maxHeadersCount = config.maxHeaders + 1;
  ignoreExpectations(server);
  connections.watch(server, certificate !== null);
  disconnectUnread(server, config.sendTimeoutMs);
  if (certificate !== null && 'setSecureContext' in server) certificate.follow(server);
}

/**
 * Serves a request whatever it expects beside `100-continue`, which RFC 9110 leaves to the server. Node would refuse it
 * by itself, without any of what every answer has.
 */
function ignoreExpectations(server: Server | HttpsServer): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}
