import type { Type, DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as PinoLogger } from 'pino';
import type { PlinthConfig } from './common/config/index.js';
import { createHttpAdapter } from './common/http/index.js';
import { NestLogger } from './common/observability/index.js';
import { urlOf } from './serving.js';

export interface RunningServer {
  readonly app: NestFastifyApplication;
  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** Stops accepting, lets requests under way finish, closes the database. */
  close(): Promise<void>;
}

/** Builds the application of a root module on Plinth's HTTP adapter and listens. */
export async function startServer(
  module: Type | DynamicModule,
  config: PlinthConfig,
  logger: PinoLogger,
): Promise<RunningServer> {
  const app = await createApplication(module, config, logger);
  try {
    await app.init();
    // Nest's own would log an error that the caller is told of.
    await app.getHttpAdapter().getInstance().listen({ port: config.port, host: config.host });
  } catch (error) {
    await app.close();
    throw error;
  }
  return { app, url: urlOf(app.getHttpServer().address(), config), close: () => app.close() };
}

/** The application of a root module on Plinth's HTTP adapter, which listens nowhere yet. */
export const createApplication = (
  module: Type | DynamicModule,
  config: PlinthConfig,
  logger: PinoLogger,
): Promise<NestFastifyApplication> =>
  NestFactory.create<NestFastifyApplication>(module, createHttpAdapter(config, logger), {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
