import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem, toProblem } from '../errors/index.js';
import type { PlinthConfig } from '../config/index.js';
import type { Logger } from '../observability/index.js';
import { refuseOtherMethods } from './allowed-methods.js';
import { readBodyText } from './body-text.js';
import { answerClientError } from './client-error.js';
import { parseJson } from './parse-json.js';

const REQUEST_ID = /^[\w.:+/=-]{1,128}$/;
const JSON_TYPES = ['application/json', 'application/merge-patch+json'];

/** Bodies of these paths stay text: the records path hands numbers to the database as they were written. */
const TEXT_BODY_PATHS = /^\/api\//;

/** Addresses hold filters, whose own limits shall be what refuses them. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Fastify as Plinth wants it: request ids, strict JSON, problems for everything that fails before a handler. */
export function createHttpAdapter(
  config: Pick<PlinthConfig, 'bodyLimitBytes'>,
  logger: Logger,
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: config.bodyLimitBytes,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    logger: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    requestTimeout: 120_000,
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false, caseSensitive: true },
    http: { maxHeaderSize: MAX_HEADER_BYTES },
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      // Hooks have not run for these.
      setCommonHeaders(request, reply);
      sendProblem(toProblem(error), request.id, reply);
    },
    clientErrorHandler: answerClientError,
  });
  const instance = adapter.getInstance();
  instance.decorateRequest('plinth', null);
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser(JSON_TYPES, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const text = readBodyText(request, body as Buffer);
      if (TEXT_BODY_PATHS.test(request.url)) return done(null, text);
      return done(null, text === '' ? undefined : parseJson(text));
    } catch (error) {
      return done(error as Error);
    }
  });
  instance.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply);
    done();
  });
  refuseOtherMethods(instance);
  instance.addHook('onResponse', (request, reply, done) => {
    // The path without its query: filters hold people's data.
    const path = request.url.split('?', 1)[0];
    const durationMs = Math.round(reply.elapsedTime * 100) / 100;
    logger.debug(
      { requestId: request.id, method: request.method, path, status: reply.statusCode, durationMs },
      'request',
    );
    done();
  });
  return adapter;
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
}
