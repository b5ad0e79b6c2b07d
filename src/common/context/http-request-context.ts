import type { FastifyRequest } from 'fastify';
import type { Actor } from './actor.js';
import type { RequestContext } from './request-context.js';

/** The context of an HTTP request; the signal is made only for those who ask for it. */
export class HttpRequestContext implements RequestContext {
  private controller: AbortController | undefined;

  constructor(
    private readonly request: FastifyRequest,
    readonly actor: Actor,
  ) {}

  get requestId(): string {
    return this.request.id;
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      const controller = new AbortController();
      const { socket } = this.request.raw;
      const abort = (): void => controller.abort();
      if (socket.destroyed) abort();
      else {
        socket.once('close', abort);
        // A kept-alive socket serves many requests; the listener must go with this one.
        this.request.raw.once('close', () => socket.off('close', abort));
      }
      this.controller = controller;
    }
    return this.controller.signal;
  }
}
