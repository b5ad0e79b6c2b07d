import { isOrigin } from './origin.js';
import { parseNetwork } from './network.js';
import { filePath, integer, listOf, setting } from './setting.js';

/** How clients connect: TLS, proxies, other origins, connections and their time. */
export const HTTP_SETTINGS = {
  tlsCertFile: setting<string | null>({
    variable: 'PLINTH_TLS_CERT',
    description:
      'A file with the certificate and its chain in PEM; with PLINTH_TLS_KEY, Plinth speaks HTTPS.',
    defaultText: 'plain HTTP',
    defaultValue: null,
    example: '/etc/plinth/fullchain.pem',
    parse: filePath,
  }),
  tlsKeyFile: setting<string | null>({
    variable: 'PLINTH_TLS_KEY',
    description: "A file with the certificate's private key in PEM, not encrypted.",
    defaultText: 'plain HTTP',
    defaultValue: null,
    example: '/etc/plinth/key.pem',
    parse: filePath,
  }),
  hstsSeconds: setting({
    variable: 'PLINTH_HSTS',
    description:
      'Seconds for which browsers shall insist on HTTPS, told on HTTPS only; 0 tells them nothing.',
    defaultValue: 31_536_000,
    example: '300',
    parse: integer(0, 315_360_000, 'seconds'),
  }),
  trustedProxies: setting<readonly string[]>({
    variable: 'PLINTH_TRUSTED_PROXIES',
    description:
      'Proxies whose X-Forwarded-For, -Proto and -Host count: addresses, networks such as 10.0.0.0/8, `loopback`, `private`.',
    defaultText: 'none',
    defaultValue: [],
    example: 'loopback,10.0.0.0/8',
    parse: listOf(
      'addresses, networks, `loopback`, `private`, separated by commas',
      (text) => parseNetwork(text) !== null,
      'must be addresses, networks such as 10.0.0.0/8, `loopback` or `private`, separated by commas',
    ),
  }),
  corsOrigins: setting<readonly string[]>({
    variable: 'PLINTH_CORS_ORIGINS',
    description:
      'Web origins whose pages may use the API: https://app.example.com, https://*.example.com, or `*` for all, without cookies.',
    defaultText: 'none',
    defaultValue: [],
    example: 'https://app.example.com',
    parse: listOf(
      'origins, separated by commas, or `*`',
      isOrigin,
      'must be origins such as https://app.example.com or https://*.example.com, separated by commas, or * alone',
    ),
  }),
  maxConnections: setting({
    variable: 'PLINTH_MAX_CONNECTIONS',
    description: 'Connections of clients, at most; requests on further ones are answered with 503.',
    defaultValue: 10_000,
    example: '2000',
    parse: integer(1, 1_000_000),
  }),
  requestsPerConnection: setting({
    variable: 'PLINTH_REQUESTS_PER_CONNECTION',
    description:
      'Requests after which a connection is closed, so that clients spread over instances anew; 0 means never.',
    defaultValue: 0,
    example: '1000',
    parse: integer(0, 1_000_000_000),
  }),
  headersTimeoutMs: setting({
    variable: 'PLINTH_HEADERS_TIMEOUT',
    description: "Milliseconds in which a request's headers must arrive.",
    defaultValue: 15_000,
    example: '5000',
    parse: integer(100, 600_000, 'milliseconds'),
  }),
  requestTimeoutMs: setting({
    variable: 'PLINTH_REQUEST_TIMEOUT',
    description: 'Milliseconds in which a whole request must arrive, its body included.',
    defaultValue: 120_000,
    example: '30000',
    parse: integer(100, 3_600_000, 'milliseconds'),
  }),
  sendTimeoutMs: setting({
    variable: 'PLINTH_SEND_TIMEOUT',
    description: 'Milliseconds after which a client that takes nothing of its answer is disconnected.',
    defaultValue: 60_000,
    example: '20000',
    parse: integer(100, 3_600_000, 'milliseconds'),
  }),
  keepAliveTimeoutMs: setting({
    variable: 'PLINTH_KEEP_ALIVE_TIMEOUT',
    description:
      'Milliseconds for which a connection may be idle; longer than the same of a load balancer in front.',
    defaultValue: 72_000,
    example: '620000',
    parse: integer(100, 3_600_000, 'milliseconds'),
  }),
  closeGraceMs: setting({
    variable: 'PLINTH_CLOSE_GRACE',
    description:
      'Milliseconds for which a stopping server still serves connections that were just in use, telling clients to leave.',
    defaultValue: 250,
    example: '2000',
    parse: integer(0, 60_000, 'milliseconds'),
  }),
} as const;
