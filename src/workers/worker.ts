// What a worker process runs; see `startWorkers`.
import 'reflect-metadata';
import type { Socket } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from '../app.module.js';
import { FirstAdministrator } from '../auth/index.js';
import { parseConfig } from '../common/config/index.js';
import { createLogger } from '../common/observability/index.js';
import { PrimaryLink, type Assignment, type Failure } from '../common/workers/index.js';
import { createApplication } from '../server.js';
import { takeSignals } from '../signals.js';
import { collectStartGarbage } from '../start-garbage.js';
import { adoptConnections } from './adopt-connections.js';

/** Serves what the primary process gives it, until that says stop or is gone. */
class Worker {
  private app: NestFastifyApplication | null = null;
  private adopt: (connection: Socket) => void = (connection) => void connection.destroy();
  private isStopping = false;

  constructor(private readonly primary: PrimaryLink) {}

  async serve({ worker, ...overrides }: Assignment): Promise<void> {
    try {
      const config = parseConfig(process.env, overrides);
      const logger = createLogger(config).child({ worker });
      const app = await createApplication(
        AppModule.forRoot({ config, logger }, this.primary),
        config,
        logger,
      );
      this.app = app;
      const instance = app.getHttpAdapter().getInstance();
      this.adopt = adoptConnections(instance);
      await app.init();
      await instance.ready();
      this.primary.ready();
      collectStartGarbage();
    } catch (error) {
      await this.primary.fail(describe(error));
      await this.stop(1);
    }
  }

  /** Says where the first administrator can be made, where there is none. */
  announce(url: string): void {
    this.app
      ?.get(FirstAdministrator)
      .announce(url)
      // A database that went away meanwhile is told of elsewhere; the next start says it.
      .catch(() => {});
  }

  accept(connection: Socket): void {
    this.adopt(connection);
  }

  /** Answers what is under way, and ends with this code, or 1 where that fails. */
  async stop(code: number): Promise<void> {
    if (this.isStopping) return;
    this.isStopping = true;
    try {
      await this.app?.close();
    } catch {
      process.exit(1);
    }
    process.exit(code);
  }
}

function describe(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack, code } = error as NodeJS.ErrnoException;
  return { name, message, stack, ...(code === undefined ? {} : { code }) };
}

const primary = new PrimaryLink(process);
const worker = new Worker(primary);
primary.open({
  serve: (assignment) => void worker.serve(assignment),
  accept: (connection) => worker.accept(connection),
  announce: (url) => worker.announce(url),
  stop: () => void worker.stop(0),
});
// They reach every process of a terminal or a service; it is the primary process that says what follows from them.
takeSignals(() => {});
process.once('disconnect', () => {
  const { shutdownTimeoutMs } = parseConfig(process.env);
  setTimeout(() => process.exit(1), shutdownTimeoutMs).unref();
  void worker.stop(1);
});
