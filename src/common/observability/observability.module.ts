import { Global, Module, type DynamicModule } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { PlinthConfig } from '../config/index.js';
import { Logger } from './logs/logger.js';
import { MetricRegistry } from './metrics/metric-registry.js';
import { createMetricsController } from './metrics/metrics.controller.js';
import { Observability } from './observability.service.js';
import { Observer } from './observer.js';

/** Logs, metrics and traces: one observer for the application, and its sinks. */
@Global()
@Module({})
export class ObservabilityModule {
  static forRoot(config: PlinthConfig, logger: Logger): DynamicModule {
    const controller = createMetricsController(config);
    return {
      module: ObservabilityModule,
      controllers: controller === null ? [] : [controller],
      providers: [
        { provide: Logger, useValue: logger },
        MetricRegistry,
        {
          provide: Observability,
          inject: [MetricRegistry, HttpAdapterHost],
          useFactory: (registry: MetricRegistry, host: HttpAdapterHost) =>
            Observability.start({
              config,
              logger,
              registry,
              isServer: Boolean(host.httpAdapter),
              requests: findObserver(host),
            }),
        },
        {
          provide: Observer,
          inject: [Observability],
          useFactory: ({ observer }: Observability) => observer,
        },
      ],
      exports: [Logger, MetricRegistry, Observer],
    };
  }
}

/** Another adapter than Plinth's has none. */
function findObserver({ httpAdapter }: HttpAdapterHost): Observer | null {
  const instance = httpAdapter?.getInstance<Partial<FastifyInstance> | undefined>();
  return instance?.observer ?? null;
}
