import { Module, type DynamicModule } from '@nestjs/common';
import { AccessModule } from './access/index.js';
import { AuthModule } from './auth/index.js';
import { CatalogModule } from './catalog/index.js';
import { CommonModule } from './common/common.module.js';
import { parseConfig, type PlinthConfig } from './common/config/index.js';
import { DatabaseModule } from './common/database/index.js';
import { createLogger, type Logger } from './common/observability/index.js';
import type { PrimaryLink } from './common/workers/index.js';
import { DataModule } from './data/index.js';
import { JobsModule } from './jobs/index.js';
import { MailModule } from './mail/index.js';
import { migrations } from './migrations.js';
import { OpenApiModule } from './openapi/index.js';

export interface PlinthOptions {
  /** Default: `parseConfig(process.env)`. */
  readonly config?: PlinthConfig;
  /** Default: a pino logger as the configuration asks for it. */
  readonly logger?: Logger;
}

/**
 * Plinth as a Nest module: import `PlinthModule.forRoot()` into an application on Fastify and it serves records,
 * management and documentation beside the application's own controllers. Use `createHttpAdapter` for the application's
 * adapter, so that bodies keep their exact numbers and every failure is a problem document.
 */
@Module({})
export class PlinthModule {
  /** @param primary of a worker process of `plinth start`; a host application has none */
  static forRoot(options: PlinthOptions = {}, primary: PrimaryLink | null = null): DynamicModule {
    const config = options.config ?? parseConfig(process.env);
    return {
      module: PlinthModule,
      imports: [
        CommonModule.forRoot(config, options.logger ?? createLogger(config), primary),
        DatabaseModule.forRoot(migrations),
        CatalogModule,
        AccessModule,
        JobsModule,
        MailModule,
        AuthModule,
        DataModule,
        OpenApiModule,
      ],
    };
  }
}
