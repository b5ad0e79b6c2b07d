import { Module, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ACTOR_KINDS, HttpRequestContext, type ActorKind } from '../../src/common/context/index.js';
import { TrustedProxies } from '../../src/common/http/index.js';

/** Says which kind of actor a request is made as; its id, roles and claims stay those of its key. */
export const KIND_HEADER = 'x-test-actor-kind';

const NO_PROXIES = new TrustedProxies([]);

/** Stands in for the sign-in of people and for functions: a key's twins of other kinds, with the same id. */
class ActorKindInterceptor implements NestInterceptor {
  intercept(execution: ExecutionContext, next: CallHandler): ReturnType<CallHandler['handle']> {
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const kind = request.headers[KIND_HEADER];
    if (isKind(kind) && request.plinth) {
      request.plinth = new HttpRequestContext(request, { ...request.plinth.actor, kind }, NO_PROXIES);
    }
    return next.handle();
  }
}

const isKind = (text: unknown): text is ActorKind => ACTOR_KINDS.some((kind) => kind === text);

@Module({ providers: [{ provide: APP_INTERCEPTOR, useClass: ActorKindInterceptor }] })
export class ActorKindsModule {}
