import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { onAnswerOver } from './answer-over.js';
import { ObservedRequest } from './observed-request.js';
import { ObservedRoutes } from './observed-route.js';
import type { Observer } from './observer.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Absent where another adapter than Plinth's is used. */
    observer?: Observer;
  }
  interface FastifyRequest {
    observed?: ObservedRequest | null;
  }
}

/** Begins to observe a request; for those that fail before any hook runs. */
export type BeginRequest = (request: FastifyRequest, reply: FastifyReply) => void;

/** Observes every request of a Fastify instance. To be called before any route is added. */
export function observeRequests(instance: FastifyInstance, observer: Observer): BeginRequest {
  const routes = new ObservedRoutes();
  const begin: BeginRequest = (request, reply) => {
    const observed = new ObservedRequest(request.id, request.raw);
    observed.reply = reply;
    observed.collection = collectionOf(request);
    request.observed = observed;
    observer.observe({ kind: 'request.started', request: observed });
    onAnswerOver(reply.raw, request.raw.socket, () => {
      finish(observed, request, routes);
      observer.observe({ kind: 'request.finished', request: observed });
    });
  };
  instance.decorate('observer', observer);
  instance.decorateRequest('observed', null);
  instance.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) routes.add(name, url);
  });
  instance.addHook('onRequest', (request, reply, done) => {
    begin(request, reply);
    done();
  });
  return begin;
}

function finish(observed: ObservedRequest, request: FastifyRequest, routes: ObservedRoutes): void {
  observed.endedAtMs = performance.now();
  observed.isAborted = observed.reply?.raw.writableFinished !== true && request.raw.socket.destroyed;
  observed.route = routes.find(request.method, request.routeOptions.url);
}

function collectionOf({ params }: FastifyRequest): string | null {
  const { collection } = (params ?? {}) as { readonly collection?: unknown };
  return typeof collection === 'string' ? collection : null;
}

/** What is observed of a request; where it was not begun, because another adapter took it in, from now on. */
export function observedOf(request: FastifyRequest): ObservedRequest {
  request.observed ??= new ObservedRequest(request.id, request.raw);
  return request.observed;
}
