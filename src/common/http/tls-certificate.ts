import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../config/index.js';
import type { Logger } from '../observability/index.js';

/** How soon a renewed certificate is noticed where nobody sends SIGHUP. */
const POLL_MS = 2000;

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/**
 * The certificate of the server, read anew when its files change or SIGHUP comes: connections that are open keep the one
 * they have. What cannot be used, such as a certificate whose key has not been written yet, changes nothing.
 */
export class TlsCertificate {
  private current: TlsPair;
  private lastFault = '';
  private timer: NodeJS.Timeout | undefined;

  /** @throws ConfigError where the files cannot be read, or do not belong together */
  constructor(
    private readonly files: TlsFiles,
    private readonly logger: Logger,
    private readonly pollMs = POLL_MS,
  ) {
    this.current = readPair(files);
  }

  get pair(): TlsPair {
    return this.current;
  }

  /** Keeps a server's certificate up to date until it closes. */
  follow(server: Pick<Server, 'setSecureContext' | 'once'>): void {
    const renew = (): void => this.renew(server);
    this.timer = setInterval(renew, this.pollMs);
    this.timer.unref();
    process.on('SIGHUP', renew);
    server.once('close', () => {
      clearInterval(this.timer);
      process.off('SIGHUP', renew);
    });
  }

  private renew(server: Pick<Server, 'setSecureContext'>): void {
    try {
      const pair = readPair(this.files);
      this.lastFault = '';
      if (pair.cert === this.current.cert && pair.key === this.current.key) return;
      server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' });
      this.current = pair;
      this.logger.info({ certFile: this.files.certFile }, 'The certificate was renewed');
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.lastFault) {
        this.logger.warn(
          { reason: message },
          'The certificate could not be renewed; the old one stays in use',
        );
      }
      this.lastFault = message;
    }
  }
}

function readPair({ certFile, keyFile }: TlsFiles): TlsPair {
  const cert = readText('PLINTH_TLS_CERT', certFile);
  const key = readText('PLINTH_TLS_KEY', keyFile);
  try {
    // An empty file, as one is that is just being written, counts as no key at all to `createSecureContext`.
    if (cert.trim() === '' || key.trim() === '') throw new Error('one of the files is empty');
    createSecureContext({ cert, key });
  } catch (error) {
    throw new ConfigError([
      {
        variable: 'PLINTH_TLS_CERT',
        message: `and PLINTH_TLS_KEY cannot be used together: ${(error as Error).message}`,
      },
    ]);
  }
  return { cert, key };
}

function readText(variable: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigError([{ variable, message: `cannot be read: ${(error as Error).message}` }]);
  }
}
