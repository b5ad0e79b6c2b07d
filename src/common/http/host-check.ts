import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';

/** Refuses to start in an application that would answer wrongly without a word. */
@Injectable()
export class HostCheck implements OnApplicationBootstrap {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  /** @throws Error with what the host has to change */
  onApplicationBootstrap(): void {
    const { httpAdapter } = this.adapterHost;
    // An application without a server has no routes to get wrong.
    if (httpAdapter === undefined || httpAdapter === null) return;
    const instance: unknown = httpAdapter.getInstance();
    if (httpAdapter.getType() !== 'fastify' || !isOurs(instance)) {
      throw new Error(
        'PlinthModule needs the HTTP adapter of createHttpAdapter(config, logger), which keeps numbers in bodies exact. ' +
          'Give it to NestFactory.create as the second parameter.',
      );
    }
    if (!instance.hasRoute({ method: 'GET', url: '/health/live' })) {
      throw new Error(
        "Plinth's routes are not where its clients look for them. Leave them out of the global prefix: " +
          "app.setGlobalPrefix('...', { exclude: [...PLINTH_ROUTES] }).",
      );
    }
  }
}

const isOurs = (instance: unknown): instance is FastifyInstance =>
  typeof instance === 'object' &&
  instance !== null &&
  'hasRequestDecorator' in instance &&
  typeof instance.hasRequestDecorator === 'function' &&
  instance.hasRequestDecorator('plinth') === true;
