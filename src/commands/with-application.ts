import path from 'node:path';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { findRunningPostgres } from '@plinth/embedded-postgres';
import { AppModule } from '../app.module.js';
import { parseConfig } from '../common/config/index.js';
import { createLogger, NestLogger } from '../common/observability/index.js';

/**
 * Runs `work` with Plinth's services and no server. An embedded database that a running server has open is used
 * through that server's postmaster; otherwise it is started for the time of the command.
 */
export async function withApplication<T>(work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const configured = parseConfig(process.env);
  const running =
    configured.databaseUrl === null ? await findRunningPostgres(path.resolve(configured.dataDir)) : null;
  const config = parseConfig(process.env, {
    ...(running ? { databaseUrl: running.url } : {}),
    ...(process.env['PLINTH_LOG_LEVEL'] ? {} : { logLevel: 'warn' as const }),
  });
  const logger = createLogger(config);
  const app = await NestFactory.createApplicationContext(AppModule.forRoot({ config, logger }), {
    logger: new NestLogger(logger),
    abortOnError: false,
  });
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}
