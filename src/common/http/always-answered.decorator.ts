import { applyDecorators, SetMetadata } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    isAlwaysAnswered?: boolean;
  }
}

const MARK = 'plinth:always-answered';

/**
 * Marks what operators ask, such as health: answered also where the server refuses clients because there are too many of
 * them, and never counted. Such a route must cost next to nothing.
 */
export const AlwaysAnswered = (): MethodDecorator =>
  applyDecorators(SetMetadata(MARK, true), RouteConfig({ isAlwaysAnswered: true }));

/** Whether a handler of a controller is marked so. */
export const isMarkedAlwaysAnswered = (handler: object): boolean =>
  Reflect.getMetadata(MARK, handler) === true;

/** Whether the route that a request leads to is one of those. */
export const isAlwaysAnswered = (request: FastifyRequest): boolean =>
  request.routeOptions.config.isAlwaysAnswered === true;
