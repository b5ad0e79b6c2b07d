import type { FastifyRequest } from 'fastify';
import { observedOf, type ObservedRequest, type TraceContext } from '../observability/index.js';
import type { TrustedProxies } from '../http/trusted-proxies.js';
import type { Actor } from './actor.js';
import type { RequestContext } from './request-context.js';

/** The context of an HTTP request. It looks at the connection when it is asked, so that a request costs no listener. */
export class HttpRequestContext implements RequestContext {
  constructor(
    private readonly request: FastifyRequest,
    readonly actor: Actor,
    private readonly proxies: TrustedProxies,
  ) {}

  get requestId(): string {
    return this.request.id;
  }

  get address(): string {
    return this.proxies.clientAddress(this.request);
  }

  get isGone(): boolean {
    return this.request.raw.socket.destroyed;
  }

  get observed(): ObservedRequest {
    return observedOf(this.request);
  }

  get trace(): TraceContext {
    return this.observed.trace;
  }
}
