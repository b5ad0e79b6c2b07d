import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate, type SecureVersion } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AppModule } from '../../../src/app.module.js';
import { ConfigError, parseConfig, type PlinthConfig } from '../../../src/common/config/index.js';
import { createHttpAdapter } from '../../../src/common/http/index.js';
import { createLogger } from '../../../src/common/observability/index.js';
import { startServer, type RunningServer } from '../../../src/server.js';
import { makeCertificate, type TestCertificate } from '../../kit/certificate.js';
import { createTestDatabase, type TestDatabase } from '../../kit/database.js';

let folder = '';
let database: TestDatabase;
let server: RunningServer | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plinth-tls-'));
  database = await createTestDatabase();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const certFile = (): string => join(folder, 'cert.pem');
const keyFile = (): string => join(folder, 'key.pem');
const write = async ({ cert, key }: TestCertificate): Promise<void> => {
  await Promise.all([writeFile(certFile(), cert), writeFile(keyFile(), key)]);
};
const configure = (overrides: Partial<PlinthConfig> = {}): PlinthConfig =>
  parseConfig(
    {
      DATABASE_URL: database.url,
      PORT: '0',
      PLINTH_LOG_LEVEL: 'silent',
      PLINTH_MAX_EVENT_LOOP_DELAY: '0',
      PLINTH_TLS_CERT: certFile(),
      PLINTH_TLS_KEY: keyFile(),
    },
    overrides,
  );

async function start(overrides: Partial<PlinthConfig> = {}): Promise<RunningServer> {
  const config = configure(overrides);
  const logger = createLogger(config);
  server = await startServer(AppModule.forRoot({ config, logger }), config, logger);
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly hsts: string | undefined;
  readonly body: string;
}

/** A request on a connection of its own, by a client that trusts one certificate. */
const ask = ({ url }: RunningServer, ca: string, path = '/health/live'): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { ca, agent: false }, (response) => {
      let body = '';
      response.on('data', (part: Buffer) => (body += part.toString()));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          hsts: response.headers['strict-transport-security'],
          body,
        }),
      );
    });
    sent.on('error', reject);
    sent.end();
  });

/** What a server shows to a client of one version of TLS, or how it turns it away. */
const shake = ({ url }: RunningServer, version?: SecureVersion): Promise<PeerCertificate | string> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = connect(
      {
        host: hostname,
        port: Number(port),
        rejectUnauthorized: false,
        minVersion: version ?? 'TLSv1.2',
        maxVersion: version ?? 'TLSv1.3',
        // Old versions need ciphers that nobody takes any more.
        ciphers: version === 'TLSv1' || version === 'TLSv1.1' ? 'ALL:@SECLEVEL=0' : undefined,
      },
      () => {
        resolve(socket.getPeerCertificate());
        socket.end();
      },
    );
    socket.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
const nameOf = (found: PeerCertificate | string): string =>
  typeof found === 'string' ? found : String(found.subject.CN);

describe('TLS by Plinth itself', () => {
  it('serves what it serves without, and tells browsers to insist on it', async () => {
    const certificate = makeCertificate('first');
    await write(certificate);
    const running = await start();
    expect(running.url).toMatch(/^https:/);
    expect(await ask(running, certificate.cert)).toEqual({
      status: 200,
      hsts: 'max-age=31536000',
      body: '{"status":"ok"}',
    });
    expect(await ask(running, certificate.cert, '/nothing')).toMatchObject({ status: 404 });
    await expect(ask(running, makeCertificate('other').cert)).rejects.toThrow(/certificate/);
  });

  it('speaks versions 1.2 and 1.3, and no older one', async () => {
    await write(makeCertificate('first'));
    const running = await start();
    expect(nameOf(await shake(running, 'TLSv1.3'))).toBe('first');
    expect(nameOf(await shake(running, 'TLSv1.2'))).toBe('first');
    expect(nameOf(await shake(running, 'TLSv1.1'))).toMatch(/^(ERR_SSL|ECONNRESET)/);
    expect(nameOf(await shake(running, 'TLSv1'))).toMatch(/^(ERR_SSL|ECONNRESET)/);
  });

  it('says nothing of it where the operator does not want that', async () => {
    const certificate = makeCertificate('first');
    await write(certificate);
    expect((await ask(await start({ hstsSeconds: 0 }), certificate.cert)).hsts).toBeUndefined();
  });

  it('takes a renewed certificate at SIGHUP, and keeps the old one where the new one is of no use', async () => {
    const [first, second] = [makeCertificate('first'), makeCertificate('second')];
    await write(first);
    const running = await start();
    expect(nameOf(await shake(running))).toBe('first');
    // The key does not fit yet.
    await writeFile(certFile(), second.cert);
    process.kill(process.pid, 'SIGHUP');
    await writeFile(keyFile(), 'no key');
    process.kill(process.pid, 'SIGHUP');
    expect(nameOf(await shake(running))).toBe('first');
    await writeFile(keyFile(), second.key);
    process.kill(process.pid, 'SIGHUP');
    await expect.poll(async () => nameOf(await shake(running))).toBe('second');
    expect(await ask(running, second.cert)).toMatchObject({ status: 200 });
  });

  it('notices a renewed certificate without a signal', async () => {
    await write(makeCertificate('first'));
    const running = await start();
    await write(makeCertificate('renewed'));
    await expect.poll(async () => nameOf(await shake(running)), { timeout: 15_000 }).toBe('renewed');
  });

  it('refuses requests on too many connections, as without TLS', async () => {
    const certificate = makeCertificate('first');
    await write(certificate);
    const running = await start({ maxConnections: 1 });
    const held = await new Promise<ReturnType<typeof connect>>((resolve) => {
      const { hostname, port } = new URL(running.url);
      const socket = connect({ host: hostname, port: Number(port), ca: certificate.cert }, () =>
        resolve(socket),
      );
    });
    const refused = await ask(running, certificate.cert, '/openapi.json');
    expect([refused.status, JSON.parse(refused.body)]).toMatchObject([503, { type: '/problems/overloaded' }]);
    expect((await ask(running, certificate.cert)).status).toBe(200);
    held.destroy();
  });
});

describe('a certificate of no use', () => {
  const refusal = (): string => {
    try {
      createHttpAdapter(configure(), createLogger({ logLevel: 'silent', logFormat: 'json' }));
      return '';
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  };

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['is missing', () => rm(certFile()), /PLINTH_TLS_CERT cannot be read: ENOENT/],
    ['has no key', () => rm(keyFile()), /PLINTH_TLS_KEY cannot be read: ENOENT/],
    ['is none', () => writeFile(certFile(), 'text'), /PLINTH_TLS_CERT and PLINTH_TLS_KEY cannot be used/],
    [
      'has the key of another',
      () => writeFile(keyFile(), makeCertificate('other').key),
      /PLINTH_TLS_CERT and PLINTH_TLS_KEY cannot be used together: .*key values mismatch/,
    ],
  ])('that %s is told at the start', async (_what, spoil, expected) => {
    await write(makeCertificate('first'));
    await spoil();
    expect(refusal()).toMatch(expected);
  });
});
