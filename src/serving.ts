import type { AddressInfo } from 'node:net';
import type { PlinthConfig } from './common/config/index.js';
import type { Observer } from './common/observability/index.js';
import { takeSignals } from './signals.js';

/** Where clients find a server that has this address, without a slash at the end. */
export function urlOf(
  address: AddressInfo | string | null,
  { host, tlsCertFile }: Pick<PlinthConfig, 'host' | 'tlsCertFile'>,
): string {
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `${tlsCertFile === null ? 'http' : 'https'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

/** The lines that tell where a server can be reached. */
export const tellAddresses = (observer: Observer, url: string): void =>
  observer.observe({
    kind: 'server.listening',
    api: `${url}/api`,
    docs: `${url}/docs`,
    openapi: `${url}/openapi.json`,
  });

/**
 * Stops on SIGTERM, SIGINT and SIGHUP: cleanly when that takes no longer than the configuration allows, hard otherwise or at
 * the second signal. With TLS, SIGHUP is left to those who renew certificates.
 */
export function stopOnSignals(
  server: { close(): Promise<void> },
  observer: Observer,
  { shutdownTimeoutMs: timeoutMs, tlsCertFile }: Pick<PlinthConfig, 'shutdownTimeoutMs' | 'tlsCertFile'>,
): void {
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    observer.observe({ kind: 'server.stopping', signal });
    const timer = setTimeout(() => {
      observer.observe({ kind: 'server.stop-timed-out', timeoutMs });
      process.exit(1);
    }, timeoutMs);
    server.close().then(
      () => {
        clearTimeout(timer);
        observer.observe({ kind: 'server.stopped' });
        process.exit(0);
      },
      (error: unknown) => {
        observer.observe({ kind: 'server.stop-failed', error });
        process.exit(1);
      },
    );
  };
  takeSignals(stop, { isHangUpOurs: tlsCertFile === null });
}
