import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem, toProblem } from '../errors/index.js';
import type { PlinthConfig } from '../config/index.js';
import { EventLoopDelay, RefusalLog } from '../load/index.js';
import { observeRequests, Observer, type Logger } from '../observability/index.js';
import { refuseOtherMethods } from './allowed-methods.js';
import { readBodyText } from './body-text.js';
import { answerClientError } from './client-error.js';
import { closeConnectionsWhenAnswered } from './close-connections.js';
import { ConnectionLimit } from './connection-limit.js';
import { Cors } from './cors.js';
import { parseJson } from './parse-json.js';
import { refuseLargeHeads } from './request-head.js';
import { limitRequestsPerConnection } from './requests-per-connection.js';
import { setSecurityHeaders } from './security-headers.js';
import { serverOptions, watchServer } from './server-options.js';
import { shedLoad } from './shed-load.js';
import { disconnectSilent } from './silent-connections.js';
import { boundUnread } from './unread-memory.js';
import { TlsCertificate } from './tls-certificate.js';

const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;
const JSON_TYPES = ['application/json', 'application/merge-patch+json'];

/** Bodies of these paths stay text: the records path hands numbers to the database as they were written. */
const TEXT_BODY_PATHS = /^\/api\//;

/** What is managed is small; its bodies are checked by libraries that have not been made for large ones. */
const MANAGEMENT_PATHS = /^\/(?:system|auth)\//;
const MAX_MANAGEMENT_BYTES = 1024 * 1024;

/** The parsers of bodies are there from the beginning; Nest's own would take forms, too. */
class PlinthHttpAdapter extends FastifyAdapter {
  override registerParserMiddleware(prefix?: string): void {
    this._pathPrefix = prefix ? `/${prefix.replace(/^\//, '')}` : undefined;
  }
}

/**
 * Fastify as Plinth wants it: TLS and limits of the configuration, request ids, security headers, CORS, strict JSON,
 * problems for everything that fails before a handler. What it observes goes to the sinks that the module adds to its
 * observer.
 */
export function createHttpAdapter(config: PlinthConfig, logger: Logger): FastifyAdapter {
  const observer = new Observer();
  const { tlsCertFile: certFile, tlsKeyFile: keyFile } = config;
  const certificate =
    certFile === null || keyFile === null ? null : new TlsCertificate({ certFile, keyFile }, logger);
  const cors = new Cors(config.corsOrigins);
  const setHeaders = commonHeaders(config, cors);
  const adapter = new PlinthHttpAdapter({
    ...serverOptions(config, certificate),
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      // Hooks have not run for these.
      beginRequest(request, reply);
      setHeaders(request, reply);
      sendProblem(toProblem(error), request.id, reply);
    },
    clientErrorHandler: (error, socket) => answerClientError(observer, error, socket),
  });
  const instance = adapter.getInstance();
  const beginRequest = observeRequests(instance, observer);
  const connections = new ConnectionLimit(config.maxConnections);
  watchServer(instance.server, config, connections, certificate);
  disconnectSilent(instance, certificate !== null);
  const unread = new RefusalLog(logger);
  boundUnread(instance.server, certificate !== null, () => unread.note('answer-unread'));
  instance.decorateRequest('plinth', null);
  parseJsonBodies(instance);
  boundManagementBodies(instance, config);
  instance.addHook('onRequest', (request, reply, done) => {
    if (!setHeaders(request, reply)) done();
  });
  if (cors.isOpen) varyByOrigin(instance, cors);
  limitRequestsPerConnection(instance, config.requestsPerConnection);
  const delay = new EventLoopDelay(config.maxEventLoopDelayMs);
  shedLoad(instance, connections, delay, new RefusalLog(logger));
  refuseLargeHeads(instance, config);
  refuseOtherMethods(instance);
  closeConnectionsWhenAnswered(instance, config.closeGraceMs);
  return adapter;
}

/** Sets what every answer has; gives whether the request was a preflight and is answered with that. */
function commonHeaders(
  config: PlinthConfig,
  cors: Cors,
): (request: FastifyRequest, reply: FastifyReply) => boolean {
  const hsts = config.hstsSeconds === 0 ? null : `max-age=${config.hstsSeconds}`;
  const isEverSecure = config.tlsCertFile !== null || config.trustedProxies.length > 0;
  return (request, reply) => {
    void reply.header('x-request-id', request.id);
    setSecurityHeaders(reply);
    if (isEverSecure && hsts !== null && request.protocol === 'https') {
      void reply.header('strict-transport-security', hsts);
    }
    return cors.isOpen && cors.apply(request, reply);
  };
}

/** What an answer varies by of its own is known at its end. */
function varyByOrigin(instance: FastifyInstance, cors: Cors): void {
  instance.addHook('onSend', (_request, reply, payload, done) => {
    const vary = cors.vary(reply.getHeader('vary')?.toString());
    if (vary !== undefined) void reply.header('vary', vary);
    done(null, payload);
  });
}

function parseJsonBodies(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const text = readBodyText(request, body as Buffer);
      // Nobody reads the body of what is not there.
      if (request.is404 || TEXT_BODY_PATHS.test(request.url)) return done(null, text);
      return done(null, text === '' ? undefined : parseJson(text));
    } catch (error) {
      return done(error as Error);
    }
  });
}

function boundManagementBodies(
  instance: FastifyInstance,
  { bodyLimitBytes }: Pick<PlinthConfig, 'bodyLimitBytes'>,
): void {
  instance.addHook('onRoute', (route) => {
    if (MANAGEMENT_PATHS.test(route.url)) route.bodyLimit = Math.min(bodyLimitBytes, MAX_MANAGEMENT_BYTES);
  });
}
