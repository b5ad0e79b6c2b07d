import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

const MAX_LENGTH = 200;

/** Gives a handler which languages the client prefers, as it says so in `Accept-Language`. */
export const Languages = createParamDecorator((_data: unknown, execution: ExecutionContext): string => {
  const { headers } = execution.switchToHttp().getRequest<FastifyRequest>();
  return (headers['accept-language'] ?? '').slice(0, MAX_LENGTH);
});
