import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { withClient } from '../dataset/open-dataset.js';
import { startScaleServer, type ScaleServer } from './server.js';

const ROWS = 500_000;
const ROW_BYTES = 1000;

export interface AnswerResult {
  readonly name: string;
  readonly answers: number;
  readonly refused: number;
  readonly receivedBytes: number;
  readonly seconds: number;
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

/** Half a gigabyte of rows; those of a second table are ten times as large. */
export async function createRows(url: string): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(`
      CREATE TABLE items (id int PRIMARY KEY, body text NOT NULL);
      CREATE TABLE pages (id int PRIMARY KEY, body text NOT NULL);
      ALTER TABLE items ALTER body SET STORAGE PLAIN;
      INSERT INTO items SELECT i, repeat('x', ${ROW_BYTES}) FROM generate_series(1, ${ROWS}) i;
      INSERT INTO pages SELECT i, repeat('y', ${10 * ROW_BYTES}) FROM generate_series(1, 2000) i;`);
    await client.query('VACUUM (ANALYZE)');
  });
}

/** Where there is much memory, V8 lets garbage lie for long; with a small heap, what is seen is what is held. */
const SMALL_HEAP = '--max-old-space-size=300';

export const startClientServer = (url: string, folder: string): Promise<ScaleServer> =>
  startScaleServer(url, folder, {
    PLINTH_MAX_LIMIT: String(ROWS),
    PLINTH_MAX_ROWS: String(ROWS),
    NODE_OPTIONS: SMALL_HEAP,
  });

/** One answer of 500 MB, read as fast as it comes. */
export async function measureStream(server: ScaleServer): Promise<AnswerResult> {
  const { nowBytes: beforeBytes } = await server.memory();
  const peak = watchPeak(server);
  const startedAt = performance.now();
  const client = await ask(server, `/api/items?limit=${ROWS}`);
  let receivedBytes = 0;
  client.on('data', (chunk: Buffer) => (receivedBytes += chunk.length));
  await once(client, 'close');
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    name: 'an answer of 500 MB',
    answers: 1,
    refused: 0,
    receivedBytes,
    seconds,
    beforeBytes,
    peakBytes: await peak(),
  };
}

/** What clients read of their answers: a little, now and then. */
const SIP_BYTES = 4096;
const SIP_MS = 1000;
const SIPPING_MS = 20_000;

/** Clients that ask at once and then hardly read; each has a receive buffer of the usual size. */
export async function measureSlowClients(
  server: ScaleServer,
  { name, clients, path }: { readonly name: string; readonly clients: number; readonly path: string },
): Promise<AnswerResult> {
  const { nowBytes: beforeBytes } = await server.memory();
  const peak = watchPeak(server);
  const startedAt = performance.now();
  const sockets = await Promise.all(Array.from({ length: clients }, () => ask(server, path)));
  const statuses = new Map<Socket, string>();
  let receivedBytes = 0;
  while (performance.now() - startedAt < SIPPING_MS) {
    for (const socket of sockets) {
      const chunk: unknown = socket.read(Math.min(SIP_BYTES, socket.readableLength));
      if (!Buffer.isBuffer(chunk)) continue;
      receivedBytes += chunk.length;
      if (!statuses.has(socket)) statuses.set(socket, chunk.toString('latin1', 9, 12));
    }
    await delay(SIP_MS);
  }
  const peakBytes = await peak();
  for (const socket of sockets) socket.destroy();
  const all = [...statuses.values()];
  return {
    name,
    answers: all.filter((status) => status === '200').length,
    refused: all.filter((status) => status === '503').length,
    receivedBytes,
    seconds: (performance.now() - startedAt) / 1000,
    beforeBytes,
    peakBytes,
  };
}

/** A client that has asked, and reads nothing by itself. */
async function ask(server: ScaleServer, path: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const client = connect(Number(port), hostname);
  client.on('error', () => {});
  await once(client, 'connect');
  client.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\nX-API-Key: ${server.adminKey}\r\nConnection: close\r\n\r\n`,
  );
  return client;
}

/** Looks at the memory all the time; gives a function that stops and tells the most that there was. */
function watchPeak(server: ScaleServer): () => Promise<number> {
  let most = 0;
  const over = new AbortController();
  const watching = (async () => {
    while (!over.signal.aborted) {
      most = Math.max(most, (await server.memory()).nowBytes);
      await delay(50);
    }
  })();
  return async () => {
    over.abort();
    await watching;
    return most;
  };
}
