import { countWorkers, parseConfig } from '../common/config/index.js';
import { createLogger } from '../common/observability/index.js';

/** Serves until a signal stops it, with as many processes as the configuration says. */
export async function start(): Promise<void> {
  const config = parseConfig(process.env);
  const logger = createLogger(config);
  // A process that only keeps others loads nothing of what they serve with.
  if (countWorkers(config) > 1) await (await import('../workers/index.js')).startWorkers(config, logger);
  else await (await import('../serve-alone.js')).serveAlone(config, logger);
  if (config.databaseUrl === null) {
    logger.info(
      {},
      'Make a key for the first requests with: npm run plinth -- keys create --role admin --name me',
    );
  }
}
