import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { systemErrorCode } from './errors.js';
import { replaceFile, type Home } from './home.js';

const LOOPBACK = '127.0.0.1';

/** The port of the last start if it is still free, so that URLs that people wrote down stay valid; else a free one. */
export async function chooseFreePort(home: Home): Promise<number> {
  const remembered = await findRememberedPort(home);
  if (remembered !== undefined && (await tryListen(remembered)) !== undefined) return remembered;
  const port = await tryListen(0);
  if (port === undefined) throw new Error(`No port is free on ${LOOPBACK}`);
  return port;
}

/** Keeps a port for the next start. */
export async function rememberPort(home: Home, port: number): Promise<void> {
  if ((await findRememberedPort(home)) === port) return;
  await replaceFile(home, home.portPath, `${port}\n`, home.owner);
}

async function findRememberedPort(home: Home): Promise<number | undefined> {
  let text: string;
  try {
    text = await readFile(home.portPath, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

/** Gives the port if it can be listened on; undefined if not. */
function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host: LOOPBACK, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : undefined));
    });
  });
}
