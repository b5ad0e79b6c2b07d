import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpAdapter, createLogger, parseConfig } from '../../../src/index.js';
import { ShopModule } from './shop.module.js';

export async function start(): Promise<NestFastifyApplication> {
  const config = parseConfig(process.env);
  const logger = createLogger(config);
  const app = await NestFactory.create<NestFastifyApplication>(
    ShopModule.forRoot({ config, logger }),
    createHttpAdapter(config, logger),
  );
  app.enableShutdownHooks();
  await app.listen(config.port, config.host);
  return app;
}
