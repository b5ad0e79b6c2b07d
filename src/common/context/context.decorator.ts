import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Actor } from './actor.js';
import type { RequestContext } from './request-context.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the access guard before any handler runs. */
    plinth: RequestContext | null;
  }
}

/** Gives a handler the request's context: `list(@Context() context: RequestContext)`. */
export const Context = createParamDecorator((_data: unknown, execution: ExecutionContext): RequestContext =>
  contextOf(execution),
);

/** Gives a handler who asks: `list(@CurrentActor() actor: Actor)`. */
export const CurrentActor = createParamDecorator(
  (_data: unknown, execution: ExecutionContext): Actor => contextOf(execution).actor,
);

function contextOf(execution: ExecutionContext): RequestContext {
  const context = execution.switchToHttp().getRequest<FastifyRequest>().plinth;
  if (context === null || context === undefined) {
    throw new Error('The access guard did not run before this handler; is AccessModule imported?');
  }
  return context;
}
