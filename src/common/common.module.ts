import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_PIPE, ApplicationConfig } from '@nestjs/core';
import { PlinthConfig } from './config/index.js';
import { ProblemFilter } from './errors/index.js';
import { HealthController } from './health/index.js';
import {
  createValidationPipe,
  CrossSiteCheck,
  HostCheck,
  keepOwnRoutes,
  TrustedProxies,
} from './http/index.js';
import type { Logger } from './observability/index.js';
import { ObservabilityModule } from './observability/observability.module.js';
import { RateLimits } from './rate-limit/index.js';
import { ServerSecret } from './secrets/index.js';
import { PrimaryLink } from './workers/index.js';

/** What every domain stands on: configuration, logs, problems, DTO validation, health. */
@Global()
@Module({})
export class CommonModule {
  /**
   * The filter is put before all others, which means that it is asked last: a filter of the host for certain errors
   * would never be asked after this one for all of them, as Nest orders those that modules provide.
   */
  constructor(application: ApplicationConfig, filter: ProblemFilter) {
    application.addGlobalFilter(filter);
    keepOwnRoutes(application);
  }

  /** @param primary in a worker, the process that it serves for */
  static forRoot(config: PlinthConfig, logger: Logger, primary: PrimaryLink | null = null): DynamicModule {
    const ofWorker = primary === null ? [] : [{ provide: PrimaryLink, useValue: primary }];
    return {
      module: CommonModule,
      imports: [ObservabilityModule.forRoot(config, logger)],
      controllers: [HealthController],
      providers: [
        { provide: PlinthConfig, useValue: config },
        ...ofWorker,
        ProblemFilter,
        HostCheck,
        CrossSiteCheck,
        { provide: TrustedProxies, useFactory: () => new TrustedProxies(config.trustedProxies) },
        RateLimits,
        ServerSecret,
        { provide: APP_PIPE, useFactory: createValidationPipe },
      ],
      exports: [PlinthConfig, ...ofWorker, TrustedProxies, CrossSiteCheck, RateLimits, ServerSecret],
    };
  }
}
