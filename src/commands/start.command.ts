import { AppModule } from '../app.module.js';
import { parseConfig } from '../common/config/index.js';
import { createLogger } from '../common/observability/index.js';
import { startServer, stopOnSignals } from '../server.js';

/** Serves until a signal stops it. */
export async function start(): Promise<void> {
  const config = parseConfig(process.env);
  const logger = createLogger(config);
  const server = await startServer(AppModule.forRoot({ config, logger }), config, logger);
  stopOnSignals(server, config, logger);
  logger.info(
    { api: `${server.url}/api`, docs: `${server.url}/docs`, openapi: `${server.url}/openapi.json` },
    'Plinth is listening',
  );
  if (config.databaseUrl === null) {
    logger.info(
      {},
      'Make a key for the first requests with: npm run plinth -- keys create --role admin --name me',
    );
  }
}
