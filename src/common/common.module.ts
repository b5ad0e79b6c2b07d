import { Global, Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { PlinthConfig } from './config/index.js';
import { ProblemFilter } from './errors/index.js';
import { HealthController } from './health/index.js';
import { createValidationPipe } from './http/index.js';
import { Logger } from './observability/index.js';

/** What every domain stands on: configuration, logs, problems, DTO validation, health. */
@Global()
@Module({})
export class CommonModule {
  static forRoot(config: PlinthConfig, logger: Logger): DynamicModule {
    return {
      module: CommonModule,
      controllers: [HealthController],
      providers: [
        { provide: PlinthConfig, useValue: config },
        { provide: Logger, useValue: logger },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_PIPE, useFactory: createValidationPipe },
      ],
      exports: [PlinthConfig, Logger],
    };
  }
}
