import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EmbeddedPostgresError, findRunningPostgres, type RunningPostgres } from '@plinth/embedded-postgres';
import { AppModule } from '../app.module.js';
import { parseConfig } from '../common/config/index.js';
import { createLogger } from '../common/observability/index.js';

/** How long a Plinth that has the data already may take until its database answers. */
const START_TIMEOUT_MS = 30_000;
const START_INTERVAL_MS = 100;

/**
 * Runs `work` with Plinth's services and no server. An embedded database that a running server has open is used
 * through that server's postmaster; otherwise it is started for the time of the command.
 */
export async function withApplication<T>(work: (app: INestApplicationContext) => Promise<T>): Promise<T> {
  const { databaseUrl, dataDir } = parseConfig(process.env);
  const app = await (databaseUrl === null ? openEmbedded(path.resolve(dataDir)) : open(null));
  try {
    return await work(app);
  } finally {
    await app.close();
  }
}

async function openEmbedded(dataDir: string): Promise<INestApplicationContext> {
  try {
    return await open(await findRunningPostgres(dataDir));
  } catch (error) {
    if (!(error instanceof EmbeddedPostgresError) || error.code !== 'embedded.in-use') throw error;
    // Somebody else started at the same time and got the data first.
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const running = await findRunningPostgres(dataDir);
      if (running !== null) return open(running);
      if (Date.now() >= deadline) throw error;
      await delay(START_INTERVAL_MS);
    }
  }
}

/** What fails is thrown, and told by the command; Nest need not log it as well. */
function open(running: RunningPostgres | null): Promise<INestApplicationContext> {
  const config = parseConfig(process.env, {
    ...(running ? { databaseUrl: running.url } : {}),
    ...(process.env['PLINTH_LOG_LEVEL'] ? {} : { logLevel: 'warn' as const }),
  });
  return NestFactory.createApplicationContext(AppModule.forRoot({ config, logger: createLogger(config) }), {
    logger: false,
    abortOnError: false,
  });
}
