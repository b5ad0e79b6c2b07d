import { createServer } from 'node:net';
import type { PlinthConfig } from '../../common/config/index.js';
import { explainListening } from '../explain-failure.js';
import { failed, ok, warning, type Finding } from './finding.js';

const PROBE_TIMEOUT_MS = 2000;

/** Whether the server could listen where the configuration says. */
export async function checkPort({ host, port }: PlinthConfig): Promise<Finding> {
  const error = await tryListen(host, port);
  if (error === null)
    return ok(port === 0 ? `a free port of ${host} will be taken` : `the port ${port} of ${host} is free`);
  if (error.code === 'EADDRINUSE' && (await isPlinth(host, port))) {
    return warning(
      `the port ${port} of ${host} is taken by a Plinth that is running`,
      'Nothing to do, unless another one shall start: it needs another PORT.',
    );
  }
  const { what, advice } = explainListening({ host, port, error });
  return failed(what, advice);
}

function tryListen(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Whether what listens there answers as Plinth does. */
async function isPlinth(host: string, port: number): Promise<boolean> {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  try {
    const response = await fetch(`http://${name.includes(':') ? `[${name}]` : name}:${port}/health/live`, {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      redirect: 'manual',
    });
    return response.headers.has('x-request-id') && (await response.text()) === '{"status":"ok"}';
  } catch {
    return false;
  }
}
