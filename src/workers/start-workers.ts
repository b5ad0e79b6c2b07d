import type { Logger as PinoLogger } from 'pino';
import type { PlinthConfig } from '../common/config/index.js';
import { findConnectionShortage } from '../common/database/connection-need.js';
import { openDatabaseEndpoint, type DatabaseEndpoint } from '../common/database/database-endpoint.js';
import { LogSink, Observer } from '../common/observability/index.js';
import { stopOnSignals, tellAddresses, urlOf } from '../serving.js';
import { Primary } from './primary.js';

/**
 * Serves with several processes until a signal stops it. This one owns the port and, where there is one, the embedded
 * PostgreSQL; it serves no request itself.
 *
 * @throws Error what keeps the database or a worker from starting, or the port from being taken
 */
export async function startWorkers(config: PlinthConfig, logger: PinoLogger): Promise<void> {
  const observer = new Observer([new LogSink(logger)]);
  const endpoint = await openDatabaseEndpoint(config, observer);
  const close = async (): Promise<void> => {
    await primary.close();
    await endpoint.stop();
  };
  const primary = new Primary({
    config,
    observer,
    databaseUrl: endpoint.url,
    // What can still be served is served to its end; what supervises this process starts it anew.
    onGivenUp: () => void stopWithin(config.shutdownTimeoutMs, close),
  });
  // However this process ends, nobody is left behind.
  process.prependListener('exit', () => primary.kill());
  try {
    await warnOfShortage(config, endpoint, observer);
    const url = urlOf(await primary.start(), config);
    stopOnSignals({ close }, observer, config);
    // Certificates are read anew by those who speak TLS.
    if (config.tlsCertFile !== null) process.on('SIGHUP', () => primary.signal('SIGHUP'));
    tellAddresses(observer, url);
    primary.announce(url);
  } catch (error) {
    primary.kill();
    await endpoint.stop();
    throw error;
  }
}

async function warnOfShortage(
  config: PlinthConfig,
  { url }: DatabaseEndpoint,
  observer: Observer,
): Promise<void> {
  const shortage = await findConnectionShortage(url, config);
  if (shortage !== null) observer.observe({ kind: 'database.connections-short', ...shortage });
}

async function stopWithin(timeoutMs: number, close: () => Promise<void>): Promise<void> {
  setTimeout(() => process.exit(1), timeoutMs);
  await close().catch(() => {});
  process.exit(1);
}
