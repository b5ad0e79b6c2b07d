import path from 'node:path';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { ApiKeysService, PoliciesService, RolesService } from '../access/index.js';
import { AppModule } from '../app.module.js';
import { parseConfig, type PlinthConfig } from '../common/config/index.js';
import { openDatabaseEndpoint } from '../common/database/index.js';
import { createLogger, LogSink, Observer } from '../common/observability/index.js';
import { startServer, type RunningServer } from '../server.js';
import { stopOnSignals } from '../serving.js';
import { createDemoKeys, installDemoAccess } from './demo.access.js';
import { generateDemoRows } from './demo.data.js';
import { finishDemo, installDemoTables } from './demo.database.js';
import { printDemoTour, type DemoKeys } from './demo.tour.js';

/**
 * Serves the sample database until a signal stops it, and prints keys and requests to try. Without `DATABASE_URL` it has
 * an embedded server of its own, so that it never meets the data of `plinth start`.
 */
export async function startDemoServer(): Promise<void> {
  const { dataDir } = parseConfig(process.env);
  const config = parseConfig(process.env, {
    dataDir: path.join(dataDir, 'demo'),
    // The tour is what to read.
    ...(process.env['PLINTH_LOG_LEVEL'] ? {} : { logLevel: 'warn' as const }),
  });
  const logger = createLogger(config);
  const { server, keys } = await openDemo(config, logger);
  stopOnSignals(server, server.app.get(Observer), config);
  process.stdout.write(printDemoTour(server.url, keys));
}

/**
 * Installs the sample where it is not yet, and serves it.
 *
 * @throws {ForeignDatabaseError} where the database holds anything else; it is left as it is.
 */
export async function openDemo(
  config: PlinthConfig,
  logger: Logger,
): Promise<{ readonly server: RunningServer; readonly keys: DemoKeys }> {
  const endpoint = await openDatabaseEndpoint(config, new Observer([new LogSink(logger)]), 'plinth_demo');
  let started: RunningServer | undefined;
  const close = async (): Promise<void> => {
    await started?.close();
    await endpoint.stop();
  };
  try {
    const rows = generateDemoRows();
    const [customer] = rows.customers;
    if (customer === undefined) throw new Error('The generator made no customers.');
    // Before the server starts, so that a database that is not ours is not even given the schema `plinth`.
    await inTransaction(endpoint.url, (client) => installDemoTables(client, rows));
    const ownConfig = Object.assign({}, config, { databaseUrl: endpoint.url });
    started = await startServer(AppModule.forRoot({ config: ownConfig, logger }), ownConfig, logger);
    const { app } = started;
    await inTransaction(endpoint.url, (client) =>
      finishDemo(client, () => installDemoAccess(app.get(RolesService), app.get(PoliciesService))),
    );
    const keys = await createDemoKeys(app.get(ApiKeysService), customer);
    return { server: { ...started, close }, keys };
  } catch (error) {
    await close();
    throw error;
  }
}

async function inTransaction(url: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('BEGIN');
    await work(client);
    await client.query('COMMIT');
  } finally {
    // Ends the transaction too, where it is still open.
    await client.end();
  }
}
