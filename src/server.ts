import type { Type, DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Logger as PinoLogger } from 'pino';
import type { PlinthConfig } from './common/config/index.js';
import { createHttpAdapter } from './common/http/index.js';
import { NestLogger } from './common/observability/index.js';

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
  const app = await NestFactory.create<NestFastifyApplication>(module, createHttpAdapter(config, logger), {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  try {
    await app.listen(config.port, config.host);
  } catch (error) {
    await app.close();
    throw error;
  }
  return { app, url: addressOf(app, config.host), close: () => app.close() };
}

function addressOf(app: NestFastifyApplication, host: string): string {
  const address = app.getHttpServer().address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/**
 * Stops on SIGTERM and SIGINT: cleanly when that takes no longer than the configuration allows, hard otherwise or at
 * the second signal.
 */
export function stopOnSignals(server: RunningServer, config: PlinthConfig, logger: PinoLogger): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    logger.info({ signal }, 'Stopping');
    const timer = setTimeout(() => {
      logger.error(
        { timeoutMs: config.shutdownTimeoutMs },
        'Requests did not finish in time; stopping anyway',
      );
      process.exit(1);
    }, config.shutdownTimeoutMs);
    server.close().then(
      () => {
        clearTimeout(timer);
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ reason: String(error) }, 'Stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
